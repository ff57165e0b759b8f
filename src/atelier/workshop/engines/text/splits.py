"""Which works are learned from, which say when to stop, and which are kept for the proof."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atelier.workshop.contract import TooFewWorks, WorkFile

from .overlap import families

WORKS_MIN = 8
WORKS_ADVISED = 40
FEW = 30
"""With fewer works that differ, all of them are measured in turns: a sixth of them alone would tell nothing."""
MANY_ROUNDS = 16
"""From so many on three rounds leave enough to learn from; with fewer there are four."""


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

    @property
    def learned(self) -> tuple[Text, ...]:
        """All that the version saw: what it learned from, and what said when to stop."""
        return (*self.train, *self.validation)


@dataclass(frozen=True)
class Design:
    """How a version is made and how it is measured.

    `shipped` is what the version itself learns from. Each of `rounds` is measured on its `test` by an adapter that
    learned from its `train` alone; with many works there is one round and it is `shipped`, so that the version itself
    is measured. With few works (`crossed`) the rounds' tests are all works, each once; then `shipped` has no test.
    `family` gives each work, by id, the number that it shares with its near copies.
    """

    shipped: Split
    rounds: tuple[Split, ...]
    family: Mapping[str, int]

    @property
    def crossed(self) -> bool:
        return len(self.rounds) > 1

    @property
    def held_out(self) -> tuple[Text, ...]:
        """Works that the version itself did not learn from, to be named beside it."""
        return self.shipped.test or self.shipped.validation

    @property
    def method(self) -> str:
        """How it is measured, in a sentence for its reader."""
        measured = sum(len(each.test) for each in self.rounds)
        if not self.crossed:
            return f"Measured on {measured} works that were used neither for training nor to say when to stop."
        return (
            f"Measured on all {measured} works in {len(self.rounds)} rounds: in each, an adapter trained in the same "
            "way on the other works was measured on works that it had never seen. The version itself was then trained "
            f"on {len(self.shipped.train)} of the works; {len(self.shipped.validation)} said when to stop."
        )


def sizes(count: int) -> tuple[int, int]:
    """How many of so many works go to validation and to the test: about an eighth and a sixth, within reason."""
    return min(12, max(1, round(count * 0.125))), min(40, max(2, round(count * 0.175)))


def design(texts: Sequence[Text], seed: int) -> Design:
    """Divide works by chance, near copies staying together. Same works and seed, same design, whatever their order.

    Errors: TooFewWorks, also when most of the works are copies of one another.
    """
    held = _families(texts, seed)
    family = {text.work.id: number for number, group in enumerate(held) for text in group}
    if len(held) < FEW:
        return Design(*_crossed(held), family)
    divided = _divided(held)
    return Design(divided, (divided,), family)


def _families(texts: Sequence[Text], seed: int) -> list[list[Text]]:
    """Works with their near copies, in the order of chance, those with near copies last."""
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
    return [[ordered[i] for i in group] for group in groups]


def _divided(held: Sequence[Sequence[Text]]) -> Split:
    validation, test = sizes(len(held))
    return Split(
        _flat(held[validation + test :]), _flat(held[:validation]), _flat(held[validation : validation + test])
    )


def _crossed(held: Sequence[Sequence[Text]]) -> tuple[Split, tuple[Split, ...]]:
    """The version's own works, and rounds of which every family is once in a test."""
    count = 3 if len(held) >= MANY_ROUNDS else 4
    stop, _ = sizes(len(held))
    rounds = []
    for number in range(count):
        rest = [group for place, group in enumerate(held) if place % count != number]
        rounds.append(Split(_flat(rest[stop:]), _flat(rest[:stop]), _flat(held[number::count])))
    return Split(_flat(held[stop:]), _flat(held[:stop]), ()), tuple(rounds)


def _flat(groups: Sequence[Sequence[Text]]) -> tuple[Text, ...]:
    return tuple(text for group in groups for text in group)
