"""Finds layouts: candidates are drawn by chance from the grammar, and those of least energy are kept.

Energy is a weighted sum of features of what came out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from atelier.workshop.engines.design.colour import distance

from .energy import measured
from .grammar import drawn
from .plans import Habits, Plan
from .sketch import Task


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
    return Found(plan, sum(weight * plan.features.get(name, 0.0) for name, weight in weights.items()))


def alike(one: Found, other: Found) -> float:
    """1.8 for the same arrangement in the same colours of the same motif, 0 for nothing in common."""
    a, b = one.plan, other.plan
    layout = 1 - a.grid.apart(b.grid) / 0.8
    same = (a.way == b.way) * 0.4 + (distance(a.scheme.ground, b.scheme.ground) < 0.1) * 0.4
    hero = bool(a.arts and b.arts and a.arts[0].motif is b.arts[0].motif) * 0.2
    return max(0.0, layout) + same + hero
