"""Figures with their uncertainty: bootstrap over works, and Wilson's interval for shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import Measure

RESAMPLES = 4_000
Array = NDArray[np.float64]


def bootstrap(
    figure: Callable[[Array], Array], per_work: Array, *, meaning: str, unit: str = "", seed: int = 0
) -> Measure:
    """A figure of many works with its 95 % percentile interval, widened as few works ask for.

    Efron 1979, https://doi.org/10.1214/aos/1176344552; Hesterberg 2015 on its expansion for small samples,
    https://doi.org/10.1080/00031305.2015.1089789. `per_work` is (works, quantities); `figure` maps
    (..., works, quantities) to (...). The same seed draws the same
    works for every figure, so that figures can be compared.
    """
    count = len(per_work)
    drawn = np.random.default_rng(seed).integers(0, count, size=(RESAMPLES, count))
    tail = _tail(count)
    low, high = np.percentile(figure(per_work[drawn]), [100 * tail, 100 * (1 - tail)])
    value = float(figure(per_work))
    return Measure(value=value, low=min(value, float(low)), high=max(value, float(high)), unit=unit, meaning=meaning)


def _tail(count: int) -> float:
    """The share to be cut off at each end: 2.5 % of many works, less of few, whose spread the resamples understate."""
    if count < 2:
        return 0.0
    z, free = 1.959964, count - 1
    # Student's quantile by the expansion of Cornish and Fisher: within 2 % from five works on.
    student = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return NormalDist().cdf(-math.sqrt(count / free) * student)


def share(hits: int, total: int, *, meaning: str) -> Measure:
    """Hits of total (at least 1) with Wilson's 95 % interval. Wilson 1927, https://doi.org/10.2307/2276774"""
    z, p = 1.96, hits / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return Measure(
        value=p, low=min(p, max(0.0, middle - half)), high=max(p, min(1.0, middle + half)), unit="", meaning=meaning
    )


def exact(value: float, *, meaning: str, unit: str = "") -> Measure:
    """A figure that was counted, not estimated."""
    return Measure(value=value, low=value, high=value, unit=unit, meaning=meaning)


def perplexity(column: int) -> Callable[[Array], Array]:
    """Perplexity from columns (tokens, nats, nats, …): exp of the nats a token over all works drawn."""
    return lambda works: np.exp(works[..., column].sum(-1) / works[..., 0].sum(-1))


def drop(before: int, after: int) -> Callable[[Array], Array]:
    """By which share of it perplexity is lower in column `after` than in column `before`."""
    return lambda works: 1 - perplexity(after)(works) / perplexity(before)(works)
