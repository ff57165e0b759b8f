"""Reads an SVG file of anybody's: what it draws becomes a scene, what could act is not even looked at.

Nothing outside the file is opened. Elements, depth, repeated use and points are bounded, so that a small file cannot
become a large one. What is not understood (filters, masks, markers, patterns) is left out and named.
"""

from __future__ import annotations

import base64
import binascii
import math
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from atelier.workshop.contract import Unreadable
from atelier.workshop.engines.design.outline import IDENTITY, Box, Matrix, Outline, rectangle
from atelier.workshop.engines.design.scene import (
    Clip,
    Group,
    Item,
    Paint,
    Picture,
    Scene,
    Shape,
    Stroke,
    TextRun,
    Words,
)
from atelier.workshop.pictures.pixels import clean_picture

from . import forms, gradients, styles, texts
from .metadata import DESCRIPTION, TITLE, said, tags_of
from .styles import DEFAULTS, Style, Styles, length, link, share, transform
from .tree import XLINK, label, name_of, target, tree, unreadable

ELEMENTS = 20_000
DEPTH = 80
POINTS = 400_000
PICTURES = 20
SECONDS = 5.0
"""A drawing that takes more of a processor is refused, whatever makes it slow."""
FAR = 1e8
"""Points farther out than this are damage or malice."""

_GROUPS = frozenset(("svg", "g", "a", "switch"))
_DRAWN = forms.SHAPES | _GROUPS | {"use", "image", "text"}
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


def read_svg(data: bytes, where: str, *, master: bool = False) -> Read:
    """What an SVG file shows. Errors: Unreadable naming the file, with the remedy.

    Words in fonts are told in `texts`, not drawn. With `master` the file is one that this engine wrote: its lines of
    type are items of the scene, with the very outlines that they were drawn with.
    """
    return _Reader(tree(data, where), where, master=master).read()


