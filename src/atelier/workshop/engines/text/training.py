"""A training run: from works to an adapter with its proof."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from atelier.workshop.bases.cache import cache_folder
from atelier.workshop.contract import FileRef, Report, TrainResult, TrainSpec
from atelier.workshop.steps import Plan

from .attribution import KEPT, keep, pulls_of
from .base import Base, base
from .card import card
from .crew import crew
from .device import device
from .efforts import run_efforts
from .examples import read
from .house.skill import skill, skill_sha256
from .lora import FILES, save
from .recipe import Recipe, recipe
from .splits import Design, design

if TYPE_CHECKING:
    from .llama import Llama

ADAPTER = "adapter"
"""The folder inside the workspace that holds the adapter's files."""
_MEDIA = {".safetensors": "application/octet-stream", ".json": "application/json"}


def train(spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
    """Learn an adapter from the works and prove it on works held out; the same spec gives the same adapter.

    A version that copies is trained again more gently, by itself. Writes the folder `adapter` in the workspace and
    nothing else. Errors: TooFewWorks; Unreadable naming the work; RecipeInvalid; EngineUnavailable; whatever the
    report raises, within a second.
    """
    begin = time.monotonic()
    # Without this torch makes a folder for compiled code among the system's temporary files, even if nothing is.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "torch"))
    chosen = recipe(spec.recipe)
    divided = design([read(work) for work in spec.works], spec.seed)
    source = base()
    plan = Plan(report, run_efforts(divided, source.tokenizer(), chosen))
    plan.enter("prepare", "loading the base model")
    result = _learn(spec, source, divided, chosen, plan, workspace)
    seconds = round(time.monotonic() - begin, 1)
    plan.finish("done")
    return result.model_copy(update={"seconds": seconds, "card": {**result.card, "seconds": seconds}})


def _learn(spec: TrainSpec, source: Base, divided: Design, chosen: Recipe, plan: Plan, workspace: Path) -> TrainResult:
    start = skill(source, chosen.rank) if chosen.house else None
    with crew(chosen.cores(), plan.tell) as team:
        (model,) = team.map(_loaded, [source])

        from .evaluation import evaluate
        from .subject import Subject
        from .versions import make

        subject = Subject(model, source, source.tokenizer(), spec, divided, start, plan, team)
        version = make(subject, chosen)
        evaluation = evaluate(subject, version)
    folder = workspace / ADAPTER
    sha256 = save(version.fit.lora, source, folder)
    keep(pulls_of(version.fit, divided.shipped.train), folder, sha256)
    return TrainResult(
        adapter_dir=ADAPTER,
        adapter_files=tuple(_reference(folder / name, workspace) for name in (*FILES, KEPT)),
        adapter_sha256=sha256,
        evaluation=evaluation,
        card=card(subject, version, evaluation, skill_sha256() if start else None),
        seconds=0.0,
    )


def _loaded(source: Base) -> Llama:
    from .llama import Llama

    return Llama(source, device=device())


def _reference(path: Path, workspace: Path) -> FileRef:
    raw = path.read_bytes()
    return FileRef(
        path=path.relative_to(workspace).as_posix(),
        sha256=hashlib.sha256(raw).hexdigest(),
        bytes=len(raw),
        media_type=_MEDIA[path.suffix],
    )
