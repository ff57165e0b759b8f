"""The things that a drawing is made of, apart from the sheet that they stand on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from atelier.workshop.engines.design.outline import IDENTITY
from atelier.workshop.engines.design.scene import Colour, Group, Item, Shape

if TYPE_CHECKING:
    from atelier.workshop.engines.design.reading.svg import Read

WORDLESS = re.compile(r"^(?:g|path|rect|svg|layer|ebene|calque|capa|group|use|symbol|image|text|circle|ellipse|polygon|"
                       r"surface|shape|object|id|xml|_)?[-_ .]*[0-9a-f.\-_ ]*$", re.IGNORECASE)  # fmt: skip
"""Names that drawing programs give by themselves."""


def flat(group: Group, depth: int = 0) -> Iterator[Item]:
    """The things of a drawing: groups that only move things are opened, so that what lies apart can be told apart."""
    for item in group.items:
        if isinstance(item, Group) and item.clip is None and item.opacity >= 1 and depth < 12 and len(item.items) > 0:
            for inner in flat(item, depth + 1):
                yield _moved(inner, item)
        else:
            yield item


def _moved(inner: Item, outer: Group) -> Item:
    name = inner.name if not WORDLESS.match(inner.name) else outer.name
    if outer.matrix == IDENTITY:
        return replace(inner, name=name)
    return replace(inner, matrix=outer.matrix @ inner.matrix, name=name)


def without_ground(read: Read) -> tuple[list[Item], Colour | None]:
    """The things of a drawing but the sheets that lie behind everything, and the colour of the last of these."""
    items, canvas, ground = list(flat(read.scene.root)), read.scene.canvas, None
    whole = read.scene.root.box
    while len(items) > 1 and isinstance(items[0], Shape):
        first = items[0]
        covered = first.box & canvas
        behind = (covered is not None and covered.area > 0.92 * canvas.area) or first.box.area > 0.97 * whole.area
        if not (behind and boxlike(first) and first.fill is not None):
            break
        ground = first.fill if isinstance(first.fill, str) else first.fill.middling
        items = items[1:]
    return items, ground


def boxlike(shape: Shape) -> bool:
    """Whether an outline is about as large as its box: a sheet behind things, not a dark form around them."""
    ends = shape.outline.points
    x, y = ends[:, 0], ends[:, 1]
    area = abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())) / 2
    return len(ends) <= 24 and area > 0.9 * shape.outline.box.area
