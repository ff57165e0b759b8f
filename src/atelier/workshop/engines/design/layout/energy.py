"""How good a layout is: features that are zero at best, each with its reason, and weights that picks can change."""

from __future__ import annotations

from math import log

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
_NO_MANNERS = {f"way:{way}": 0.0 for way in MANNERS}
BOUNDS = ("crossing", "covered", "outside", "small", "touching")
"""Features that are mistakes; nobody's taste changes what they weigh."""


def measured(plan: Plan, habits: Habits) -> dict[str, float]:
    """The features of a plan."""
    boxes = [part.box for group in plan.words for part in group.words.parts]
    around = [box.grown(0.01 * plan.kind.side) for box in boxes]
    inner = plan.kind.sheet.grown(-0.5 * plan.kind.margin * plan.kind.side)
    grid = plan.grid
    heroes = [art for art in plan.arts if art.role == "hero"]
    return {
        "small": _small(plan),
        "crossing": sum(max(0.0, art.under(box) - 0.002) for art in plan.arts for box in around),
        "covered": _covered(plan, boxes),
        "lost": sum(_lost(plan, art.box, art.motif.colours) for art in heroes) / max(1, len(heroes)),
        "empty": max(0.0, grid.empty - (0.75 - 0.3 * habits.cover)),
        "crowded": max(0.0, grid.busy - 0.85),
        "symmetry": abs(grid.symmetry - habits.symmetry),
        "balance": _balance(grid.middle),
        "edges": _edges(boxes, plan.kind.side),
        "art": _art(plan, heroes, habits),
        "scheme": max(0.0, 1.2 - plan.scheme.worth),
        "outside": sum(not inner.holds(box) for box in boxes),
        "touching": _touching(plan),
        **manners(plan),
    }


def manners(plan: Plan) -> dict[str, float]:
    """What can be liked or not without being better or worse: only what people pick gives it a weight."""
    light = float(lab(plan.scheme.ground)[0])
    sheet = plan.kind.sheet
    shown = sum(inside.area for art in plan.arts if (inside := art.box & sheet)) / sheet.area
    return {
        **_NO_MANNERS,
        **({f"way:{plan.way}": 1.0} if plan.way in MANNERS else {}),
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
    fields = [field for field in plan.fields if field.form != "line"]
    for group in plan.words:
        for part in group.words.parts:
            for field in fields:
                inside = field.box & part.box
                if inside is None:
                    continue
                if not field.box.holds(part.box, 1.0):
                    found += 0.1 + inside.area / part.box.area
                elif field.colour != group.behind and field.box.area < part.box.area * 40:
                    found += inside.area / part.box.area
    for number, box in enumerate(boxes):
        for other in boxes[number + 1 :]:
            found += box.meets(other)
    return found


def _lost(plan: Plan, box: Box, colours: tuple[tuple[str, float], ...]) -> float:
    """How much of the subject has the colour of what is right behind it."""
    middle = Box(*box.middle, box.middle[0] + 1e-3, box.middle[1] + 1e-3)
    behind = next(
        (f.colour for f in reversed(plan.fields) if f.form != "line" and f.box.holds(middle)), plan.scheme.ground
    )
    return hidden(colours, behind)


def _balance(middle: tuple[float, float]) -> float:
    """How far the middle of what is there lies from the middle of the sheet, sideways counted double."""
    return 2 * abs(middle[0] - 0.5) + abs(middle[1] - 0.5)


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
