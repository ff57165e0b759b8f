"""Which works are learned from, which say when to stop, and which are kept for the proof."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from atelier.workshop.contract import TooFewWorks, WorkFile

from .overlap import families

WORKS_MIN = 8
WORKS_ADVISED = 40


@dataclass(frozen=True)
class Text:
    """A work with its words in memory."""

    work: WorkFile
    text: str


@dataclass(frozen=True)
class Split:
    """Works of three kinds; no work, and no near copy of one, is of two kinds."""

    train: tuple[Text, ...]
    validation: tuple[Text, ...]
    test: tuple[Text, ...]


def sizes(count: int) -> tuple[int, int]:
    """How many of so many works go to validation and to the test: about an eighth and a sixth, within reason."""
    return min(12, max(1, round(count * 0.125))), min(40, max(2, round(count * 0.175)))


def split(texts: Sequence[Text], seed: int) -> Split:
    """Divide works by chance, near copies staying together. Same works and seed, same split, whatever their order.

    Errors: TooFewWorks, also when most of the works are copies of one another.
    """
    if len(texts) < WORKS_MIN:
        raise TooFewWorks(
            f"There are {len(texts)} works to learn from; at least {WORKS_MIN} are needed.",
            remedy=f"Add {WORKS_MIN - len(texts)} or more; with {WORKS_ADVISED} the result is much better.",
        )
    ordered = sorted(texts, key=lambda t: (t.work.sha256, t.work.id))
    groups = families([t.text for t in ordered])
    if len(groups) < WORKS_MIN:
        raise TooFewWorks(
            f"The {len(texts)} works are near copies of one another: only {len(groups)} differ.",
            remedy=f"Add works until at least {WORKS_MIN} differ.",
        )
    random.Random(seed).shuffle(groups)
    groups.sort(key=len)  # Works with near copies go last, to training, so that the held-out ones stand for many.
    validation, test = sizes(len(groups))
    held = [[ordered[i] for i in group] for group in groups]
    parts = held[validation + test :], held[:validation], held[validation : validation + test]
    train, stop, proof = (tuple(text for group in part for text in group) for part in parts)
    return Split(train, stop, proof)
