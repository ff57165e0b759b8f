"""Tells this creator's manner from other writers' and from the base's own, and how surely it can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import Measure

from .background import Background, background
from .logistic import fit, probability, scale

Array = NDArray[np.float64]
PENALTY = 15.0
"""How strongly weights shrink."""
FOLDS = 5
USUAL = (1.0, 0.0)
"""Slope and intercept from margin to log odds where a creator's own works say nothing."""
TRUST = 2.0
"""How many works' worth the usual slope and intercept count."""
AGAIN = 0.5
"""What is added to the log odds, for the judge that is asked learned from all works and the ones that set slope and
intercept from four fifths: without it, texts with a chance of 0.45 were the creator's in 59 of 100 cases
(`benchmarks/proof.py`, 58 writers)."""
RESAMPLES = 1000


@dataclass(frozen=True)
class StyleJudge:
    """Knows one creator's manner. `separation` says how well it tells works of theirs that it did not learn from.

    `separation` is the mean of `from_others` and `from_base`: the chance that of one work of the creator's and one text
    of the other side the judge prefers the work (area under the curve; 0.5 is guessing). Without texts of the base,
    `from_base` is None.
    """

    others: Background
    weights: Array
    slope: float
    intercept: float
    separation: Measure
    from_others: Measure
    from_base: Measure | None

    @classmethod
    def learn(
        cls, own: Sequence[str], base: Sequence[str], *, language: str, seed: int, others: Background | None = None
    ) -> StyleJudge:
        """Learn from a creator's works (8 will do), and texts of the base for the same briefs, against other writers.

        The others are those of the language unless some are given. The same texts and seed give the same judge.
        Errors: ValueError when there are fewer than two works.
        """
        if len(own) < 2:
            raise ValueError("A manner cannot be told from fewer than two works.")
        known = others or background(language)
        sides = _Sides(known, known.place(own), known.place(base))
        weights = sides.fitted([np.ones(len(rows), dtype=bool) for rows in sides.given])
        held = sides.held_out(seed, weights)
        slope, intercept = scale(*_stacked(held, sides.given), usual=USUAL, strength=TRUST)
        from_others, from_base, both = _separations(held, seed)
        return cls(known, weights, float(slope), float(intercept) + AGAIN, both, from_others, from_base)

    def probabilities(self, texts: Sequence[str]) -> Array:
        """For each text, the probability that it is this creator's, if as many are theirs as are not."""
        rows = self.others.place(texts)
        return probability(self.slope * _margins(rows, self.weights) + self.intercept)


@dataclass(frozen=True)
class _Sides:
    """The rows to tell apart: the creator's, the base's, the other writers'."""

    known: Background
    own: Array
    base: Array

    @property
    def given(self) -> tuple[Array, Array, Array]:
        return self.own, self.base, self.known.rows

    def fitted(self, kept: Sequence[NDArray[np.bool_]], begin: Array | None = None) -> Array:
        """Weights learned from the rows kept of each side; half of the evidence is the creator's. `begin`: weights that
        are near them."""
        rows = np.concatenate([side[chosen] for side, chosen in zip(self.given, kept, strict=True)])
        counts = [int(chosen.sum()) for chosen in kept]
        shares = _shares(counts)
        ours = np.repeat([1.0, 0.0, 0.0], counts)
        return fit(rows, ours, 2 * counts[0] * np.repeat(shares, counts), PENALTY, begin)

    def held_out(self, seed: int, begin: Array) -> tuple[Array, Array, Array]:
        """The margin of every row by weights that never saw it, nor any text of its writer's."""
        margins = tuple(np.zeros(len(side)) for side in self.given)
        for chosen in self._folds(seed):
            weights = self.fitted([~out for out in chosen], begin)
            for margin, side, out in zip(margins, self.given, chosen, strict=True):
                margin[out] = _margins(side[out], weights)
        own, base, others = margins
        return own, base, others

    def _folds(self, seed: int) -> Iterator[list[NDArray[np.bool_]]]:
        drawn = np.random.default_rng(seed)
        names = np.unique(self.known.writers)
        by_writer = dict(zip(names.tolist(), drawn.permutation(len(names)) % FOLDS, strict=True))
        places = [
            drawn.permutation(len(self.own)) % FOLDS,
            drawn.permutation(len(self.base)) % FOLDS,
            np.array([by_writer[int(writer)] for writer in self.known.writers]),
        ]
        for fold in range(min(FOLDS, len(self.own))):
            yield [place == fold for place in places]


def _shares(counts: Sequence[int]) -> list[float]:
    """How much a text of each side counts: the creator's side as much as both others, and these alike."""
    own, base, others = counts
    if not base:
        return [0.5 / own, 0.0, 0.5 / others]
    return [0.5 / own, 0.25 / base, 0.25 / others]


def _margins(rows: Array, weights: Array) -> Array:
    margins: Array = rows @ weights[:-1] + weights[-1]
    return margins


def _stacked(held: tuple[Array, Array, Array], given: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
    counts = [len(side) for side in given]
    weights = 2 * counts[0] * np.repeat(_shares(counts), counts)
    return np.concatenate(held), np.repeat([1.0, 0.0, 0.0], counts), weights


# How well it tells ----------------------------------------------------------------------------------------------


def _separations(held: tuple[Array, Array, Array], seed: int) -> tuple[Measure, Measure | None, Measure]:
    own, base, others = held
    drawn = np.random.default_rng(seed)
    rounds = [[drawn.choice(side, len(side)) for side in held] for _ in range(RESAMPLES)]
    against_others = np.array([area(mine, theirs) for mine, _, theirs in rounds])
    meaning = "Chance that the judge prefers a work of the creator's to a text of "
    first = _measure(area(own, others), against_others, meaning + "another writer's")
    if not len(base):
        return first, None, first
    against_base = np.array([area(mine, theirs) for mine, theirs, _ in rounds])
    second = _measure(area(own, base), against_base, meaning + "the base's")
    mean = (first.value + second.value) / 2
    both = _measure(mean, (against_others + against_base) / 2, meaning + "another writer's or the base's")
    return first, second, both


def area(ours: Array, theirs: Array) -> float:
    """Area under the curve: the share of pairs in which ours is greater, ties counting half (Mann and Whitney 1947)."""
    ordered = np.sort(theirs)
    below, upto = np.searchsorted(ordered, ours, "left"), np.searchsorted(ordered, ours, "right")
    return float((below + upto).mean() / 2 / len(theirs))


def _measure(value: float, resampled: Array, meaning: str) -> Measure:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Measure(value=value, low=min(value, float(low)), high=max(value, float(high)), meaning=meaning)
