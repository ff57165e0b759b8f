"""One request from the caller's side: its brief to orders, its news to previews, its pictures to files."""

from __future__ import annotations

import hashlib
import queue
from pathlib import Path

from PIL import Image

from atelier.workshop.contract import Emit, FileRef, GenerateSpec, Output, Preview, Progress, Refused
from atelier.workshop.engines.diffusion import settings
from atelier.workshop.engines.diffusion.base import Base, base
from atelier.workshop.engines.diffusion.briefs import Brief, size, valid
from atelier.workshop.engines.diffusion.lora import DiffusionHand
from atelier.workshop.engines.diffusion.masters import encoded
from atelier.workshop.engines.diffusion.painting import Order
from atelier.workshop.guardrails import check_brief
from atelier.workshop.pictures import showing

from .easel import Easel, News, Request

_NEWS_SECONDS = 0.25


def deliver(easel: Easel, hand: DiffusionHand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
    """Make one picture a seed and show it while it is made. Errors: BriefInvalid; Refused, also when the base's own
    checker withholds a picture; Busy; whatever `emit` raises to stop."""
    brief = valid(spec.brief)
    # What is to be avoided may be what is refused: saying so asks for nothing.
    check_brief({name: value for name, value in spec.brief.items() if name != "avoid"}, spec.guardrails)
    orders = [order(base(), brief, spec, seed) for seed in spec.seeds]
    request = Request(hand, orders, spec.viewer, previews=spec.reveal > 0)
    emit(Progress(stage="waiting", done=0, planned=_planned(request)))
    easel.submit(request)
    try:
        pictures = _follow(easel, request, spec, emit)
    except BaseException:
        easel.cancel(request)
        raise
    return [_output(number, seed, pictures[number], brief, spec, workspace) for number, seed in enumerate(spec.seeds)]


def order(base: Base, brief: Brief, spec: GenerateSpec, seed: int) -> Order:
    """What is to be painted for a brief; what the creator refuses is avoided too, for what words cannot tell."""
    width, height = size(brief.shape, base.side, base.multiple)
    return Order(
        prompt=brief.prompt,
        avoid=", ".join(part for part in (brief.avoid, *spec.guardrails.subjects_refused) if part),
        seed=seed,
        width=width,
        height=height,
        steps=settings.steps(),
        guidance=settings.guidance(),
    )


def _planned(request: Request) -> int:
    return sum(order.steps + 1 for order in request.orders)


def _follow(easel: Easel, request: Request, spec: GenerateSpec, emit: Emit) -> dict[int, Image.Image]:
    """Pass the news on until every picture is done; four times a second at least, so that a caller can stop."""
    steps = [0] * len(request.orders)
    pictures: dict[int, Image.Image] = {}
    while len(pictures) < len(request.orders):
        for item in _batch(request.inbox):
            if isinstance(item, BaseException):
                raise item
            steps[item.sample] = item.steps + item.done
            if item.done:
                pictures[item.sample] = _allowed(item)
            if item.picture is not None and (preview := _preview(item, request.orders[item.sample], spec.reveal)):
                emit(preview)
        begun = any(steps)
        emit(
            Progress(
                stage="painting" if begun else "waiting",
                done=sum(steps),
                planned=_planned(request),
                ahead=None if begun else easel.ahead(request),
            )
        )
    return pictures


def _batch(inbox: queue.SimpleQueue[News | BaseException]) -> list[News | BaseException]:
    """All that has come in, after waiting a moment for the first."""
    items: list[News | BaseException] = []
    try:
        items.append(inbox.get(timeout=_NEWS_SECONDS))
        while True:
            items.append(inbox.get_nowait())
    except queue.Empty:
        return items


def _allowed(news: News) -> Image.Image:
    if news.picture is None:
        raise Refused(
            "The picture was withheld: the base's own checker took it for one not to be shown.",
            where="subject",
            remedy="Ask for something else, or once more.",
        )
    return news.picture


def _preview(news: News, order: Order, reveal: float) -> Preview | None:
    assert news.picture is not None
    shown = showing.sample(news.picture, order.width, order.height, reveal)
    if shown is None:
        return None
    data, (width, height) = shown
    return Preview(sample=news.sample, payload={"image": showing.data_uri(data), "width": width, "height": height})


def _output(number: int, seed: int, picture: Image.Image, brief: Brief, spec: GenerateSpec, workspace: Path) -> Output:
    data = encoded(picture, "png")
    workspace.mkdir(parents=True, exist_ok=True)
    path = f"sample-{number + 1}.png"
    (workspace / path).write_bytes(data)
    shown, (width, height) = showing.sample(picture, *picture.size, spec.reveal) or showing.nothing()
    return Output(
        sample=number,
        seed=seed,
        file=FileRef(path=path, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), media_type="image/png"),
        reduced={"image": showing.data_uri(shown), "width": width, "height": height, "told": brief.told},
        extent=1,
        finish="complete",
    )
