"""The parts of a creator's works that can stand for themselves: whole drawings, and things that lie apart in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.engines.design.drawing import raster
from atelier.workshop.engines.design.outline import Box, union
from atelier.workshop.engines.design.scene import Colour, Group, Item, Picture, Shape

from .parts import WORDLESS, without_ground

if TYPE_CHECKING:
    from atelier.workshop.engines.design.reading.svg import Read

SIDE = 96
LEAST_SHARE = 0.04
"""A part whose side is less than this of the work's is a detail, not a motif."""
MOST_PARTS = 24
LEAST_POINTS = 24
"""A disc has seventeen: what has few points is nobody's form."""
LEAST_COVER = 0.02
"""What covers less of its own box is a stray line."""


@dataclass(frozen=True, eq=False)
class Motif:
    """A part that can be placed. `words` are what its author calls it; `named` whether they are about this very part.

    `name` is made of its work and its place there: it is the same in every style that holds the part. `colours` are
    visible shares, largest first; `cover` is how much of its box it fills; `work` names its source.
    """

    item: Item
    box: Box
    work: str
    words: tuple[str, ...]
    named: bool
    whole: bool
    colours: tuple[tuple[Colour, float], ...] = ()
    cover: float = 0.0
    weight: float = 0.0
    """Points of its outlines: how much it costs to draw and to read."""
    ground: Colour | None = None
    """What it stood on in the work."""
    mask: NDArray[np.bool_] | None = field(default=None, repr=False)
    name: str = ""

    @property
    def shape(self) -> float:
        """Width by height."""
        return self.box.width / max(self.box.height, 1e-9)


def motifs_of(read: Read, work: str, words: Sequence[str]) -> list[Motif]:
    """The motifs of one work: itself without its ground, and, where it is a collection of things, each of them."""
    items, ground = without_ground(read)
    if not items:
        return []
    parts = _apart(items)
    own = tuple(dict.fromkeys(filter(None, (" ".join(each.lower().split()) for each in words))))
    found = []
    whole = looked_at(Group(tuple(items)), work=work, words=own, named=True, whole=True, ground=ground)
    if whole is not None:
        found.append(whole)
    if whole is not None and 1 < len(parts) <= MOST_PARTS:
        found += _parts(parts, whole, own, ground)
    return found


def _parts(parts: Sequence[list[Item]], whole: Motif, own: tuple[str, ...], ground: Colour | None) -> list[Motif]:
    """Those of the parts that could stand alone: neither details, nor stray lines, nor empty frames, each once."""
    side = max(whole.box.width, whole.box.height)
    found: list[Motif] = []
    for part in parts:
        box = union(item.box for item in part)
        if box is None or max(box.width, box.height) < LEAST_SHARE * side or min(box.width, box.height) < 0.01 * side:
            continue
        called = _called(part)
        made = looked_at(
            Group(tuple(part)), work=whole.work, words=called or own, named=bool(called), whole=False, ground=ground
        )
        if made is None or not 0.2 < made.shape < 5 or made.cover < 0.1 or made.weight < LEAST_POINTS or _frame(made):
            continue
        if made.box.area * made.cover > 0.03 * whole.box.area * whole.cover and not any(_same(made, x) for x in found):
            found.append(made)
    return found if len(found) > 1 else []


