"""Cuts a sheet into cells: straight cuts from edge to edge, at ratios that designers use, with a little chance."""

from __future__ import annotations

import numpy as np

from atelier.workshop.engines.design.outline import Box

from .chance import one_of

RATIOS = (1 / 2, 1 / 3, 2 / 3, 0.382, 0.618, 0.4, 0.6)


def cut(draw: np.random.Generator, sheet: Box, count: int) -> list[Box]:
    """So many cells, made by cutting the largest again and again."""
    cells = [sheet]
    while len(cells) < count:
        place = max(range(len(cells)), key=lambda n: cells[n].area * (0.6 + 0.8 * draw.random()))
        box = cells.pop(place)
        across = draw.random() < box.height / (box.width + box.height)
        ratio = min(0.78, max(0.22, one_of(draw, RATIOS) + draw.normal(0, 0.02)))
        cells[place:place] = _halves(box, ratio, across)
    return cells


def _halves(box: Box, ratio: float, across: bool) -> list[Box]:
    if across:
        at = box.top + ratio * box.height
        return [Box(box.left, box.top, box.right, at), Box(box.left, at, box.right, box.bottom)]
    at = box.left + ratio * box.width
    return [Box(box.left, box.top, at, box.bottom), Box(at, box.top, box.right, box.bottom)]


def around(room: Box, box: Box, gap: float) -> list[Box]:
    """The four largest rooms beside a box within a room, the largest first; those without any extent are left out."""
    found = [
        Box(room.left, room.top, room.right, min(room.bottom, box.top - gap)) if box.top - gap > room.top else None,
        Box(room.left, max(room.top, box.bottom + gap), room.right, room.bottom)
        if box.bottom + gap < room.bottom
        else None,
        Box(room.left, room.top, min(room.right, box.left - gap), room.bottom) if box.left - gap > room.left else None,
        Box(max(room.left, box.right + gap), room.top, room.right, room.bottom)
        if box.right + gap < room.right
        else None,
    ]
    return sorted((each for each in found if each is not None), key=lambda each: -each.area)


def fits(shape: float, room: Box) -> float:
    """The area that something of this shape (width by height) takes in a room."""
    wide = min(room.width, room.height * shape)
    return wide * wide / max(shape, 1e-9)
