"""Writes scenes as SVG that people edit: named layers, words as words, absolute paths, gradients and clips by name."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any, Literal, cast

from lxml import etree

from .outline import IDENTITY, Box, Outline, box_of, exact, number
from .scene import Clip, Gradient, Group, Item, Paint, Picture, Run, Shape, TextRun, Words

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
INKSCAPE, ATELIER = "http://www.inkscape.org/namespaces/inkscape", "urn:atelier:design:1"
_NAMES = {None: SVG, "xlink": XLINK, "inkscape": INKSCAPE}
Lettering = Literal["master", "words", "outlines"]
"""How lines of type are written: as words with the outlines of their letters beside them, so that the file can be drawn
exactly without its fonts; as words alone; as outlines alone."""


def svg_of(
    item: Item,
    view: Box,
    width: str = "",
    height: str = "",
    title: str = "",
    texts: Sequence[TextRun] = (),
    *,
    lettering: Lettering = "master",
    fonts: str = "",
) -> bytes:
    """A file that shows what lies in `view`. `width` and `height` with units, such as 90mm; the view's own if empty.

    `texts` are kept as words that are not shown, so that what they say of their author's type is not lost. `fonts` are
    rules of a style sheet.
    """
    writer = _Writer(lettering)
    root = etree.Element(
        f"{{{SVG}}}svg", nsmap=cast(Any, _NAMES | ({"atelier": ATELIER} if lettering == "master" else {}))
    )
    root.set("viewBox", " ".join(number(each, 3) for each in (view.left, view.top, view.width, view.height)))
    root.set("width", width or number(view.width, 3))
    root.set("height", height or number(view.height, 3))
    if title:
        etree.SubElement(root, f"{{{SVG}}}title").text = title
    if fonts:
        etree.SubElement(root, f"{{{SVG}}}style").text = fonts
    definitions = etree.SubElement(root, f"{{{SVG}}}defs")
    items = item.items if isinstance(item, Group) and _plain(item) else (item,)
    for each in items:
        writer.put(root, each)
    for run in texts:
        _hidden(root, run)
    definitions.extend(writer.definitions)
    if not len(definitions):
        root.remove(definitions)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _hidden(root: Any, run: TextRun) -> None:
    words = etree.SubElement(root, f"{{{SVG}}}text")
    _set(words, **{"visibility": "hidden", "font-family": run.family, "font-size": number(run.size, 3)})
    _set(words, **{"font-weight": run.weight, "text-anchor": run.anchor, "fill": run.colour})
    words.text = run.words


def _plain(group: Group) -> bool:
    return group.matrix == IDENTITY and group.opacity >= 1 and group.clip is None and not group.name


class _Writer:
    def __init__(self, lettering: Lettering) -> None:
        self.lettering = lettering
        self.more_digits = 2 if lettering == "master" else 0
        self.definitions: list[Any] = []
        self.taken: set[str] = set()

    def put(self, parent: Any, item: Item) -> None:
        if isinstance(item, Words) and self.lettering != "outlines":
            self._words(parent, item)
        elif isinstance(item, Shape):
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
        element.set("d", shape.outline.svg(self._digits(shape.outline)))
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

    def _words(self, parent: Any, words: Words) -> None:
        """One `text`, with a `tspan` for each font where there are several."""
        element = self._begun(parent, "text", words.name, words.matrix.svg() if words.matrix != IDENTITY else "")
        element.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        said = {"x": number(words.x, 3), "y": number(words.y, 3), "font-size": exact(words.size)}
        _set(element, **said, **_font(words.runs[0]))
        _set(element, **{"fill": self._paint(words.fill), "opacity": _share(words.opacity)})
        _set(element, **{"text-anchor": words.anchor if words.anchor != "start" else ""})
        _set(element, **{"direction": words.direction if words.direction != "ltr" else ""})
        _set(element, **{"letter-spacing": exact(words.spacing) if words.spacing else ""})
        if len(words.runs) == 1:
            element.text = words.runs[0].text
        else:
            for run in words.runs:
                part = etree.SubElement(element, f"{{{SVG}}}tspan")
                _set(part, **_font(run))
                part.text = run.text
        if self.lettering == "master":
            letters = etree.Element(f"{{{SVG}}}path")
            letters.set("id", self._id("letters"))
            letters.set("d", words.outline.svg(self._digits(words.outline)))
            self.definitions.append(letters)
            element.set(f"{{{ATELIER}}}letters", letters.get("id"))

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

    def _digits(self, outline: Outline) -> int:
        """So many that a step is a ten-thousandth of the shape, whatever its units; a hundredth of that in masters."""
        around = box_of(outline.points) if len(outline.points) else Box(0, 0, 0, 0)
        size = max(around.width, around.height)
        return (2 if size > 20 else 3 if size > 2 else 5) + self.more_digits

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
            child.set("d", outline.svg(self._digits(outline)))
            if clip.even_odd:
                child.set("clip-rule", "evenodd")
        self.definitions.append(element)
        return name


def _font(run: Run) -> dict[str, str]:
    return {"font-family": f"'{run.family}', {run.generic}", "font-weight": str(run.weight)}


def _share(value: float) -> str:
    return number(value, 3) if value < 1 else ""


def _set(element: Any, **said: str) -> None:
    for name, value in said.items():
        if value:
            element.set(name, value)