def _frame(motif: Motif) -> bool:
    """Whether there is nothing in its middle but something on all four sides of it."""
    mask = motif.mask
    if mask is None or min(mask.shape) < 8:
        return False
    high, wide = mask.shape
    middle = mask[high // 4 : -high // 4, wide // 4 : -wide // 4]
    sides = (mask[: high // 4], mask[-high // 4 :], mask[:, : wide // 4], mask[:, -wide // 4 :])
    return float(middle.mean()) < 0.02 and all(each.any(0).mean() > 0.9 or each.any(1).mean() > 0.9 for each in sides)


def _same(one: Motif, other: Motif) -> bool:
    """Whether two parts look the same but for where they stand."""
    if one.mask is None or other.mask is None or abs(np.log(one.shape / other.shape)) > 0.08:
        return False
    a, b = (_small(motif.mask) for motif in (one, other) if motif.mask is not None)
    colours = {colour for colour, _ in one.colours[:2]} == {colour for colour, _ in other.colours[:2]}
    return colours and float(np.abs(a - b).mean()) < 0.06


def _small(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    rows = np.linspace(0, mask.shape[0] - 1, 24).astype(int)
    columns = np.linspace(0, mask.shape[1] - 1, 24).astype(int)
    return np.asarray(mask[np.ix_(rows, columns)].astype(float))


def _apart(items: Sequence[Item]) -> list[list[Item]]:
    """Items by what touches what: boxes that meet belong together."""
    boxes = [item.box for item in items]
    side = max((max(box.width, box.height) for box in boxes), default=0.0)
    parent = list(range(len(items)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    order = sorted(range(len(items)), key=lambda place: boxes[place].left)
    open_: list[int] = []
    for place in order:
        box = boxes[place].grown(0.004 * side)
        open_ = [other for other in open_ if boxes[other].right >= box.left]
        for other in open_:
            if boxes[other].top <= box.bottom and boxes[other].bottom >= box.top:
                parent[root(other)] = root(place)
        open_.append(place)
    found: dict[int, list[Item]] = {}
    for place, item in enumerate(items):
        found.setdefault(root(place), []).append(item)
    return list(found.values())


def _called(part: Sequence[Item]) -> tuple[str, ...]:
    """What the layers of a part are called, where that is a word and not a program's number."""
    names = (re.sub(r"[-_0-9]+", " ", item.name).strip().lower() for item in part if not WORDLESS.match(item.name))
    return tuple(dict.fromkeys(name for name in names if len(name) > 2))[:4]


def looked_at(
    item: Item, *, work: str, words: tuple[str, ...], named: bool, whole: bool, ground: Colour | None
) -> Motif | None:
    """A motif with all that is seen of it; None where there is nothing to see."""
    box = item.box
    if box.width <= 0 or box.height <= 0:
        return None
    scale = SIDE / max(box.width, box.height)
    size = max(4, round(box.width * scale)), max(4, round(box.height * scale))
    pixels = raster(item, box, *size)
    ink = pixels[..., 3] > 100
    cover = float(ink.mean())
    if cover < LEAST_COVER:
        return None
    inner = _inner(ink)
    trimmed = _trimmed(ink.shape, inner, box)
    return Motif(
        item=item,
        box=trimmed,
        work=work,
        words=words,
        named=named,
        whole=whole,
        colours=_colours(pixels),
        cover=cover * box.area / max(trimmed.area, 1e-12),
        weight=float(_points(item)),
        ground=ground,
        mask=ink[inner],
    )


def _inner(ink: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and columns between the first and the last in which there is something."""
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _trimmed(size: tuple[int, ...], inner: tuple[slice, slice], box: Box) -> Box:
    """The box of what can be seen: clips and things without colour do not count."""
    (high, wide), (rows, columns) = size, inner
    return Box(
        box.left + box.width * columns.start / wide,
        box.top + box.height * rows.start / high,
        box.left + box.width * columns.stop / wide,
        box.top + box.height * rows.stop / high,
    )


def _colours(pixels: NDArray[np.uint8]) -> tuple[tuple[Colour, float], ...]:
    seen = pixels[pixels[..., 3] > 200][:, :3]
    if not len(seen):
        seen = pixels[pixels[..., 3] > 60][:, :3]
    _, place, counts = np.unique(
        (seen // 24).astype(np.int32) @ np.array([121, 11, 1], np.int32), return_inverse=True, return_counts=True
    )
    found = []
    for number in np.argsort(-counts)[:8]:
        inside = seen[place == number]
        red, green, blue = (int(each) for each in np.median(inside, axis=0))
        share = float(counts[number] / counts.sum())
        if share > 0.02:
            found.append((f"#{red:02x}{green:02x}{blue:02x}", share))
    return tuple(found)


def _points(item: Item) -> int:
    if isinstance(item, Shape):
        return len(item.outline.points)
    return 200 if isinstance(item, Picture) else sum(_points(each) for each in item.items)
