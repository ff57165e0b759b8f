"""Finds layouts: candidates are drawn by chance from the grammar, and those of least energy are kept.

Energy is a weighted sum of features of what came out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.engines.design.colour import distance

from .energy import measured
from .grammar import drawn
from .plans import Habits, Plan
from .sketch import Task

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """A plan and its energy."""

    plan: Plan
    energy: float


def search(task: Task, seed: int, tries: int, weights: Mapping[str, float]) -> list[Found]:
    """Candidates by energy, the least first. Same task and seed, same candidates."""
    found = []
    for number in range(tries):
        plan = drawn(task, seed, number)
        if plan is not None:
            found.append(rated(plan, task.habits, weights))
    return sorted(found, key=lambda each: each.energy)


def rated(plan: Plan, habits: Habits, weights: Mapping[str, float]) -> Found:
    """A plan with its features and the energy that these weights give it; a feature without a weight weighs nothing."""
    plan = replace(plan, features=measured(plan, habits))
    return Found(plan, sum(weights.get(name, 0.0) * value for name, value in plan.features.items()))


def alike(one: Found, other: Found) -> float:
    """1.8 for the same arrangement in the same colours of the same motif, 0 for nothing in common."""
    return _alike(one.plan.occupancy(), other.plan.occupancy(), one, other)


def _alike(one: Array, other: Array, a: Found, b: Found) -> float:
    """1 for the same arrangement in the same colours, 0 for nothing in common."""
    layout = 1 - float(np.abs(one - other).mean()) / 0.8
    same = (a.plan.way == b.plan.way) * 0.4 + (distance(a.plan.scheme.ground, b.plan.scheme.ground) < 0.1) * 0.4
    hero = bool(a.plan.arts and b.plan.arts and a.plan.arts[0].motif is b.plan.arts[0].motif) * 0.2
    return max(0.0, layout) + same + hero
