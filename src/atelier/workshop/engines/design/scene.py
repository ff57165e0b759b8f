"""What a drawing is once it has been read: shapes, pictures and groups, with nothing in them that could act.

A scene is all that the rest of the engine sees of an uploaded file, and all that it writes. Lengths are in units of
the scene's own box; colours are sRGB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from .outline import IDENTITY, Box, Matrix, Outline, union

Colour = str
"""#rrggbb in lower case."""


@dataclass(frozen=True)
class Stop:
    """One colour of a gradient. `at` and `opacity` are 0 to 1."""

    at: float
    colour: Colour
    opacity: float = 1.0


@dataclass(frozen=True)
class Gradient:
    """Colours along a line (x1, y1, x2, y2) or a circle (cx, cy, r, fx, fy), in the units of the shape it fills."""

    kind: Literal["linear", "radial"]
    across: tuple[float, ...]
    stops: tuple[Stop, ...]
    matrix: Matrix = IDENTITY
    spread: Literal["pad", "reflect", "repeat"] = "pad"

    @property
    def middling(self) -> Colour:
        """One colour that stands for all of them."""
        return self.stops[len(self.stops) // 2].colour


Paint = Colour | Gradient | None


@dataclass(frozen=True)
class Stroke:
    """A line along an outline."""

    paint: Colour | Gradient
    width: float
    opacity: float = 1.0
    cap: Literal["butt", "round", "square"] = "butt"
    join: Literal["miter", "round", "bevel"] = "miter"
    miter: float = 4.0
    dashes: tuple[float, ...] = ()
    dashes_from: float = 0.0
    """Where in the dashes the line begins."""


@dataclass(frozen=True, eq=False)
class Shape:
    """An outline that is filled, stroked or both. Fill and stroke are measured before `matrix`."""

    outline: Outline
    fill: Paint = "#000000"
    fill_opacity: float = 1.0
    even_odd: bool = False
    stroke: Stroke | None = None
    opacity: float = 1.0
    matrix: Matrix = IDENTITY
    name: str = ""

    @cached_property
    def box(self) -> Box:
        """What it covers: half the stroke's width beyond the outline."""
        own = self.outline.box
        return (own.grown(self.stroke.width / 2) if self.stroke else own).moved(self.matrix)


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels in a box. `data` is a PNG or JPEG file that this engine wrote itself."""

    data: bytes = field(repr=False)
    media_type: str
    room: Box
    opacity: float = 1.0
    matrix: Matrix = IDENTITY
    name: str = ""

    @cached_property
    def box(self) -> Box:
        return self.room.moved(self.matrix)


@dataclass(frozen=True, eq=False)
class Group:
    """Things drawn in order, moved and made transparent together; `clip` is what may be seen of them."""

    items: tuple[Item, ...]
    matrix: Matrix = IDENTITY
    opacity: float = 1.0
    clip: Clip | None = None
    name: str = ""

    @cached_property
    def box(self) -> Box:
        """What its items cover; empty at the origin where there are none."""
        inner = union(item.box for item in self.items)
        if inner is not None and self.clip is not None:
            inner = inner & self.clip.box
        return (inner or Box(0, 0, 0, 0)).moved(self.matrix)


@dataclass(frozen=True, eq=False)
class Clip:
    """Outlines whose union is what may be seen; measured as the items of the group are."""

    outlines: tuple[Outline, ...]
    even_odd: bool = False

    @cached_property
    def box(self) -> Box:
        return union(outline.box for outline in self.outlines) or Box(0, 0, 0, 0)


@dataclass(frozen=True)
class Run:
    """Letters of a line that are set in one font. `generic` is what may stand for it (CSS): serif, sans-serif …"""

    text: str
    family: str
    weight: int = 400
    generic: str = "sans-serif"


@dataclass(frozen=True, eq=False)
class Words(Shape):
    """One line of type: the outlines of its letters, which are what is drawn, and what it says and how it is set.

    `runs` stand in the order in which they are read. (x, y) is where `anchor` lies on the line that the letters stand
    on; start and end are those of the direction, as in SVG. `size` and `spacing` (between letters) are in units.
    """

    runs: tuple[Run, ...] = ()
    size: float = 0.0
    x: float = 0.0
    y: float = 0.0
    anchor: Literal["start", "middle", "end"] = "start"
    direction: Literal["ltr", "rtl"] = "ltr"
    spacing: float = 0.0

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


Item = Shape | Picture | Group


@dataclass(frozen=True)
class TextRun:
    """Words that a file sets in a font: they are not drawn again, but say how its author sets type."""

    words: str
    family: str
    size: float
    weight: str
    anchor: str
    colour: str


@dataclass(frozen=True, eq=False)
class Scene:
    """A drawing: `canvas` is what its author showed of it."""

    root: Group
    canvas: Box

    def shapes(self) -> Iterator[tuple[Shape, Matrix, float]]:
        """All shapes in the order in which they are drawn, with the map to the canvas and their whole opacity."""
        return walked(self.root, IDENTITY, 1.0)


def walked(item: Item, matrix: Matrix, opacity: float) -> Iterator[tuple[Shape, Matrix, float]]:
    """The shapes of an item; see `Scene.shapes`."""
    if isinstance(item, Shape):
        yield item, matrix @ item.matrix, opacity * item.opacity
    elif isinstance(item, Group):
        for each in item.items:
            yield from walked(each, matrix @ item.matrix, opacity * item.opacity)


def painted(item: Item, change: Callable[[Colour], Colour]) -> Item:
    """The same with other colours; pictures keep theirs."""
    if isinstance(item, Group):
        return replace(item, items=tuple(painted(each, change) for each in item.items))
    if isinstance(item, Picture):
        return item
    stroke = replace(item.stroke, paint=_paint(item.stroke.paint, change)) if item.stroke else None
    return replace(item, fill=None if item.fill is None else _paint(item.fill, change), stroke=stroke)


def _paint(paint: Colour | Gradient, change: Callable[[Colour], Colour]) -> Colour | Gradient:
    if isinstance(paint, str):
        return change(paint)
    return replace(paint, stops=tuple(replace(stop, colour=change(stop.colour)) for stop in paint.stops))
