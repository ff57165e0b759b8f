"""Reads an SVG file of anybody's: what it draws becomes a scene, what could act is not even looked at.

Nothing outside the file is opened. Elements, depth, repeated use and points are bounded, so that a small file cannot
become a large one. What is not understood (filters, masks, markers, patterns) is left out and named.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
from lxml import etree

from atelier.workshop.contract import Unreadable

from ..outline import IDENTITY, Box, Matrix, Outline, parse
from ..scene import Clip, Gradient, Group, Item, Paint, Picture, Scene, Shape, Stop, Stroke, TextRun
from . import styles
from .pixels import clean_picture
from .styles import DEFAULTS, Style, Styles, length, link, share, transform

SVG = "http://www.w3.org/2000/svg"
XLINK = "{http://www.w3.org/1999/xlink}href"
BYTES = 20_000_000
ELEMENTS = 40_000
DEPTH = 80
POINTS = 600_000
PICTURES = 20

_SHAPES = frozenset(["path", "rect", "circle", "ellipse", "line", "polyline", "polygon"])
_GROUPS = frozenset(["svg", "g", "a", "switch", "symbol"])
_LEFT_OUT = {
    "filter": "filters (blur, shadow)", "mask": "masks", "marker": "line ends of their own", "pattern": "pattern fills",
    "foreignObject": "embedded web pages", "script": "scripts", "animate": "animation", "set": "animation",
    "animateTransform": "animation", "animateMotion": "animation", "video": "video", "audio": "audio",
    "iframe": "embedded web pages",
}  # fmt: skip


@dataclass(frozen=True)
class Read:
    """What a file holds. `left_out` names what is not understood, in words for its author."""

    scene: Scene
    texts: tuple[TextRun, ...]
    left_out: tuple[str, ...]
    title: str
    description: str
    tags: tuple[str, ...]


def read_svg(data: bytes, where: str) -> Read:
    """Errors: Unreadable naming the file, with the remedy."""
    root = _tree(_unpacked(data, where), where)
    return _Reader(root, where).read()


def _unpacked(data: bytes, where: str) -> bytes:
    if data[:2] == b"\x1f\x8b":  # .svgz
        try:
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(BYTES + 1)
        except (OSError, EOFError) as error:
            raise _unreadable("The packed SVG file is damaged.", where) from error
    if len(data) > BYTES:
        raise _unreadable(f"The drawing is larger than {BYTES // 1_000_000} MB.", where)
    return data


def _tree(data: bytes, where: str) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _unreadable(f"It is no SVG file that can be read ({str(error)[:120]}).", where) from error
    if root is None or etree.QName(root).localname != "svg":
        raise _unreadable("It is XML, but no SVG drawing.", where)
    return root


def _unreadable(message: str, where: str) -> Unreadable:
    return Unreadable(message, where=where, remedy="Export it again as plain SVG from the program it was drawn with.")


def _name(element: Any) -> str:
    """The local name of an SVG element; empty for those of other kinds and for entities."""
    if not isinstance(element.tag, str):
        return ""
    name = etree.QName(element)
    return name.localname if name.namespace in (SVG, None) else ""


class _Reader:
    """Walks one document. Everything it counts is bounded for the whole of it."""

    def __init__(self, root: Any, where: str) -> None:
        self.root, self.where = root, where
        elements = list(root.iter())
        if len(elements) > ELEMENTS:
            raise _unreadable(f"It has more than {ELEMENTS:,} parts.", where)
        self.by_id = {e.get("id"): e for e in elements if isinstance(e.tag, str) and e.get("id")}
        self.styles = Styles(root, [e.text or "" for e in elements if _name(e) == "style"])
        self.left_out: Counter[str] = Counter(_LEFT_OUT[name] for e in elements if (name := _name(e)) in _LEFT_OUT)
        self.texts: list[TextRun] = []
        self.drawn = self.points = self.pictures = 0

    def read(self) -> Read:
        canvas = self._canvas()
        group = self._group(self.root, self.styles.of(self.root, DEFAULTS), canvas, 0, top=True)
        if not group.items and not self.texts:
            raise _unreadable("There is nothing drawn in it that can be used.", self.where)
        return Read(
            scene=Scene(group, canvas),
            texts=tuple(self.texts),
            left_out=tuple(self.left_out),
            title=self._said("title"),
            description=self._said("description") or self._said("desc"),
            tags=self._tags(),
        )

    def _canvas(self) -> Box:
        """The view box, else the size, else what is drawn (told later by who needs it)."""
        view = styles.numbers(self.root.get("viewBox"))
        if len(view) == 4 and view[2] > 0 and view[3] > 0:
            return Box(view[0], view[1], view[0] + view[2], view[1] + view[3])
        width, height = (length(self.root.get(name), 0.0) for name in ("width", "height"))
        return Box(0, 0, width if width > 0 else 1000, height if height > 0 else 1000)

    # Groups and shapes --------------------------------------------------------------------------------------------

    def _group(self, element: Any, style: Style, canvas: Box, depth: int, *, top: bool = False) -> Group:
        if depth > DEPTH:
            raise _unreadable(f"Its groups stand more than {DEPTH} deep in one another.", self.where)
        items = []
        for child in element:
            item = self._item(child, style, canvas, depth + 1)
            if item is not None:
                items.append(item)
        matrix = IDENTITY if top else transform(element.get("transform"))
        return Group(
            items=tuple(items),
            matrix=matrix,
            opacity=share(style.get("opacity")),
            clip=self._clip(style),
            name=(element.get("{http://www.inkscape.org/namespaces/inkscape}label") or element.get("id") or "")[:80],
        )

    def _item(self, element: Any, inherited: Style, canvas: Box, depth: int) -> Item | None:
        name = _name(element)
        if name not in _SHAPES and name not in _GROUPS and name not in ("use", "image", "text"):
            return None
        self.drawn += 1
        if self.drawn > ELEMENTS:
            raise _unreadable(f"Drawn out, it has more than {ELEMENTS:,} parts.", self.where)
        style = self.styles.of(element, inherited)
        if style.get("display") == "none" or name == "symbol":
            return None
        if name in _GROUPS:
            group = self._group(element, style, canvas, depth)
            return self._placed(element, group, canvas) if name == "svg" else group if group.items else None
        if name == "text":
            self._text(element, style)
            return None
        if style.get("visibility") in ("hidden", "collapse"):
            return None
        if name == "use":
            return self._use(element, style, canvas, depth)
        if name == "image":
            return self._image(element, style, canvas)
        return self._shape(element, name, style, canvas)

    def _placed(self, element: Any, group: Group, canvas: Box) -> Group:
        """A drawing within the drawing: its view box in its own place."""
        room = Box(0, 0, length(element.get("width"), canvas.width, canvas.width),
                   length(element.get("height"), canvas.height, canvas.height))  # fmt: skip
        moved = Matrix.moved(length(element.get("x"), canvas.width), length(element.get("y"), canvas.height))
        view = styles.numbers(element.get("viewBox"))
        if len(view) == 4 and view[2] > 0 and view[3] > 0 and room.width > 0 and room.height > 0:
            moved = moved @ Box(view[0], view[1], view[0] + view[2], view[1] + view[3]).inside(room)
        return Group(items=(group,), matrix=moved)

    def _use(self, element: Any, style: Style, canvas: Box, depth: int) -> Item | None:
        target = self.by_id.get((element.get("href") or element.get(XLINK) or "").removeprefix("#"))
        if target is None or target is element or any(above is target for above in element.iterancestors()):
            return None
        moved = Matrix.moved(length(element.get("x"), canvas.width), length(element.get("y"), canvas.height))
        if _name(target) == "symbol":
            inner: Item | None = self._group(target, self.styles.of(target, style), canvas, depth + 1)
        else:
            inner = self._item(target, style, canvas, depth + 1)
        if inner is None:
            return None
        return Group((inner,), transform(element.get("transform")) @ moved, share(style.get("opacity")))

    def _shape(self, element: Any, name: str, style: Style, canvas: Box) -> Shape | Group | None:
        outline = self._outline(element, name, canvas)
        if outline is None:
            return None
        box = outline.box
        fill, fill_opacity = self._paint(style, "fill", box, canvas)
        stroke = self._stroke(style, box, canvas)
        if fill is None and stroke is None:
            return None
        shape = Shape(
            outline=outline,
            fill=fill,
            fill_opacity=fill_opacity,
            even_odd=style.get("fill-rule") == "evenodd",
            stroke=stroke,
            opacity=share(style.get("opacity")),
            matrix=transform(element.get("transform")),
            name=(element.get("{http://www.inkscape.org/namespaces/inkscape}label") or element.get("id") or "")[:80],
        )
        clip = self._clip(style)
        return Group((replace(shape, matrix=IDENTITY),), shape.matrix, clip=clip) if clip else shape

    def _outline(self, element: Any, name: str, canvas: Box) -> Outline | None:
        data = element.get("d") if name == "path" else _path_data(element, name, canvas)
        if not data:
            return None
        if len(data) > 24 * POINTS:
            raise _unreadable("One of its lines is too long.", self.where)
        try:
            outline = parse(data)
        except ValueError:
            self.left_out["lines that cannot be read"] += 1
            return None
        self.points += len(outline.points)
        if self.points > POINTS:
            raise _unreadable(f"Its lines have more than {POINTS:,} points.", self.where)
        return outline if outline and bool(np.isfinite(outline.points).all()) else None

    def _clip(self, style: Style) -> Clip | None:
        """What a clip path lets be seen: the union of its shapes. Text and clips of clips are left out."""
        named = link(style.get("clip-path"))
        element = self.by_id.get(named[0]) if named else None
        if element is None or _name(element) != "clipPath":
            return None
        if element.get("clipPathUnits") == "objectBoundingBox":
            self.left_out["clips in parts of a box"] += 1
            return None
        outer, outlines = transform(element.get("transform")), []
        for child in element:
            found = self.by_id.get((child.get("href") or child.get(XLINK) or "").removeprefix("#"), child)
            if _name(found) in _SHAPES:
                outline = self._outline(found, _name(found), Box(0, 0, 1, 1))
                if outline is not None:
                    own = (
                        transform(child.get("transform"))
                        if found is child
                        else transform(child.get("transform")) @ transform(found.get("transform"))
                    )
                    outlines.append(outline.moved(outer @ own))
        return Clip(tuple(outlines), even_odd=style.get("clip-rule") == "evenodd") if outlines else None

    # Paint --------------------------------------------------------------------------------------------------------

    def _paint(self, style: Style, name: Literal["fill", "stroke"], box: Box, canvas: Box) -> tuple[Paint, float]:
        opacity = share(style.get(f"{name}-opacity"))
        said = style.get(name, DEFAULTS[name])
        named = link(said)
        if named is not None:
            found = self._gradient(named[0], box, canvas)
            if found is not None or not named[1]:
                return found, opacity
            said = named[1]
        flat = styles.colour(said, style.get("color", "black"))
        return (None, 0.0) if flat is None or flat[1] * opacity <= 0 else (flat[0], flat[1] * opacity)

    def _stroke(self, style: Style, box: Box, canvas: Box) -> Stroke | None:
        paint, opacity = self._paint(style, "stroke", box, canvas)
        diagonal = math.hypot(canvas.width, canvas.height) / math.sqrt(2)
        width = length(style.get("stroke-width"), diagonal, 1.0)
        if paint is None or width <= 0 or opacity <= 0:
            return None
        cap, join = style.get("stroke-linecap", "butt"), style.get("stroke-linejoin", "miter")
        dashes = [length(each, diagonal) for each in style.get("stroke-dasharray", "").replace(",", " ").split()]
        solid = not dashes or min(dashes) < 0 or sum(dashes) <= 0 or len(dashes) > 20
        return Stroke(
            paint=paint,
            width=width,
            opacity=opacity,
            cap=cast(Any, cap if cap in ("round", "square") else "butt"),
            join=cast(Any, join if join in ("round", "bevel") else "miter"),
            miter=max(1.0, length(style.get("stroke-miterlimit"), 1.0, 4.0)),
            dashes=() if solid else tuple(dashes * (1 + len(dashes) % 2)),
        )

    def _gradient(self, name: str, box: Box, canvas: Box) -> Paint:
        """A gradient in the units of the shape; a colour where it has one stop only; None where there is none."""
        chain = self._chain(name)
        if not chain:
            return None
        stops = next((found for element in chain if (found := self._stops(element))), ())
        if len(stops) < 2:
            return stops[0].colour if stops else None

        def said(attribute: str, default: str) -> str:
            return next((e.get(attribute) for e in chain if e.get(attribute) is not None), default)

        of_box = said("gradientUnits", "objectBoundingBox") != "userSpaceOnUse"
        wide, high = (1.0, 1.0) if of_box else (canvas.width, canvas.height)
        matrix = transform(said("gradientTransform", ""))
        if of_box:
            if box.width <= 0 or box.height <= 0:
                return stops[len(stops) // 2].colour
            matrix = Matrix(box.width, 0, 0, box.height, box.left, box.top) @ matrix
        kind: Literal["linear", "radial"] = "linear" if _name(chain[0]) == "linearGradient" else "radial"
        if kind == "linear":
            pairs = (("x1", "0%", wide), ("y1", "0%", high), ("x2", "100%", wide), ("y2", "0%", high))
        else:
            cx, cy = said("cx", "50%"), said("cy", "50%")
            pairs = (("cx", cx, wide), ("cy", cy, high), ("r", "50%", wide), ("fx", cx, wide), ("fy", cy, high))
        across = tuple(length(said(attribute, default), whole) for attribute, default, whole in pairs)
        if kind == "radial" and across[2] <= 0:
            return stops[-1].colour
        spread = said("spreadMethod", "pad")
        return Gradient(kind, across, stops, matrix, cast(Any, spread if spread in ("reflect", "repeat") else "pad"))

    def _chain(self, name: str) -> list[Any]:
        """A gradient and those it takes after, the nearest first."""
        found: list[Any] = []
        element = self.by_id.get(name)
        while element is not None and element not in found and len(found) < 10:
            if _name(element) not in ("linearGradient", "radialGradient"):
                break
            found.append(element)
            element = self.by_id.get((element.get("href") or element.get(XLINK) or "").removeprefix("#"))
        return found

    def _stops(self, element: Any) -> tuple[Stop, ...]:
        found, last = [], 0.0
        for child in element:
            if _name(child) != "stop" or len(found) >= 64:
                continue
            style = self.styles.of(child, {})
            flat = styles.colour(style.get("stop-color", "black"), style.get("color", "black")) or ("#000000", 1.0)
            last = max(last, share(child.get("offset"), 0.0))
            found.append(Stop(last, flat[0], flat[1] * share(style.get("stop-opacity"))))
        return tuple(found)

    # Pictures, words, names ---------------------------------------------------------------------------------------

    def _image(self, element: Any, style: Style, canvas: Box) -> Picture | None:
        """A picture that lies in the file itself; those elsewhere are never fetched."""
        head, _, body = (element.get("href") or element.get(XLINK) or "").partition(",")
        if not head.startswith("data:image/") or not head.endswith(";base64"):
            self.left_out["pictures that are not in the file"] += 1
            return None
        self.pictures += 1
        if self.pictures > PICTURES:
            raise _unreadable(f"It holds more than {PICTURES} pictures.", self.where)
        try:
            data, media_type, (wide, high) = clean_picture(base64.b64decode(body, validate=False), self.where)
        except (binascii.Error, Unreadable):
            self.left_out["pictures that cannot be read"] += 1
            return None
        room = Box(
            0, 0, length(element.get("width"), canvas.width, wide), length(element.get("height"), canvas.height, high)
        )
        x, y = length(element.get("x"), canvas.width), length(element.get("y"), canvas.height)
        fitted = Box(0, 0, wide, high).inside(Box(x, y, x + room.width, y + room.height))
        matrix = transform(element.get("transform")) @ fitted
        return Picture(data, media_type, Box(0, 0, wide, high), share(style.get("opacity")), matrix)

    def _text(self, element: Any, style: Style) -> None:
        words = " ".join("".join(element.itertext()).split())[:500]
        if not words or len(self.texts) >= 200:
            return
        inner = next((child for child in element.iter() if _name(child) == "tspan"), None)
        said = self.styles.of(inner, style) if inner is not None else style
        flat = styles.colour(said.get("fill", "black"))
        self.texts.append(
            TextRun(
                words=words,
                family=said.get("font-family", "").split(",")[0].strip(" '\""),
                size=length(said.get("font-size"), 16.0, 16.0) * transform(element.get("transform")).scale,
                weight=said.get("font-weight", "normal"),
                anchor=said.get("text-anchor", "start"),
                colour=flat[0] if flat else "#000000",
            )
        )

    def _said(self, name: str) -> str:
        """A title or description: the drawing's own element, else what its metadata say."""
        own = next((child for child in self.root if _name(child) == name), None)
        work = next(self.root.iter("{*}Work"), None)
        found = (
            own if own is not None else next((e for e in work if _local(e) == name), None) if work is not None else None
        )
        return " ".join("".join(found.itertext()).split())[:300] if found is not None else ""

    def _tags(self) -> tuple[str, ...]:
        """The subjects that the metadata name."""
        named = (
            " ".join((each.text or "").split()).lower()
            for subject in self.root.iter("{*}subject")
            for each in subject.iter("{*}li")
        )
        return tuple(dict.fromkeys(tag[:60] for tag in named if tag))[:30]


