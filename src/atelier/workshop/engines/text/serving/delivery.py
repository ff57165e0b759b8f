"""One request from the caller's side: its brief to tasks, its news to previews, its drafts to files."""

from __future__ import annotations

import hashlib
import queue
from pathlib import Path
from typing import Any

from atelier.workshop.contract import (
    BriefInvalid,
    Cancelled,
    Emit,
    FileRef,
    GenerateSpec,
    Guardrails,
    Output,
    Preview,
    Progress,
    Refused,
)
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.prompts import FORMATS, max_tokens, prompt_tokens, validate_brief
from atelier.workshop.guardrails import find
from atelier.workshop.marks.text import Mark

from .adapters import TextHand
from .drafts import Draft, Task
from .ranking import candidate_seeds, choice_for
from .remote import Remote, RemoteHand
from .sampling import Sampling
from .scheduler import News, Request, Scheduler

LENGTH = 1536
"""The most tokens of prompt and answer together."""


_NEWS_SECONDS = 0.25
MEDIA_TYPE = "text/plain"


def task_for(
    base: Base,
    brief: dict[str, Any],
    sampling: Sampling,
    *,
    reveal: float = 1.0,
    guardrails: Guardrails | None = None,
    mark_key: str | None = None,
) -> Task:
    """What every text for a brief is to be. Errors: BriefInvalid."""
    valid = validate_brief(brief)
    tokenizer = base.tokenizer()
    prompt = tuple(prompt_tokens(tokenizer, valid))
    tokens = max_tokens(valid)
    if len(prompt) + tokens > min(LENGTH, base.config.context):
        raise BriefInvalid(
            "The brief is too long to be read together with the text.", where="details", remedy="Shorten it."
        )
    phrases = (*guardrails.words_never, *guardrails.subjects_refused) if guardrails else ()
    specials = frozenset(tokenizer.get_added_tokens_decoder())
    return Task(
        prompt=prompt,
        tokens_max=tokens,
        eos=base.config.eos,
        specials=specials - {base.config.eos},
        decode=tokenizer.decode,
        reveal=reveal,
        target=FORMATS[valid["format"]].words(valid["length"])[0],
        forbidden=(lambda text: find(text, phrases) is not None) if phrases else None,
        hold=max((len(phrase.split()) for phrase in phrases), default=1) or 1,
        window=max((len(phrase) + 2 for phrase in phrases), default=1),
        sampling=sampling,
        mark=Mark(bytes.fromhex(mark_key)) if mark_key else None,
    )


def deliver(
    scheduler: Scheduler | Remote,
    base: Base,
    hand: TextHand,
    spec: GenerateSpec,
    workspace: Path,
    emit: Emit,
    sampling: Sampling,
    candidates: int = 1,
) -> list[Output]:
    """Write one text a seed, the best of so many candidates, and stream it. Errors: BriefInvalid, Busy, and whatever
    `emit` raises to stop."""
    task = task_for(base, spec.brief, sampling, reveal=spec.reveal, guardrails=spec.guardrails, mark_key=spec.mark_key)
    choice = choice_for(validate_brief(spec.brief), min(candidates, scheduler.candidates_most), task.tokens_max)
    seeds = [each for seed in spec.seeds for each in candidate_seeds(seed, choice.candidates if choice else 1)]
    drafts = [scheduler.draft(task, seed) for seed in seeds]
    folder = hand.folder if isinstance(hand, RemoteHand) else None
    flows = _flows(hand, spec)
    request = Request(drafts, hand.adapter_sha256, hand.adapter, flows=flows, folder=folder, choice=choice)
    planned = task.tokens_max * request.samples
    emit(Progress(stage="waiting", done=0, planned=planned))
    scheduler.submit(request)
    try:
        _follow(scheduler, request, task.tokens_max, emit)
    except BaseException:
        scheduler.cancel(request)
        raise
    return [
        _written(sample, draft, seed, workspace)
        for sample, (draft, seed) in enumerate(zip(request.texts, spec.seeds, strict=True))
    ]


def _flows(hand: TextHand, spec: GenerateSpec) -> tuple[str, ...]:
    """Whom the work counts for: the creator whose adapter it is, and the viewer who asks."""
    creator = f"creator {hand.adapter_sha256}"
    return (creator, f"viewer {spec.viewer}") if spec.viewer else (creator,)


def _follow(scheduler: Scheduler | Remote, request: Request, tokens_max: int, emit: Emit) -> None:
    """Pass the news on until every draft is done; at least four times a second, so that a caller can stop."""
    steps = [0] * request.samples
    done = [False] * request.samples
    while not all(done):
        for item in _batch(request.inbox):
            if isinstance(item, BaseException):
                raise item
            # A word taken back costs steps but brings no progress, so a draft never counts for more than its plan.
            # Candidates need not have taken equally many: what was said to be done stays done.
            taken = max(steps[item.sample], min(item.steps, tokens_max - 1))
            steps[item.sample] = tokens_max if item.done else taken
            done[item.sample] = item.done
            if item.append:
                emit(Preview(sample=item.sample, payload={"append": item.append}))
        emit(
            Progress(
                stage="writing" if any(steps) else "waiting",
                done=sum(steps),
                planned=tokens_max * len(steps),
                ahead=None if any(steps) else scheduler.ahead(request),
            )
        )


def _batch(inbox: queue.SimpleQueue[News | BaseException]) -> list[News | BaseException]:
    """All that has come in, after waiting a moment for the first."""
    items: list[News | BaseException] = []
    try:
        items.append(inbox.get(timeout=_NEWS_SECONDS))
        while True:
            items.append(inbox.get_nowait())
    except queue.Empty:
        return items


def _written(sample: int, draft: Draft, seed: int, workspace: Path) -> Output:
    if draft.finish is None:
        raise Cancelled
    if not draft.text.split():
        raise Refused(
            "Without the words that are never used, nothing was left to say.",
            where="words_never",
            remedy="Forbid fewer words.",
        )
    data = draft.text.encode("utf-8")
    workspace.mkdir(parents=True, exist_ok=True)
    path = f"sample-{sample + 1}.txt"
    (workspace / path).write_bytes(data)
    words, opening = len(draft.text.split()), draft.opening()
    return Output(
        sample=sample,
        seed=seed,
        file=FileRef(path=path, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), media_type=MEDIA_TYPE),
        reduced={"text": opening, "words": words, "hidden_words": words - len(opening.split())},
        extent=words,
        finish=draft.finish,
    )