class _Reader:
    """Walks one document. Everything it counts is bounded for the whole of it."""

    def __init__(self, root: Any, where: str, *, master: bool) -> None:
        self.root, self.where, self.master = root, where, master
        elements = list(root.iter())
        if len(elements) > ELEMENTS:
            raise unreadable(f"It has more than {ELEMENTS:,} parts.", where)
        self.by_id = {e.get("id"): e for e in elements if isinstance(e.tag, str) and e.get("id")}
        self.styles = Styles(root, [e.text or "" for e in elements if name_of(e) == "style"])
        self.left_out: Counter[str] = Counter(_LEFT_OUT[name] for e in elements if (name := name_of(e)) in _LEFT_OUT)
        self.texts: list[TextRun] = []
        self.used: list[Any] = []
        self.drawn = self.points = self.pictures = 0
        self.outlines: dict[Any, Outline | None] = {}
        self.until = time.thread_time() + SECONDS

    def read(self) -> Read:
        canvas = self._canvas()
        group = self._group(self.root, self.styles.of(self.root, DEFAULTS), canvas, 0, top=True)
        if not group.items and not self.texts:
            raise unreadable("There is nothing drawn in it that can be used.", self.where)
        return Read(
            scene=Scene(group, canvas),
            texts=tuple(self.texts),
            left_out=tuple(self.left_out),
            title=said(self.root, "title", TITLE),
            description=said(self.root, "desc", DESCRIPTION) or said(self.root, "description", DESCRIPTION),
            tags=tags_of(self.root),
        )

    def _canvas(self) -> Box:
        """The view box, else the size, else a thousand units each way."""
        width, height = (length(self.root.get(name), 0.0) for name in ("width", "height"))
        sized = Box(0, 0, width if 0 < width < FAR else 1000, height if 0 < height < FAR else 1000)
        return forms.view_of(self.root) or sized

    # Groups and shapes --------------------------------------------------------------------------------------------

    def _group(self, element: Any, style: Style, canvas: Box, depth: int, *, top: bool = False) -> Group:
        items = []
        for child in element:
            item = self._item(child, style, canvas, depth + 1)
            if item is not None and _near(item.box):
                items.append(item)
                if name_of(element) == "switch":
                    break
        return Group(
            items=tuple(items),
            matrix=IDENTITY if top else transform(element.get("transform")),
            opacity=share(style.get("opacity")),
            clip=self._clip(style),
            name="" if top else label(element),
        )

    def _item(self, element: Any, inherited: Style, canvas: Box, depth: int) -> Item | None:
        name = name_of(element)
        if name not in _DRAWN:
            return None
        self.drawn += 1
        if self.drawn > ELEMENTS:
            raise unreadable(f"Drawn out, it has more than {ELEMENTS:,} parts.", self.where)
        if time.thread_time() > self.until:
            raise unreadable("It is too intricate: reading it takes too long.", self.where)
        if depth > DEPTH:
            raise unreadable(f"Its groups stand more than {DEPTH} deep in one another.", self.where)
        style = self.styles.of(element, inherited)
        if style.get("display") == "none":
            return None
        if name == "svg":
            return self._placed(element, element, style, canvas, depth)
        if name in _GROUPS:
            group = self._group(element, style, canvas, depth)
            return group if group.items else None
        if name == "text":
            return self._text(element, style)
        if name == "use":
            return self._use(element, style, canvas, depth)
        if style.get("visibility") in ("hidden", "collapse"):
            return None
        if name == "image":
            return self._clipped(self._image(element, style, canvas), style)
        return self._clipped(self._shape(element, name, style, canvas), style)

    def _placed(self, element: Any, sizes: Any, style: Style, canvas: Box, depth: int) -> Group | None:
        """A drawing or symbol within the drawing: what its view box shows, in its own place. `sizes` names the size."""
        room = Box(0, 0, *(length(each, whole, whole) for each, whole in (
            (sizes.get("width", "100%"), canvas.width), (sizes.get("height", "100%"), canvas.height))))  # fmt: skip
        if room.width <= 0 or room.height <= 0:
            return None
        view = forms.view_of(element)
        inner = forms.fitted(view, room, element.get("preserveAspectRatio", "")) if view is not None else IDENTITY
        group = self._group(element, style, view or room, depth)
        if not group.items:
            return None
        own = group.matrix if name_of(element) == "svg" else IDENTITY
        if element is sizes:
            own = own @ Matrix.moved(length(element.get("x"), canvas.width), length(element.get("y"), canvas.height))
        seen = style.get("overflow") in ("visible", "auto")
        clip = None if seen else Clip((rectangle(0, 0, room.width, room.height),))
        return Group((replace(group, matrix=inner),), own, clip=clip)

    def _use(self, element: Any, style: Style, canvas: Box, depth: int) -> Item | None:
        """What it refers to, once more; nothing where it would be within itself."""
        wanted = self.by_id.get(target(element))
        if wanted is None or wanted in self.used or wanted in element.iterancestors():
            return None
        self.used.append(wanted)
        name = name_of(wanted)
        inner: Item | None
        if name == "symbol":
            inner = self._placed(wanted, element, self.styles.of(wanted, style), canvas, depth + 1)
        else:
            inner = self._item(wanted, style, canvas, depth + 1)
        self.used.pop()
        if inner is None:
            return None
        x, y = length(element.get("x"), canvas.width), length(element.get("y"), canvas.height)
        matrix, opacity = transform(element.get("transform")), share(style.get("opacity"))
        moved = Group((inner,), Matrix.moved(x, y))
        return Group((moved,), matrix, opacity, self._clip(style), label(element))

    def _shape(self, element: Any, name: str, style: Style, canvas: Box) -> Shape | None:
        outline = self._outline(element, name, canvas)
        if outline is None:
            return None
        box = outline.box
        fill, fill_opacity = self._paint(style, "fill", box, canvas)
        stroke = self._stroke(style, box, canvas)
        if fill is None and stroke is None:
            return None
        return Shape(
            outline=outline,
            fill=fill,
            fill_opacity=fill_opacity,
            even_odd=style.get("fill-rule") == "evenodd",
            stroke=stroke,
            opacity=share(style.get("opacity")),
            matrix=transform(element.get("transform")),
            name=label(element),
        )

    def _outline(self, element: Any, name: str, canvas: Box) -> Outline | None:
        """The outline of a shape; None where it has none. Kept: what is used often is read once."""
        if element not in self.outlines:
            self.outlines[element] = self._parsed(element, name, canvas)
        outline = self.outlines[element]
        self.points += len(outline.points) if outline is not None else 0
        if self.points > POINTS:
            raise unreadable(f"Its lines have more than {POINTS:,} points.", self.where)
        return outline

    def _parsed(self, element: Any, name: str, canvas: Box) -> Outline | None:
        data = element.get("d") or element.get("points") or ""
        if len(data) > 4 * POINTS and len(styles.numbers(data)) > 2 * POINTS:
            raise unreadable("One of its lines is too long.", self.where)
        try:
            outline = forms.outline_of(element, name, canvas)
        except ValueError:
            self.left_out["lines that cannot be read"] += 1
            return None
        return outline if outline and bool((np.abs(outline.points) < FAR).all()) else None

    # Clips --------------------------------------------------------------------------------------------------------

    def _clipped(self, item: Shape | Picture | None, style: Style) -> Item | None:
        clip = self._clip(style) if item is not None else None
        if item is None or clip is None:
            return item
        return Group((replace(item, matrix=IDENTITY),), item.matrix, clip=clip, name=item.name)

    def _clip(self, style: Style) -> Clip | None:
        """What a clip path lets be seen: the union of its shapes. Text and clips of clips are left out."""
        named = link(style.get("clip-path"))
        element = self.by_id.get(named[0]) if named else None
        if element is None or name_of(element) != "clipPath":
            return None
        if element.get("clipPathUnits") == "objectBoundingBox":
            self.left_out["clips in parts of a box"] += 1
            return None
        outer, outlines, rule = transform(element.get("transform")), [], ""
        for child in element:
            used = name_of(child) == "use"
            found = self.by_id.get(target(child)) if used else child
            if found is None or name_of(found) not in forms.SHAPES:
                continue
            outline = self._outline(found, name_of(found), self._canvas())
            if outline is not None:
                own = transform(found.get("transform"))
                place = Matrix.moved(length(child.get("x"), 1.0), length(child.get("y"), 1.0)) if used else IDENTITY
                moved = transform(child.get("transform")) @ place @ own if used else own
                outlines.append(outline.moved(outer @ moved))
                rule = self.styles.of(found, self.styles.of(element, {})).get("clip-rule", rule)
        return Clip(tuple(outlines), even_odd=rule == "evenodd") if outlines else None

    # Paint --------------------------------------------------------------------------------------------------------

    def _paint(self, style: Style, name: Literal["fill", "stroke"], box: Box, canvas: Box) -> tuple[Paint, float]:
        opacity = share(style.get(f"{name}-opacity"))
        wanted = style.get(name, DEFAULTS[name])
        named = link(wanted)
        if named is not None:
            chain = self._chain(named[0])
            found = gradients.gradient(chain, self.styles, box, canvas) if chain else None
            if found is not None:
                return found[0], found[1] * opacity
            wanted = named[1] or "none"
        flat = styles.colour(wanted, style.get("color", "black"))
        return (None, 0.0) if flat is None or flat[1] * opacity <= 0 else (flat[0], flat[1] * opacity)

    def _chain(self, name: str) -> list[Any]:
        """A gradient and those it takes after, the nearest first."""
        found: list[Any] = []
        element = self.by_id.get(name)
        while element is not None and element not in found and len(found) < 10:
            if name_of(element) not in gradients.KINDS:
                break
            found.append(element)
            element = self.by_id.get(target(element))
        return found

    def _stroke(self, style: Style, box: Box, canvas: Box) -> Stroke | None:
        paint, opacity = self._paint(style, "stroke", box, canvas)
        diagonal = math.hypot(canvas.width, canvas.height) / math.sqrt(2)
        width = length(style.get("stroke-width"), diagonal, 1.0)
        if paint is None or not 0 < width < FAR or opacity <= 0:
            return None
        cap, join = style.get("stroke-linecap", "butt"), style.get("stroke-linejoin", "miter")
        dashes = [length(each, diagonal) for each in style.get("stroke-dasharray", "").replace(",", " ").split()[:21]]
        # Dashes far finer than the line is long would be drawn one by one, a million of them.
        solid = not dashes or min(dashes) < 0 or len(dashes) > 20
        solid = solid or sum(dashes) < 1e-3 * max(box.width, box.height, width)
        return Stroke(
            paint=paint,
            width=width,
            opacity=opacity,
            cap=cast(Any, cap if cap in ("round", "square") else "butt"),
            join=cast(Any, join if join in ("round", "bevel") else "miter"),
            miter=max(1.0, length(style.get("stroke-miterlimit"), 1.0, 4.0)),
            dashes=() if solid else tuple(dashes * (1 + len(dashes) % 2)),
            dashes_from=0.0 if solid else length(style.get("stroke-dashoffset"), diagonal),
        )

    # Pictures and words -------------------------------------------------------------------------------------------

    def _image(self, element: Any, style: Style, canvas: Box) -> Picture | None:
        """A picture that lies in the file itself; those elsewhere are never fetched."""
        head, _, body = (element.get("href") or element.get(XLINK) or "").strip().partition(",")
        if not head.startswith("data:image/") or not head.endswith(";base64"):
            self.left_out["pictures that are not in the file"] += 1
            return None
        self.pictures += 1
        if self.pictures > PICTURES:
            raise unreadable(f"It holds more than {PICTURES} pictures.", self.where)
        try:
            packed = base64.b64decode(body, validate=False)
            data, media_type, (wide, high) = clean_picture(packed, self.where)
            if self.master:  # written by this engine: to pack it once more would only make it worse
                data, media_type = packed, head[5:].removesuffix(";base64")
        except (binascii.Error, ValueError, Unreadable):
            self.left_out["pictures that cannot be read"] += 1
            return None
        x, y = length(element.get("x"), canvas.width), length(element.get("y"), canvas.height)
        wide_room = length(element.get("width"), canvas.width, wide)
        high_room = length(element.get("height"), canvas.height, high)
        if wide_room <= 0 or high_room <= 0:
            return None
        room = Box(0, 0, wide, high)
        place = forms.fitted(
            room, Box(x, y, x + wide_room, y + high_room), element.get("preserveAspectRatio", "").replace("slice", "")
        )
        matrix = transform(element.get("transform")) @ place
        return Picture(data, media_type, room, share(style.get("opacity")), matrix, label(element))

    def _text(self, element: Any, style: Style) -> Words | None:
        if self.master and element.get(texts.LETTERS):
            letters = self.by_id.get(element.get(texts.LETTERS))
            outline = self._outline(letters, "path", self._canvas()) if letters is not None else None
            return texts.words_of(element, style, self.styles, outline) if outline is not None else None
        run = texts.text_run(element, style, self.styles) if len(self.texts) < texts.MOST else None
        if run is not None:
            self.texts.append(run)
        return None


def _near(box: Box) -> bool:
    """Whether something lies where it could be seen, and is not so large that its size cannot be told."""
    return all(abs(each) < FAR**1.5 for each in (box.left, box.top, box.right, box.bottom))
