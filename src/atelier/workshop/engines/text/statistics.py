"""Figures with their uncertainty: bootstrap over works, and Wilson's interval for shares."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import Measure

RESAMPLES = 4_000
Array = NDArray[np.float64]


def bootstrap(
    figure: Callable[[Array], Array], per_work: Array, *, meaning: str, unit: str = "", seed: int = 0
) -> Measure:
    """A figure of many works with its 95 % percentile interval. Efron 1979, https://doi.org/10.1214/aos/1176344552

    `per_work` is (works, quantities); `figure` maps (..., works, quantities) to (...). The same seed draws the same
    works for every figure, so that figures can be compared.
    """
    count = len(per_work)
    drawn = np.random.default_rng(seed).integers(0, count, size=(RESAMPLES, count))
    low, high = np.percentile(figure(per_work[drawn]), [2.5, 97.5])
    value = float(figure(per_work))
    return Measure(value=value, low=min(value, float(low)), high=max(value, float(high)), unit=unit, meaning=meaning)


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