def _local(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _path_data(element: Any, name: str, canvas: Box) -> str:
    """A shape as path data. Empty where it has no extent."""
    diagonal = math.hypot(canvas.width, canvas.height) / math.sqrt(2)

    def size(attribute: str, whole: float, default: float = 0.0) -> float:
        return length(element.get(attribute), whole, default)

    if name in ("polyline", "polygon"):
        values = styles.numbers(element.get("points"))
        pairs = [f"{x} {y}" for x, y in zip(values[::2], values[1::2], strict=False)]
        return "M" + "L".join(pairs) + ("Z" if name == "polygon" else "") if len(pairs) > 1 else ""
    if name == "line":
        ends = [
            size("x1", canvas.width),
            size("y1", canvas.height),
            size("x2", canvas.width),
            size("y2", canvas.height),
        ]
        return "M{} {}L{} {}".format(*ends)
    if name == "rect":
        x, y, wide, high = (size(a, w) for a, w in
                            (("x", canvas.width), ("y", canvas.height), ("width", canvas.width), ("height", canvas.height)))  # fmt: skip
        rx, ry = size("rx", canvas.width, -1), size("ry", canvas.height, -1)
        rx, ry = (ry if rx < 0 else rx), (rx if ry < 0 else ry)
        return _rectangle(x, y, wide, high, min(max(rx, 0), wide / 2), min(max(ry, 0), high / 2))
    cx, cy = size("cx", canvas.width), size("cy", canvas.height)
    rx = size("r", diagonal) if name == "circle" else size("rx", canvas.width)
    ry = rx if name == "circle" else size("ry", canvas.height)
    return _rectangle(cx - rx, cy - ry, 2 * rx, 2 * ry, rx, ry)


def _rectangle(x: float, y: float, wide: float, high: float, rx: float, ry: float) -> str:
    if wide <= 0 or high <= 0:
        return ""
    if rx <= 0 or ry <= 0:
        return f"M{x} {y}h{wide}v{high}h{-wide}Z"
    corner = f"a{rx} {ry} 0 0 1 "
    return (
        f"M{x + rx} {y}h{wide - 2 * rx}{corner}{rx} {ry}v{high - 2 * ry}{corner}{-rx} {ry}"
        f"h{2 * rx - wide}{corner}{-rx} {-ry}v{2 * ry - high}{corner}{rx} {-ry}Z"
    )
