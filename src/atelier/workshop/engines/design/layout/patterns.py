"""Patterns that repeat without a seam: what crosses an edge of the tile comes in again at the other side."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot

import numpy as np

from atelier.workshop.engines.design.learning.motifs import Motif
from atelier.workshop.engines.design.outline import Box

from .chance import one_of
from .hiding import told
from .kinds import Kind
from .plans import Art, Field, Habits, Plan
from .schemes import Scheme

WAYS = ("drop", "scatter", "bands", "checks")


def pattern(
    kind: Kind, scheme: Scheme, motifs: Sequence[Motif], habits: Habits, way: str, draw: np.random.Generator, seed: int
) -> Plan:
    """A tile. Every motif that crosses an edge stands in it as often as it is seen."""
    if not motifs:
        return Plan(kind, scheme, tuple(_forms(kind, scheme, habits, draw)), (), (), "forms", seed)
    motifs = told(motifs, scheme.ground)
    makers = {"drop": _drop, "scatter": _scatter, "bands": _bands, "checks": _checks}
    fields, arts = makers[way](kind, scheme, motifs, habits, draw)
    return Plan(kind, scheme, tuple(fields), tuple(arts), (), way, seed)


def _forms(kind: Kind, scheme: Scheme, habits: Habits, draw: np.random.Generator) -> list[Field]:
    """Plain forms in turn where there is no motif: discs of a round hand, squares of another."""
    count, rounded = one_of(draw, (4, 6)), draw.random() < habits.curved
    step, found = kind.width / count, []
    for column in range(count):
        for row in range(count):
            box = Box(column * step, row * step, (column + 1) * step, (row + 1) * step).grown(-step * 0.2)
            colour = (*scheme.fields, scheme.accent)[(column + 2 * row) % (len(scheme.fields) + 1)]
            found.append(Field(box, colour, "disc" if rounded else "sheet"))
    return found


def _wrapped(kind: Kind, motif: Motif, x: float, y: float, side: float, turn: float) -> list[Art]:
    """The motif, and once more at every edge that it crosses."""
    found = []
    reach = side * (0.5 if not turn else 0.72)
    for dx in (-kind.width, 0.0, kind.width):
        for dy in (-kind.height, 0.0, kind.height):
            left, top = x + dx, y + dy
            if -reach < left < kind.width + reach and -reach < top < kind.height + reach:
                box = Box(left - side / 2, top - side / 2, left + side / 2, top + side / 2)
                found.append(Art(motif, box, turn, clip=kind.sheet, role="small"))
    return found


def _dot(kind: Kind, x: float, y: float, radius: float, colour: str) -> list[Field]:
    found = []
    for dx in (-kind.width, 0.0, kind.width):
        for dy in (-kind.height, 0.0, kind.height):
            if -radius < x + dx < kind.width + radius and -radius < y + dy < kind.height + radius:
                found.append(
                    Field(Box(x + dx - radius, y + dy - radius, x + dx + radius, y + dy + radius), colour, "disc")
                )
    return found


def _drop(
    kind: Kind, scheme: Scheme, motifs: Sequence[Motif], habits: Habits, draw: np.random.Generator
) -> tuple[list[Field], list[Art]]:
    """Columns, each second one lower by half a step; small dots between where the hand is round."""
    count = one_of(draw, (4, 6))
    step, side = kind.width / count, kind.width / count * draw.uniform(0.6, 0.78)
    arts: list[Art] = []
    fields: list[Field] = []
    lean, dotted = draw.uniform(0, 16), draw.random() < habits.curved
    for column in range(count):
        for row in range(count):
            motif = motifs[(column + 2 * row) % len(motifs)]
            x, y = (column + 0.5) * step, (row + 0.5 + 0.5 * (column % 2)) * step
            arts += _wrapped(kind, motif, x, y % kind.height, side, one_of(draw, (-lean, lean)))
            if dotted:
                fields += _dot(
                    kind, column * step, (row + 0.5 * ((column + 1) % 2)) * step, step * 0.045, scheme.accent
                )
    return fields, arts


def _scatter(
    kind: Kind, scheme: Scheme, motifs: Sequence[Motif], habits: Habits, draw: np.random.Generator
) -> tuple[list[Field], list[Art]]:
    """Large ones, small ones and dots, by chance but never touching, edges included (dart throwing on a torus)."""
    placed: list[tuple[float, float, float]] = []
    arts: list[Art] = []
    fields: list[Field] = []
    sizes = ((0.27, 5), (0.17, 9), (0.11, 10), (0.03, 50))
    for share, count in sizes:
        side, found = share * kind.width, 0
        for _ in range(count * 40):
            x, y = draw.uniform(0, kind.width), draw.uniform(0, kind.height)
            if any(_apart(kind, x, y, a, b) < (side + size) * 0.53 for a, b, size in placed):
                continue
            placed.append((x, y, side))
            if share < 0.05:
                fields += _dot(kind, x, y, side * 0.3, scheme.accent)
            else:
                motif = motifs[int(draw.integers(len(motifs)))]
                arts += _wrapped(kind, motif, x, y, side, float(draw.normal(0, 15)))
            found += 1
            if found == count:
                break
    return fields, arts


def _apart(kind: Kind, x: float, y: float, a: float, b: float) -> float:
    """Distance on the torus."""
    dx, dy = abs(x - a), abs(y - b)
    return hypot(min(dx, kind.width - dx), min(dy, kind.height - dy))


def _bands(
    kind: Kind, scheme: Scheme, motifs: Sequence[Motif], habits: Habits, draw: np.random.Generator
) -> tuple[list[Field], list[Art]]:
    """Rows, each of one motif, every second one on a band of colour."""
    rows, count = one_of(draw, (4, 6)), one_of(draw, (5, 6, 8))
    high, step = kind.height / rows, kind.width / count
    fields: list[Field] = []
    arts: list[Art] = []
    for row in range(rows):
        shown = motifs
        if row % 2 == 0:
            colour = scheme.fields[(row // 2) % len(scheme.fields)]
            fields.append(Field(Box(0, row * high, kind.width, (row + 1) * high), colour))
            shown = told(motifs, colour)
        for column in range(count):
            x = (column + (0.5 if row % 2 else 0)) * step
            arts += _wrapped(kind, shown[row % len(shown)], x, (row + 0.5) * high, min(high, step) * 0.72, 0.0)
    return fields, arts


def _checks(
    kind: Kind, scheme: Scheme, motifs: Sequence[Motif], habits: Habits, draw: np.random.Generator
) -> tuple[list[Field], list[Art]]:
    """A chessboard in the ground and a field, a motif in each square or in every second one."""
    count = one_of(draw, (4, 6))
    step, every = kind.width / count, draw.random() < 0.6
    fields, arts = [], []
    for column in range(count):
        for row in range(count):
            dark = (column + row) % 2 == 1
            box = Box(column * step, row * step, (column + 1) * step, (row + 1) * step)
            if dark:
                fields.append(Field(box, scheme.fields[0]))
            if dark or every:
                shown = told(motifs, scheme.fields[0]) if dark else motifs
                motif = shown[(column + 3 * row) % len(shown)]
                arts.append(Art(motif, box.grown(-step * 0.14), role="small"))
    return fields, arts
