"""A training run: from works to an adapter with its proof."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from atelier.workshop.contract import Answer, FileRef, Progress, Report, Sheet, TrainResult, TrainSpec
from atelier.workshop.patience import meanwhile
from atelier.workshop.steps import Plan

from . import settings
from .base import base
from .card import card
from .fitting import ADAPTER, Example, Fit, example, fit, fit_effort
from .lora import FILES, save
from .network import Network
from .painting import Order, paint
from .proof.copying import copying_answer, learned_words
from .proof.evaluation import evaluation
from .proof.measuring import measure_effort, table
from .proof.sheets import sheet
from .recipe import Recipe, recipe
from .splits import Learned, Split, check_count, read_all, split

FOLDER = "adapter"
"""The folder inside the workspace that holds the adapter's files."""
ROWS = 3
"""How many works are put side by side with what is made of their words."""
LOAD_EFFORT = 20.0
"""Loading the base takes as long as foretelling noise about so often."""
_MEDIA = {".safetensors": "application/octet-stream", ".json": "application/json"}


@dataclass(frozen=True)
class _Run:
    """What all parts of one run share."""

    spec: TrainSpec
    recipe: Recipe
    split: Split
    network: Network
    plan: Plan


def train(spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
    """Learn an adapter from the works and prove it on works held out; the same spec gives the same adapter on the same
    machine. Writes the folder `adapter` and a sheet of pictures into the workspace, and nothing else.

    Errors: TooFewWorks; Unreadable naming the work; RecipeInvalid; EngineUnavailable; whatever the report raises.
    """
    begin = time.monotonic()
    chosen = recipe(spec.recipe)
    check_count(len(spec.works))
    source = base()
    learned = read_all(spec.works, lambda: report(Progress(stage="prepare", done=0, planned=1)))
    divided = split(learned, spec.seed)
    plan = Plan(report, _efforts(divided, chosen), unit=1)
    plan.enter("prepare", "loading the base")
    # Nobody is kept waiting who wants it stopped: loading takes long and cannot be interrupted.
    network = meanwhile(lambda: Network(source, settings.device()), plan.tell)
    plan.advance(LOAD_EFFORT)
    result = _learn(_Run(spec, chosen, divided, network, plan), workspace)
    seconds = round(time.monotonic() - begin, 1)
    plan.finish("done")
    return result.model_copy(update={"seconds": seconds, "card": {**result.card, "seconds": seconds}})


def _efforts(divided: Split, chosen: Recipe) -> dict[str, float]:
    """The plan of a run in noises foretold: encoding a work is like one, a step of a picture like two."""
    works = len(divided.train) + len(divided.stop) + len(divided.test)
    return {
        "prepare": LOAD_EFFORT + works,
        "train": fit_effort(chosen, len(divided.train), len(divided.stop)),
        "evaluate": measure_effort(divided, chosen.draws),
        "paint": 2.0 * chosen.sample_steps * (chosen.samples + ROWS),
    }


def _learn(run: _Run, workspace: Path) -> TrainResult:
    train_set, stop, test = (_examples(run, part) for part in (run.split.train, run.split.stop, run.split.test))
    run.plan.enter("train", "first look at the works")
    found = fit(run.network, train_set, stop, run.recipe, run.spec.seed, run.plan)
    run.plan.enter("evaluate", "foretelling works it never saw, beside the base")
    figures, manner = table(run.network, run.split, stop, test, run.recipe.draws, run.plan)
    run.plan.enter("paint", "making pictures for the proof")
    copying, shown = _pictures(run, train_set, test, workspace)
    proof = evaluation(run.split, found, figures, manner, copying, run.spec.guardrails)
    return TrainResult(
        adapter_dir=FOLDER,
        adapter_sha256=_saved(run, found, workspace),
        adapter_files=tuple(_reference(workspace / FOLDER / name, workspace) for name in FILES),
        evaluation=proof,
        card=card(run.network.base, run.spec, run.recipe, run.split, found, manner, proof),
        seconds=0.0,
        sheets=shown,
    )


def _examples(run: _Run, works: Sequence[Learned]) -> list[Example]:
    found = []
    for work in works:
        found.append(example(run.network, work))
        run.plan.advance(1, f"reading “{work.work.title}”")
    return found


def _pictures(
    run: _Run, learned: Sequence[Example], test: Sequence[Example], workspace: Path
) -> tuple[Answer, tuple[Sheet, ...]]:
    """Whether what it makes copies, and some of it side by side with the base's."""
    asked = learned_words(run.split, run.recipe.samples)
    made = [_painted(run, work, seed) for seed, work in enumerate(asked)]
    copying = copying_answer(run.network, [each for each in made if each] or [_nothing(run)], run.split, learned, test)
    run.network.wear("")
    rows = []
    for seed, work in enumerate(asked[: 2 * ROWS : 2]):
        base, ours = _painted(run, work, 2 * seed), made[2 * seed]
        if base and ours:
            rows.append((work, base, ours))
    run.network.wear(ADAPTER)
    return copying, (sheet(rows, workspace),) if rows else ()


def _painted(run: _Run, work: Learned, seed: int) -> Image.Image | None:
    side = run.network.base.side
    order = Order(work.caption, "", seed, side, side, run.recipe.sample_steps, settings.guidance())
    return paint(run.network, order, lambda *_: run.plan.advance(2.0))


def _nothing(run: _Run) -> Image.Image:
    """Where the base's checker withheld everything, there is an empty picture to compare."""
    return Image.new("RGB", (run.network.base.side,) * 2, "grey")


def _saved(run: _Run, found: Fit, workspace: Path) -> str:
    facts = {"rank": run.recipe.rank, "dataset_sha256": run.spec.dataset_sha256, "best_step": found.best_step}
    return save(found.weights, run.network.base, workspace / FOLDER, facts)


def _reference(path: Path, workspace: Path) -> FileRef:
    raw = path.read_bytes()
    return FileRef(
        path=path.relative_to(workspace).as_posix(),
        sha256=hashlib.sha256(raw).hexdigest(),
        bytes=len(raw),
        media_type=_MEDIA[path.suffix],
    )
