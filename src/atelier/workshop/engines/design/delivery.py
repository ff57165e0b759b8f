"""One request from brief to files: previews while it is made, then the masters."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atelier.workshop.contract import Emit, FileRef, GenerateSpec, Output, Preview, Progress
from atelier.workshop.guardrails import check_brief

from .briefs import valid
from .layout.kinds import KINDS, Kind
from .learning.meaning import meaning
from .learning.style import Style
from .making import Made, Order, make
from .showing import data_uri, half, shown, webp
from .varying import vary
from .vetoes import Vetoed
from .writing import svg_of

if TYPE_CHECKING:
    from PIL.Image import Image


def deliver(style: Style, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
    """Errors: BriefInvalid naming the field; Refused; whatever `emit` raises."""
    brief = valid(spec.brief)
    check_brief(spec.brief, spec.guardrails)
    kind, planned = KINDS[brief.kind], 2 * len(spec.seeds)
    emit(Progress(stage="designing", done=0, planned=planned))
    forbidden = (*spec.guardrails.subjects_refused, *spec.guardrails.words_never)
    subject, vetoed = meaning(brief.subject), Vetoed.named(spec.vetoed, forbidden)
    outputs = []
    for number, seed in enumerate(spec.seeds):
        order = Order(brief, subject, seed, spec.taste, vetoed, spec.tags)
        made = make(style, order) if spec.vary is None else vary(style, order, spec.vary)
        picture = shown(made.scene, kind.sheet, spec.reveal)
        if spec.reveal > 0:
            emit(Preview(sample=number, payload=_payload(half(picture))))
        emit(Progress(stage="designing", done=2 * number + 1, planned=planned))
        payload = _payload(picture)
        if spec.reveal > 0:
            emit(Preview(sample=number, payload=payload))
        outputs.append(_output(made, kind, number, seed, payload, workspace))
        emit(Progress(stage="designing", done=2 * number + 2, planned=planned))
    return outputs


def _payload(picture: Image) -> dict[str, Any]:
    return {"image": data_uri(webp(picture)), "width": picture.width, "height": picture.height}


def _output(made: Made, kind: Kind, number: int, seed: int, payload: dict[str, Any], workspace: Path) -> Output:
    data = svg_of(made.scene, kind.sheet, *_size(kind), title=kind.title)
    path = workspace / f"sample-{number + 1}.svg"
    path.write_bytes(data)
    return Output(
        sample=number,
        seed=seed,
        file=FileRef(
            path=path.name, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), media_type="image/svg+xml"
        ),
        reduced={**payload, "told": told(made)},
        extent=max(1, len(made.plan.arts)),
        finish="complete",
        features={name: round(value, 4) for name, value in made.plan.features.items()},
    )


def told(made: Made) -> str:
    """What is seen, in words."""
    words = "; ".join(made.task.said.values())
    motifs = list(dict.fromkeys(art.motif.words[0] for art in made.plan.arts if art.motif.words))[:3]
    shown = f" with {', '.join(motifs)}" if motifs else ""
    return f"{made.plan.kind.title}{shown}{': ' if words else ''}{words}"[:400]


def _size(kind: Kind) -> tuple[str, str]:
    """The size that a file names: millimetres of paper, else pixels."""
    if kind.paper:
        return f"{kind.paper[0]:g}mm", f"{kind.paper[1]:g}mm"
    return "", ""
