"""What can go wrong with the words of a piece, looked for in its boxes, its letters and its pixels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from atelier.workshop.engines.design.colour import linear, luminance
from atelier.workshop.engines.design.drawing import raster
from atelier.workshop.engines.design.layout.painting import _field
from atelier.workshop.engines.design.layout.words import Said
from atelier.workshop.engines.design.making import Made
from atelier.workshop.engines.design.outline import IDENTITY, box_of
from atelier.workshop.engines.design.scene import Group, Shape, walked
from atelier.workshop.engines.design.type.setting import placed

SIDE = 900
SLACK = 0.012
"""Parts of the shorter side by which an overhanging letter (an f, a swash) may pass its own box."""


def faults(made: Made) -> list[str]:
    """Everything that is wrong, in words; empty for a good piece."""
    return [*_missing(made), *_outside(made), *_crossing(made), *_cut(made), *_pale(made), *_run_through(made)]


def _parts(made: Made) -> list[Said]:
    return [part for group in made.plan.words for part in group.words.parts]


def _missing(made: Made) -> Iterator[str]:
    """Words of the brief that are not set, and letters without a glyph."""
    set_ = {part.role for part in _parts(made)}
    yield from (f"{role} is not there" for role in made.task.said if made.task.kind.fields and role not in set_)
    for part in _parts(made):
        said = "".join(line.text for line in part.block.lines).replace("\N{SOFT HYPHEN}", "")
        wanted = part.block.hand.said(made.task.said[part.role])
        if "".join(said.split()).replace("-", "") != "".join(wanted.split()).replace("-", ""):
            yield f"{part.role} says “{said}” instead of “{wanted}”"
        for letters in placed(part.block, part.box, part.align):
            if any(index == 0 for _, index, _, _ in letters.glyphs):
                yield f"{part.role} has a letter without a glyph"


def _outside(made: Made) -> Iterator[str]:
    sheet = made.plan.kind.sheet
    for part in _parts(made):
        if not sheet.holds(part.box, 0.5):
            yield f"{part.role} leaves the sheet"


def _crossing(made: Made) -> Iterator[str]:
    for one, other in itertools.combinations(_parts(made), 2):
        inside = one.box & other.box
        if inside is not None and min(inside.width, inside.height) > 0.5:
            yield f"{one.role} and {other.role} lie over each other"


def _letters(made: Made) -> Iterator[tuple[str, Shape]]:
    for layer in made.scene.items:
        if layer.name != "Words" or not isinstance(layer, Group):
            continue
        for part in layer.items:
            if isinstance(part, Group) and part.name != "Button":
                yield from ((part.name.lower(), shape) for shape, _, _ in walked(part, IDENTITY, 1.0))


def _cut(made: Made) -> Iterator[str]:
    """Letters that reach beyond the sheet."""
    sheet = made.plan.kind.sheet
    for role, shape in _letters(made):
        if len(shape.outline.points) and not sheet.holds(box_of(shape.outline.points), SLACK * made.plan.kind.side):
            yield f"{role} is cut off at the edge of the sheet"


def _run_through(made: Made) -> Iterator[str]:
    """Letters through which a line, a ring or a part of the art runs."""
    sheet = made.plan.kind.sheet
    size = (
        round(sheet.width * SIDE / max(sheet.width, sheet.height)),
        round(sheet.height * SIDE / max(sheet.width, sheet.height)),
    )
    lines = [_field(field) for field in made.plan.fields if field.form in ("line", "ring")]
    art = [item for item in made.scene.items if item.name == "Art"]
    drawn = raster(Group((*lines, *art)), sheet, *size)[..., 3] > 60
    for role, shape in _letters(made):
        ink = raster(shape, sheet, *size)[..., 3] > 128
        if ink.any() and float(drawn[ink].mean()) > 0.03:
            yield f"{role} stands in a line or on the art"


def _pale(made: Made) -> Iterator[str]:
    """Letters that are too little lighter or darker than the pixels behind them (WCAG 2.2, 1.4.3)."""
    sheet = made.plan.kind.sheet
    scale = SIDE / max(sheet.width, sheet.height)
    size = round(sheet.width * scale), round(sheet.height * scale)
    wordless = Group(
        tuple(
            Group(tuple(item for item in layer.items if not isinstance(item, Group) or item.name == "Button"))
            if layer.name == "Words" and isinstance(layer, Group)
            else layer
            for layer in made.scene.items
        )
    )
    light = linear(raster(wordless, sheet, *size, ground="#ffffff")[..., :3]) @ np.array([0.2126, 0.7152, 0.0722])
    for role, shape in _letters(made):
        ink = raster(shape, sheet, *size)[..., 3] > 128
        if not ink.any():
            continue
        assert isinstance(shape.fill, str)
        own, there = luminance(shape.fill), light[ink]
        contrast = (np.maximum(there, own) + 0.05) / (np.minimum(there, own) + 0.05)
        least = 3.0 if role == "headline" else 4.5
        if float((contrast < least - 0.1).mean()) > 0.03:
            yield f"{role} has a contrast of {np.percentile(contrast, 5):.1f}, and {least} is asked"
