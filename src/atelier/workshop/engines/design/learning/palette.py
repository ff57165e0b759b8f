"""A creator's colours: how much of each, what for, and which stand together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.engines.design.colour import lab

from .looking import ROLES, Look

NEAR = 0.045
"""Colours nearer than this in OKLab are one of the palette."""
MOST = 24
LEAST = 0.002
"""A colour that has less of all that is seen is not of the palette."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Swatch:
    """One colour of a palette. `share` is of all that is seen; `roles` are parts of its own use and add up to one."""

    colour: str
    share: float
    works: int
    roles: dict[str, float]


@dataclass(frozen=True)
class Palette:
    """Colours, the most used first. `together[i][j]`: in which share of the works with colour i is j too."""

    swatches: tuple[Swatch, ...]
    together: tuple[tuple[float, ...], ...]

    @property
    def labs(self) -> Array:
        return np.array([lab(each.colour) for each in self.swatches])


def palette_of(looks: Sequence[Look]) -> Palette:
    """The palette over all works; each work counts the same, however large it is."""
    uses = [(number, colour, roles) for number, look in enumerate(looks) for colour, roles in look.colours.items()]
    if not uses:
        return Palette((), ())
    weights = np.array([sum(share for role, share in roles.items() if role != "ink") for _, _, roles in uses])
    labs = np.array([lab(colour) for _, colour, _ in uses])
    group = _grouped(labs, weights)
    count = group.max() + 1
    works = np.zeros((len(looks), count))
    roles = np.zeros((count, len(ROLES)))
    for (number, _, used), place, weight in zip(uses, group, weights, strict=True):
        works[number, place] += weight
        roles[place] += [used.get(role, 0.0) for role in ROLES]
    total = works.sum(0) / max(works.sum(), 1e-12)
    kept = [place for place in np.argsort(-total) if total[place] >= LEAST or roles[place][-1] > 0][:MOST]
    inside = works[:, kept] > 0.01
    together = (inside.T.astype(float) @ inside) / np.maximum(inside.sum(0)[:, None], 1)
    return Palette(
        tuple(
            Swatch(
                colour=_commonest([uses[n][1] for n in np.flatnonzero(group == place)], weights[group == place]),
                share=float(total[place]),
                works=int((works[:, place] > 0.01).sum()),
                roles={
                    role: float(value / roles[place].sum())
                    for role, value in zip(ROLES, roles[place], strict=True)
                    if roles[place].sum() > 0
                },
            )
            for place in kept
        ),
        tuple(tuple(float(each) for each in row) for row in together),
    )


def _grouped(labs: Array, weights: Array) -> NDArray[np.int64]:
    """Colours by the group of the heaviest near them: sure of its centres, and the same for the same works."""
    group = np.full(len(labs), -1)
    order = np.argsort(-_weight_near(labs, weights), kind="stable")
    centres: list[int] = []
    for place in order:
        if centres:
            away = np.linalg.norm(labs[centres] - labs[place], axis=1)
            nearest = int(away.argmin())
            if away[nearest] < NEAR:
                group[place] = nearest
                continue
        group[place] = len(centres)
        centres.append(int(place))
    return group


def _weight_near(labs: Array, weights: Array) -> Array:
    """How much weight lies near each colour."""
    found = np.empty(len(labs))
    for begin in range(0, len(labs), 512):
        away = np.linalg.norm(labs[begin : begin + 512, None] - labs[None], axis=2)
        found[begin : begin + 512] = (np.exp(-((away / NEAR) ** 2)) * weights).sum(1)
    return found


def _commonest(colours: Sequence[str], weights: Array) -> str:
    """The very colour that a creator uses most in a group, not one between."""
    totals: dict[str, float] = {}
    for colour, weight in zip(colours, weights, strict=True):
        totals[colour] = totals.get(colour, 0.0) + float(weight)
    return max(sorted(totals), key=lambda colour: totals[colour])
