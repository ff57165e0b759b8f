"""One request from brief to files: previews while it is made, then the masters."""

from __future__ import annotations

import hashlib
from pathlib import Path

from atelier.workshop.contract import Emit, FileRef, GenerateSpec, Output, Preview, Progress

from .briefs import valid
from .layout.kinds import KINDS, Kind
from .learning.style import Style
from .making import Made, make, subject_vector
from .showing import data_uri, sample
from .writing import svg_of

FIRST = 0.25
"""The share of what may be revealed that the first, quick preview has."""


def deliver(style: Style, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
    """Errors: BriefInvalid naming the field; Refused; whatever `emit` raises."""
    brief = valid(spec.brief)
    kind, planned = KINDS[brief.kind], 2 * len(spec.seeds)
    emit(Progress(stage="designing", done=0, planned=planned))
    subject = subject_vector(brief)
    outputs = []
    for number, seed in enumerate(spec.seeds):
        made = make(style, brief, subject, seed)
        if spec.reveal > 0:
            quick, _ = sample(made.scene, kind.sheet, spec.reveal * FIRST)
            emit(Preview(sample=number, payload={"image": data_uri(quick)}))
        emit(Progress(stage="designing", done=2 * number + 1, planned=planned))
        outputs.append(_output(made, kind, number, seed, spec, workspace))
        if spec.reveal > 0:
            emit(Preview(sample=number, payload={"image": outputs[-1].reduced["image"]}))
        emit(Progress(stage="designing", done=2 * number + 2, planned=planned))
    return outputs


def _output(made: Made, kind: Kind, number: int, seed: int, spec: GenerateSpec, workspace: Path) -> Output:
    picture, (wide, high) = sample(made.scene, kind.sheet, max(spec.reveal, 0.01))
    data = svg_of(made.scene, kind.sheet, *_size(kind), title=kind.title)
    path = workspace / f"sample-{number + 1}.svg"
    path.write_bytes(data)
    return Output(
        sample=number,
        seed=seed,
        file=FileRef(
            path=path.name, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), media_type="image/svg+xml"
        ),
        reduced={"image": data_uri(picture), "width": wide, "height": high},
        extent=max(1, len(made.plan.arts)),
        finish="complete",
    )


def _size(kind: Kind) -> tuple[str, str]:
    """The size that a file names: millimetres of paper, else pixels."""
    if kind.paper:
        return f"{kind.paper[0]:g}mm", f"{kind.paper[1]:g}mm"
    return "", ""
