"""What clients pick teaches the ranking of layouts: a logistic model of choices (Bradley and Terry 1952; Luce 1959).

An arrangement's energy is linear in its features, and the lower is picked. Small changes of the weights are found
that make the picks likely; with few picks they stay near to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atelier.workshop.contract import Pick

from .layout.energy import BOUNDS, WEIGHTS

PRIOR = 4.0
"""How sure it is, in picks, that nobody has a taste: the strength of the ridge."""
MOST = 1.5
"""No weight is changed by more."""
STEPS = 30
PICKS = 5_000


def prefer(picks: Sequence[Pick]) -> dict[str, float]:
    """Changes of the weights by feature, from the latest picks; {} for none. Errors of layout never become liked."""
    latest = [pick for pick in picks[-PICKS:] if pick.chosen and pick.others]
    names = sorted({name for pick in latest for name in pick.chosen if name not in BOUNDS})
    if not names:
        return {}
    # A row for each that was not chosen, by how much it differs from the one that was; those of one pick together.
    rows = np.array(
        [[_value(one, name) - _value(pick.chosen, name) for name in names] for pick in latest for one in pick.others]
    )
    counts = [len(pick.others) for pick in latest]
    begins = np.cumsum([0, *counts[:-1]])
    weights = np.zeros(len(names))
    for _ in range(STEPS):  # Newton's method on a concave likelihood
        odds = np.exp(-(rows @ weights))
        shares = odds / np.repeat(1 + np.add.reduceat(odds, begins), counts)
        shared = rows * shares[:, None]
        means = np.add.reduceat(shared, begins)
        slope = means.sum(0) - PRIOR * weights
        bend = PRIOR * np.eye(len(names)) + shared.T @ rows - means.T @ means
        step = np.linalg.solve(bend, slope)
        weights += step
        if float(np.abs(step).max()) < 1e-6:
            break
    kept = np.clip(weights, -MOST, MOST)
    lowest = np.array([-0.8 * WEIGHTS.get(name, MOST / 0.8) for name in names])  # good layout stays good
    return {
        name: round(float(max(value, low)), 4) for name, value, low in zip(names, kept, lowest, strict=True) if value
    }


def _value(features: dict[str, float], name: str) -> float:
    return min(10.0, max(-10.0, float(features.get(name, 0.0))))
