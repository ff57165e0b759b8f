"""Logistic regression with shrinkage, by Newton's method: small, exact, and the same on every machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEPS_MOST = 25
NEAR = 1e-4
"""Steps smaller than this end the search."""


def fit(rows: Array, ours: Array, weights: Array, penalty: float, begin: Array | None = None) -> Array:
    """Weights of the features and, last, the intercept, which is not shrunk.

    `rows` is (texts, features), `ours` is 1 or 0 a text, `weights` says how much each counts. The penalty is half of
    `penalty` times the sum of squares, as a normal prior about 0 would have it. The search begins where it is told to:
    near the answer it is shorter, and ends at the same one.
    """
    padded = np.hstack([rows, np.ones((len(rows), 1))])
    shrink = np.full(padded.shape[1], penalty)
    shrink[-1] = 1e-6
    centre = np.zeros(padded.shape[1])
    return _newton(padded, ours, weights, shrink, centre, centre if begin is None else begin)


def scale(margins: Array, ours: Array, weights: Array, usual: tuple[float, float], strength: float) -> Array:
    """(slope, intercept) that turn margins into log odds, shrunk towards the usual ones (Platt 1999)."""
    padded = np.stack([margins, np.ones_like(margins)], axis=1)
    return _newton(padded, ours, weights, np.full(2, strength), np.array(usual), np.array(usual))


def _newton(rows: Array, ours: Array, weights: Array, shrink: Array, centre: Array, begin: Array) -> Array:
    found, least = begin.copy(), _loss(rows, ours, weights, shrink, centre, begin)
    for _ in range(STEPS_MOST):
        sure = probability(rows @ found)
        slope = rows.T @ (weights * (sure - ours)) + shrink * (found - centre)
        curve = (rows.T * (weights * sure * (1 - sure))) @ rows + np.diag(shrink)
        step = np.linalg.solve(curve, slope)
        # Where everything is nearly certain the curve is flat and a whole step goes far too far.
        while (loss := _loss(rows, ours, weights, shrink, centre, found - step)) > least and np.abs(step).max() > NEAR:
            step /= 2
        if loss > least:
            break
        found, least = found - step, loss
        if np.abs(step).max() < NEAR:
            break
    return found


def _loss(rows: Array, ours: Array, weights: Array, shrink: Array, centre: Array, found: Array) -> float:
    odds = rows @ found
    missed = np.logaddexp(0, odds) - ours * odds
    return float(weights @ missed + (shrink * (found - centre) ** 2).sum() / 2)


def probability(odds: Array) -> Array:
    """Of log odds."""
    return 1 / (1 + np.exp(-np.clip(odds, -40, 40)))
