"""How good a layout is: features that are zero at best, each with its reason, and weights that picks can change."""

from __future__ import annotations

from math import log

import numpy as np

from atelier.workshop.engines.design.colour import chroma, lab
from atelier.workshop.engines.design.outline import Box

from .hiding import hidden
from .plans import Habits, Plan

WEIGHTS = {
    "small": 2.2, "crossing": 12.0, "covered": 6.0, "lost": 2.0, "empty": 1.4, "crowded": 1.6, "symmetry": 1.2,
    "balance": 0.7, "edges": 0.5, "art": 1.6, "scheme": 0.5, "outside": 8.0, "touching": 1.2,
}  # fmt: skip
"""Set by looking at contact sheets; a creator's own are learned from what clients pick."""
MANNERS = (
    "cut",
    "open",
    "framed",
    "plain",
    "bare",
    "above",
    "beside",
    "tile",
    "stamp",
    "drop",
    "scatter",
    "bands",
    "checks",
)
"""Ways of arranging a sheet, a logo and a pattern that somebody may like better than others."""
BOUNDS = ("crossing", "covered", "outside", "small", "touching")
"""Features that are mistakes; nobody's taste changes what they weigh."""


def measured(plan: Plan, habits: Habits) -> dict[str, float]:
    """The features of a plan."""
    boxes = [part.box for group in plan.words for part in group.words.parts]
    sheet = plan.kind.sheet
    occupied = plan.occupancy()
    heroes = [art for art in plan.arts if art.role == "hero"]
    return {
        "small": _small(plan),
        "crossing": sum(
            max(0.0, art.under(box.grown(0.01 * plan.kind.side)) - 0.002) for art in plan.arts for box in boxes
        ),
        "covered": _covered(plan, boxes),
        "lost": float(np.mean([_lost(plan, art.box, art.motif.colours) for art in heroes])) if heroes else 0.0,
        "empty": max(0.0, float((occupied == 0).mean()) - (0.75 - 0.3 * habits.cover)),
        "crowded": max(0.0, float((occupied > 0.9).mean()) - 0.85),
        "symmetry": abs(_symmetry(occupied) - habits.symmetry),
        "balance": _balance(occupied),
        "edges": _edges(boxes, plan.kind.side),
        "art": _art(plan, heroes, habits),
        "scheme": max(0.0, 1.2 - plan.scheme.worth),
        "outside": sum(not sheet.grown(-0.5 * plan.kind.margin * plan.kind.side).holds(box) for box in boxes),
        "touching": _touching(plan),
        **manners(plan),
    }


def manners(plan: Plan) -> dict[str, float]:
    """What can be liked or not without being better or worse: only what people pick gives it a weight."""
    light = float(lab(plan.scheme.ground)[0])
    shown = sum(((art.box & plan.kind.sheet) or Box(0, 0, 0, 0)).area for art in plan.arts) / plan.kind.sheet.area
    return {
        **{f"way:{way}": float(plan.way == way) for way in MANNERS},
        "ground:light": float(light > 0.85),
        "ground:dark": float(light < 0.42),
        "align:middle": float(plan.align == "middle"),
        "colours": len({plan.scheme.ground, *(each.colour for each in plan.fields)}) / 4,
        "parts": min(2.0, (len(plan.arts) + len(plan.fields)) / 8),
        "shown": min(1.5, shown),
        "loud": chroma(plan.scheme.ground) * 4,
    }


def _small(plan: Plan) -> float:
    """How far the headline is below what the kind wants."""
    size = max((group.words.headline for group in plan.words), default=0.0)
    if not size:
        return 0.0
    return abs(min(0.0, log(size / (plan.kind.headline * plan.kind.side))))


def _covered(plan: Plan, boxes: list[Box]) -> float:
    """Words that lie partly on one field and partly on another: their ink cannot suit both."""
    found = 0.0
    for group in plan.words:
        for part in group.words.parts:
            for field in plan.fields:
                inside = field.box & part.box
                if inside is None or field.box.holds(part.box, 1.0) or field.form == "line":
                    continue
                found += 0.1 + inside.area / part.box.area
            found += sum(
                ((field.box & part.box) or Box(0, 0, 0, 0)).area / part.box.area
                for field in plan.fields
                if field.form != "line"
                and field.colour != group.behind
                and field.box.area < part.box.area * 40
                and field.box.holds(part.box, 1.0)
            )
    for number, box in enumerate(boxes):
        for other in boxes[number + 1 :]:
            if box & other:
                found += 1.0
    return found


def _lost(plan: Plan, box: Box, colours: tuple[tuple[str, float], ...]) -> float:
    """How much of the subject has the colour of what is right behind it."""
    middle = Box(*box.middle, box.middle[0] + 1e-3, box.middle[1] + 1e-3)
    behind = next(
        (f.colour for f in reversed(plan.fields) if f.form != "line" and f.box.holds(middle)), plan.scheme.ground
    )
    return hidden(colours, behind)


def _symmetry(occupied: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    return 1 - float(np.abs(occupied - occupied[:, ::-1]).mean()) / max(float(occupied.mean()) * 2, 1e-9)


def _balance(occupied: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    """How far the middle of what is there lies from the middle of the sheet, sideways counted double."""
    weight = occupied.sum()
    if not weight:
        return 0.0
    rows, columns = np.indices(occupied.shape)
    size = occupied.shape[0] - 1
    across = abs(float((columns * occupied).sum() / weight) / size - 0.5)
    down = abs(float((rows * occupied).sum() / weight) / size - 0.5)
    return 2 * across + down


def _edges(boxes: list[Box], side: float) -> float:
    """How many different left edges and middles the words have, beyond one."""
    if len(boxes) < 2:
        return 0.0
    lefts = {round(box.left / (0.015 * side)) for box in boxes}
    middles = {round(box.middle[0] / (0.015 * side)) for box in boxes}
    return (min(len(lefts), len(middles)) - 1) * 0.5


def _art(plan: Plan, heroes: list, habits: Habits) -> float:  # type: ignore[type-arg]
    """How far the subject is from the size that shows it."""
    if not heroes:
        return 0.0
    sheet = plan.kind.sheet
    share = max((((art.box & sheet) or Box(0, 0, 0, 0)).area / sheet.area) for art in heroes)
    wanted = 0.12 + 0.45 * habits.cover
    away = log(max(share, 1e-3) / wanted)
    return abs(away) if away < 0 else 0.4 * away


def _touching(plan: Plan) -> float:
    """Art of one rank that lies over other art."""
    large = [art.box for art in plan.arts if art.role != "small"][:12]
    found = 0.0
    for number, box in enumerate(large):
        for other in large[number + 1 :]:
            inside = box & other
            if inside is not None:
                found += inside.area / min(box.area, other.area)
    return found
