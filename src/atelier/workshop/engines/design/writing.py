"""Writes scenes as SVG that people edit: named layers, words as words, absolute paths, gradients and clips by name."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from typing import Any

from lxml import etree

from .outline import IDENTITY, Box, exact, number
from .scene import Clip, Gradient, Group, Item, Paint, Picture, Shape, TextRun

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
INKSCAPE = "http://www.inkscape.org/namespaces/inkscape"
_NAMES = {None: SVG, "xlink": XLINK, "inkscape": INKSCAPE}


def svg_of(
    item: Item, view: Box, width: str = "", height: str = "", title: str = "", texts: Sequence[TextRun] = ()
) -> bytes:
    """A file that shows what lies in `view`. `width` and `height` with units, such as 90mm; the view's own if empty.

    `texts` are kept as words that are not shown, so that what they say of their author's type is not lost.
    """
    writer = _Writer()
    root = etree.Element(f"{{{SVG}}}svg", nsmap=_NAMES)  # type: ignore[arg-type]
    root.set("viewBox", " ".join(number(each, 3) for each in (view.left, view.top, view.width, view.height)))
    root.set("width", width or number(view.width, 3))
    root.set("height", height or number(view.height, 3))
    if title:
        etree.SubElement(root, f"{{{SVG}}}title").text = title
    definitions = etree.SubElement(root, f"{{{SVG}}}defs")
    items = item.items if isinstance(item, Group) and _plain(item) else (item,)
    for each in items:
        writer.put(root, each)
    for run in texts:
        words = etree.SubElement(root, f"{{{SVG}}}text")
        _set(words, **{"visibility": "hidden", "font-family": run.family, "font-size": number(run.size, 3)})
        _set(words, **{"font-weight": run.weight, "text-anchor": run.anchor, "fill": run.colour})
        words.text = run.words
    definitions.extend(writer.definitions)
    if not len(definitions):
        root.remove(definitions)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _plain(group: Group) -> bool:
    return group.matrix == IDENTITY and group.opacity >= 1 and group.clip is None and not group.name


class _Writer:
    def __init__(self) -> None:
        self.definitions: list[Any] = []
        self.taken: set[str] = set()

    def put(self, parent: Any, item: Item) -> None:
        if isinstance(item, Shape):
            self._shape(parent, item)
        elif isinstance(item, Picture):
            self._picture(parent, item)
        else:
            self._group(parent, item)

    def _group(self, parent: Any, group: Group) -> None:
        if _plain(group):
            for item in group.items:
                self.put(parent, item)
            return
        element = self._begun(parent, "g", group.name, group.matrix.svg() if group.matrix != IDENTITY else "")
        _set(element, opacity=_share(group.opacity))
        if group.clip is not None:
            element.set("clip-path", f"url(#{self._clip(group.clip)})")
        for item in group.items:
            self.put(element, item)

    def _shape(self, parent: Any, shape: Shape) -> None:
        element = self._begun(parent, "path", shape.name, shape.matrix.svg() if shape.matrix != IDENTITY else "")
        element.set("d", shape.outline.svg(_digits(shape.outline.box)))
        element.set("fill", self._paint(shape.fill))
        _set(
            element,
            **{"fill-opacity": _share(shape.fill_opacity) if shape.fill else "", "opacity": _share(shape.opacity)},
        )
        if shape.even_odd:
            element.set("fill-rule", "evenodd")
        stroke = shape.stroke
        if stroke is None:
            return
        _set(
            element,
            **{
                "stroke": self._paint(stroke.paint),
                "stroke-width": exact(stroke.width),
                "stroke-opacity": _share(stroke.opacity),
                "stroke-linecap": stroke.cap if stroke.cap != "butt" else "",
                "stroke-linejoin": stroke.join if stroke.join != "miter" else "",
                "stroke-miterlimit": number(stroke.miter) if stroke.miter != 4 else "",
                "stroke-dasharray": " ".join(exact(each) for each in stroke.dashes),
                "stroke-dashoffset": exact(stroke.dashes_from) if stroke.dashes_from else "",
            },
        )

    def _picture(self, parent: Any, picture: Picture) -> None:
        element = self._begun(parent, "image", picture.name, picture.matrix.svg() if picture.matrix != IDENTITY else "")
        room = picture.room
        for name, value in zip(
            ("x", "y", "width", "height"), (room.left, room.top, room.width, room.height), strict=True
        ):
            element.set(name, number(value, 3))
        _set(element, opacity=_share(picture.opacity))
        element.set(f"{{{XLINK}}}href", f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}")

    def _begun(self, parent: Any, tag: str, name: str, moved: str) -> Any:
        element = etree.SubElement(parent, f"{{{SVG}}}{tag}")
        if name:
            element.set("id", self._id(name))
            element.set(f"{{{INKSCAPE}}}label", name)
            if tag == "g" and etree.QName(parent).localname == "svg":
                element.set(f"{{{INKSCAPE}}}groupmode", "layer")
        if moved:
            element.set("transform", moved)
        return element

    def _id(self, name: str) -> str:
        """A name as an XML id that no other element has."""
        stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "part"
        stem = stem if stem[0].isalpha() else f"part-{stem}"
        found, count = stem, 1
        while found in self.taken:
            count += 1
            found = f"{stem}-{count}"
        self.taken.add(found)
        return found

    def _paint(self, paint: Paint) -> str:
        if paint is None:
            return "none"
        return paint if isinstance(paint, str) else f"url(#{self._gradient(paint)})"

    def _gradient(self, gradient: Gradient) -> str:
        element = etree.Element(f"{{{SVG}}}{gradient.kind}Gradient")
        name = self._id("gradient")
        element.set("id", name)
        element.set("gradientUnits", "userSpaceOnUse")
        keys = ("x1", "y1", "x2", "y2") if gradient.kind == "linear" else ("cx", "cy", "r", "fx", "fy")
        for key, value in zip(keys, gradient.across, strict=True):
            element.set(key, exact(value))
        if gradient.matrix != IDENTITY:
            element.set("gradientTransform", gradient.matrix.svg())
        if gradient.spread != "pad":
            element.set("spreadMethod", gradient.spread)
        for stop in gradient.stops:
            child = etree.SubElement(element, f"{{{SVG}}}stop")
            _set(child, **{"offset": exact(stop.at), "stop-color": stop.colour, "stop-opacity": _share(stop.opacity)})
        self.definitions.append(element)
        return name

    def _clip(self, clip: Clip) -> str:
        element = etree.Element(f"{{{SVG}}}clipPath")
        name = self._id("clip")
        element.set("id", name)
        for outline in clip.outlines:
            child = etree.SubElement(element, f"{{{SVG}}}path")
            child.set("d", outline.svg(_digits(outline.box)))
            if clip.even_odd:
                child.set("clip-rule", "evenodd")
        self.definitions.append(element)
        return name


def _digits(box: Box) -> int:
    """So many that a step is a ten-thousandth of the shape, whatever its units."""
    size = max(box.width, box.height)
    return 2 if size > 20 else 3 if size > 2 else 5


def _share(value: float) -> str:
    return number(value, 3) if value < 1 else ""


def _set(element: Any, **said: str) -> None:
    for name, value in said.items():
        if value:
            element.set(name, value)


def layers(named: Iterable[tuple[str, Iterable[Item]]]) -> Group:
    """Layers by name, the lowest first."""
    return Group(tuple(Group(tuple(items), name=name) for name, items in named))
