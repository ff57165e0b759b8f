"""A training run: from works to an adapter with its proof."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from atelier.workshop.contract import FileRef, Report, TrainResult, TrainSpec

from .base import Base, base, cache_folder
from .card import card
from .crew import crew
from .device import device
from .efforts import proof_effort, train_effort
from .examples import examples, read
from .lora import FILES, save
from .recipe import Recipe, recipe
from .splits import Split, split
from .steps import Plan

if TYPE_CHECKING:
    from .llama import Llama

ADAPTER = "adapter"
"""The folder inside the workspace that holds the adapter's files."""
LOAD_EFFORT = 3_000.0
"""Reading the works and loading the base takes as long as reading about so many tokens."""
_MEDIA = {".safetensors": "application/octet-stream", ".json": "application/json"}


def train(spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
    """Learn an adapter from the works and prove it on works held out; the same spec gives the same adapter.

    Writes the folder `adapter` in the workspace and nothing else. Errors: TooFewWorks; Unreadable naming the work;
    RecipeInvalid; EngineUnavailable; whatever the report raises, within a second.
    """
    begin = time.monotonic()
    # Without this torch makes a folder for compiled code among the system's temporary files, even if nothing is.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "torch"))
    chosen = recipe(spec.recipe)
    divided = split([read(work) for work in spec.works], spec.seed)
    source = base()
    plan = Plan(report, _efforts(source, divided, chosen))
    plan.enter("prepare", "loading the base model")
    result = _learn(spec, source, divided, chosen, plan, workspace)
    seconds = round(time.monotonic() - begin, 1)
    plan.finish("done")
    return result.model_copy(update={"seconds": seconds, "card": {**result.card, "seconds": seconds}})


def _learn(spec: TrainSpec, source: Base, divided: Split, chosen: Recipe, plan: Plan, workspace: Path) -> TrainResult:
    tokenizer = source.tokenizer()
    with crew(chosen.cores(), plan.tell) as team:
        (model,) = team.map(_loaded, [source])

        from .evaluation import Subject, evaluate
        from .fitting import fit

        learned, stop = (examples(part, tokenizer, chosen.longest) for part in (divided.train, divided.validation))
        plan.enter("train", "first look at the works")
        found = fit(model, learned, stop, chosen, spec.seed, plan, team)
        evaluation = evaluate(Subject(model, source, tokenizer, found, divided, spec, chosen), plan, team)
    folder = workspace / ADAPTER
    sha256 = save(found.lora, source, folder)
    return TrainResult(
        adapter_dir=ADAPTER,
        adapter_files=tuple(_reference(folder / name, workspace) for name in FILES),
        adapter_sha256=sha256,
        evaluation=evaluation,
        card=card(spec, source, divided, chosen, found, evaluation),
        seconds=0.0,
    )


def _loaded(source: Base) -> Llama:
    from .llama import Llama

    return Llama(source, device=device())


def _efforts(source: Base, divided: Split, chosen: Recipe) -> Mapping[str, float]:
    """The plan of the whole run: each stage with its effort in tokens read forward once."""
    tokenizer = source.tokenizer()
    learned, stop = (examples(part, tokenizer, chosen.longest) for part in (divided.train, divided.validation))
    return {
        "prepare": LOAD_EFFORT,
        "train": train_effort(learned, stop, chosen),
        **proof_effort(divided, tokenizer, chosen),
    }


def _reference(path: Path, workspace: Path) -> FileRef:
    raw = path.read_bytes()
    return FileRef(
        path=path.relative_to(workspace).as_posix(),
        sha256=hashlib.sha256(raw).hexdigest(),
        bytes=len(raw),
        media_type=_MEDIA[path.suffix],
    )
