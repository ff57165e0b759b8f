"""The question of copying: how much of what a version writes stands word for word in the works it learned from."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from atelier.workshop.contract import Answer, Measure
from atelier.workshop.proof.pictures import OURS, picture
from atelier.workshop.proof.statistics import Array, bootstrap, exact

from .overlap import GRAM, Collection, Overlap
from .splits import Text

RUN_IS_LONG = 20
"""So many words in a row from one work are a copy, whatever the creator's own habits, if those are shorter."""
SHARE_IS_HIGH = 0.2
"""By so much of its 8-grams may a version share more with the works than they share among themselves, and no more."""
OWN_WORKS_MOST = 200
"""By so many of the works, drawn by chance, the creator's own habit is measured."""


def own_habit(texts: Sequence[Text], family: Mapping[str, int], seed: int = 0) -> list[Overlap]:
    """How much of each work stands in the creator's other works, its near copies left out."""
    works = Collection([text.text for text in texts])
    kin: dict[int, set[int]] = {}
    for number, text in enumerate(texts):
        kin.setdefault(family[text.work.id], set()).add(number)
    drawn = random.Random(seed).sample(range(len(texts)), min(OWN_WORKS_MOST, len(texts)))
    return [works.overlap(texts[i].text, but=frozenset(kin[family[texts[i].work.id]])) for i in sorted(drawn)]


def copying_answer(written: Sequence[str], *, learned: Sequence[str], habit: Sequence[Overlap]) -> Answer:
    """How much of what was written stands word for word in the works learned from, against the creator's own habit."""
    works = Collection(learned)
    ours = [works.overlap(text) for text in written]
    longest, own_longest = (max((o.longest_run_words for o in found), default=0) for found in (ours, habit))
    measures = {
        "longest_run_words": exact(longest, unit="words", meaning="Longest run of words also in one training work"),
        "shared_8gram_share": _shared(ours, "Share of runs of eight words that stand in a training work"),
        "own_longest_run_words": exact(
            own_longest, unit="words", meaning="Longest run of words that one work of the creator's shares with another"
        ),
        "own_shared_8gram_share": _shared(
            habit, "Share of runs of eight words in a work of the creator's that stand in another"
        ),
    }
    shared, usual = measures["shared_8gram_share"].value, measures["own_shared_8gram_share"].value
    limit = max(RUN_IS_LONG, own_longest + GRAM)
    figures = (
        f"in {len(ours)} texts the longest run shared with a training work is {longest} words (between the "
        f"creator's own works: {own_longest}; {limit} are a copy), and {shared:.0%} of runs of {GRAM} words are "
        f"shared (between the creator's own works: {usual:.0%})"
    )
    verdict, headline, begin = _copying_verdict(longest, own_longest, limit, shared - usual)
    return Answer(
        verdict=verdict,
        headline=headline,
        sentence=f"{begin}: {figures}.",
        picture=picture(
            "Longest run of words taken from one work",
            {OURS: measures["longest_run_words"], "Between the creator's own works": measures["own_longest_run_words"]},
            unit="words",
            limit=limit,
            limit_label="a copy",
        ),
        measures=measures,
    )


def _copying_verdict(
    longest: int, own: int, limit: int, excess: float
) -> tuple[Literal["good", "fair", "poor"], str, str]:
    if longest >= limit or excess > SHARE_IS_HIGH:
        return "poor", "Copies: do not publish", "It copies"
    if longest > max(GRAM + 4, own) or excess > SHARE_IS_HIGH / 4:
        return "fair", "Repeats a little, does not copy", "It repeats a little"
    return "good", "Does not copy", "It does not copy"


def _shared(found: Sequence[Overlap], meaning: str) -> Measure:
    rows: Array = np.array([[o.shared_8grams, o.total_8grams] for o in found] or [[0, 0]], dtype=np.float64)
    return bootstrap(lambda w: w[..., 0].sum(-1) / np.maximum(1, w[..., 1].sum(-1)), rows, meaning=meaning)
