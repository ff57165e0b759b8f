"""A training run: from works to a style with its proof."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from atelier.workshop.contract import FileRef, Progress, Report, TooFewWorks, TrainResult, TrainSpec
from atelier.workshop.pictures.fingerprints import NEAR_BITS, distance
from atelier.workshop.recipes import overridden

from .base import BASE
from .learning.learn import Seen, learn, seen
from .learning.style import save
from .proof.evaluation import BRIEFS, SEEDS, compose_all, evaluate
from .proof.parts import parts_of
from .proof.sheets import sheets_of

ADAPTER = "adapter"
WORKS_MIN = 6
HANDS = 6
"""Whose pieces are composed for a proof at most: of the version, of its twin, of the works held out, of two strangers,
of nobody."""
HELD_MOST = 8
_MEDIA = {".json": "application/json", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Recipe:
    """What a run may be asked to do otherwise. `proof_seeds` pieces are composed for each brief of the proof."""

    proof_seeds: int = SEEDS


BOUNDS = {"proof_seeds": (2, 16)}


class Steps:
    """Counts what is done of what is planned, and says how long the rest takes at this pace."""

    def __init__(self, report: Report, planned: int) -> None:
        self._report, self._planned = report, planned
        self._done, self._begin = 0, time.monotonic()

    def tell(self, stage: str, note: str = "", *, more: int = 1) -> None:
        self._done = min(self._planned, self._done + more)
        passed = time.monotonic() - self._begin
        left = passed / self._done * (self._planned - self._done) if self._done else None
        self._report(Progress(stage=stage, done=self._done, planned=self._planned, seconds_left=left, note=note[:120]))


def train(spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
    """Learn a style from all works, and prove it on works held out from its twin; the same spec gives the same adapter.

    Writes the folders `adapter`, `parts` and `sheets` in the workspace and nothing else. Errors: TooFewWorks;
    Unreadable naming the work; whatever the report raises, within a second.
    """
    begin = time.monotonic()
    recipe = overridden(Recipe(), BOUNDS, spec.recipe)
    steps = Steps(report, len(spec.works) + HANDS * len(BRIEFS) + 1)
    works = []
    for work in spec.works:
        works.append(seen(work))
        steps.tell("learning", work.title)
    rest, held = divided(works, spec.seed)
    style = learn(works)
    own, compared = compose_all(style, learn(rest), learn(held), recipe.proof_seeds, steps.tell)
    evaluation = evaluate(spec, style, [each.work.id for each in held], own, compared)
    parts, sheets = parts_of(style, workspace), sheets_of(own, compared, workspace)
    sha256 = save(style, workspace / ADAPTER)
    files = sorted(path for path in (workspace / ADAPTER).rglob("*") if path.is_file())
    seconds = round(time.monotonic() - begin, 1)
    steps.tell("done", more=10**6)
    return TrainResult(
        adapter_dir=ADAPTER,
        adapter_files=tuple(_reference(path, workspace) for path in files),
        adapter_sha256=sha256,
        evaluation=evaluation,
        card={
            "engine": "design",
            "base": BASE.model_dump(),
            "dataset_sha256": spec.dataset_sha256,
            "works": len(works),
            "motifs": len(style.motifs),
            "colours": [swatch.colour for swatch in style.palette.swatches],
            "seed": spec.seed,
            "seconds": seconds,
        },
        seconds=seconds,
        parts=parts,
        sheets=sheets,
    )


def divided(works: Sequence[Seen], seed: int) -> tuple[list[Seen], list[Seen]]:
    """The works but those held out, and those held out; near copies stay together.

    Errors: TooFewWorks, also when most of them are copies of one another.
    """
    if len(works) < WORKS_MIN:
        raise TooFewWorks(
            f"There are {len(works)} works to learn from; at least {WORKS_MIN} are needed.",
            remedy=f"Add {WORKS_MIN - len(works)} or more; with thirty the result is much better.",
        )
    groups: list[list[Seen]] = []
    for each in sorted(works, key=lambda each: (each.work.sha256, each.work.id)):
        near = next((g for g in groups if any(distance(each.hash, other.hash) <= NEAR_BITS for other in g)), None)
        if near is None:
            groups.append([each])
        else:
            near.append(each)
    if len(groups) < WORKS_MIN:
        raise TooFewWorks(
            f"The {len(works)} works are near copies of one another: only {len(groups)} differ.",
            remedy=f"Add works until at least {WORKS_MIN} differ.",
        )
    random.Random(seed).shuffle(groups)
    count = max(2, min(HELD_MOST, round(len(groups) * 0.2)))
    held = [each for group in groups[:count] for each in group]
    return [each for group in groups[count:] for each in group], held


def _reference(path: Path, workspace: Path) -> FileRef:
    raw = path.read_bytes()
    return FileRef(
        path=path.relative_to(workspace).as_posix(),
        sha256=hashlib.sha256(raw).hexdigest(),
        bytes=len(raw),
        media_type=_MEDIA[path.suffix],
    )
