"""SVG's shapes as outlines, and drawings fitted into their places."""

from __future__ import annotations

import math
from typing import Any

from atelier.workshop.engines.design.outline import Box, Matrix, Outline, ellipse, parse, polygon, rectangle

from . import styles
from .styles import length

SHAPES = frozenset(("path", "rect", "circle", "ellipse", "line", "polyline", "polygon"))


def outline_of(element: Any, name: str, canvas: Box) -> Outline | None:
    """A shape's outline; None where it has no extent. Errors: ValueError where it cannot be read."""
    if name == "path":
        data = element.get("d")
        return parse(data) if data else None
    diagonal = math.hypot(canvas.width, canvas.height) / math.sqrt(2)

    def size(attribute: str, default: float = 0.0) -> float:
        whole = canvas.height if attribute in ("y", "cy", "y1", "y2", "height", "ry") else canvas.width
        return length(element.get(attribute), diagonal if attribute == "r" else whole, default)

    if name in ("polyline", "polygon"):
        values = styles.numbers(element.get("points"))
        pairs = list(zip(values[::2], values[1::2], strict=False))
        return polygon(pairs, closed=name == "polygon") if len(pairs) > 1 else None
    if name == "line":
        return polygon([(size("x1"), size("y1")), (size("x2"), size("y2"))], closed=False)
    if name == "rect":
        wide, high, rx, ry = size("width"), size("height"), size("rx", -1), size("ry", -1)
        rx, ry = (ry if rx < 0 else rx), (rx if ry < 0 else ry)
        return rectangle(size("x"), size("y"), wide, high, max(rx, 0), max(ry, 0)) if wide > 0 and high > 0 else None
    rx = size("r") if name == "circle" else size("rx")
    ry = rx if name == "circle" else size("ry")
    return ellipse(size("cx"), size("cy"), rx, ry) if rx > 0 and ry > 0 else None


def view_of(element: Any) -> Box | None:
    """What an element's `viewBox` shows; None where it shows nothing."""
    view = styles.numbers(element.get("viewBox"))
    if len(view) != 4 or not (0 < view[2] < 1e7 and 0 < view[3] < 1e7 and max(map(abs, view[:2])) < 1e7):
        return None
    return Box(view[0], view[1], view[0] + view[2], view[1] + view[3])


def fitted(view: Box, room: Box, wish: str) -> Matrix:
    """The map from a view to its room, as `preserveAspectRatio` wishes (SVG 2, 8.9)."""
    wide, high = room.width / view.width, room.height / view.height
    if "none" in wish:
        return Matrix(wide, 0, 0, high, room.left - wide * view.left, room.top - high * view.top)
    scale = max(wide, high) if "slice" in wish else min(wide, high)
    along = {"xMin": 0.0, "xMax": 1.0}.get(wish.strip()[:4], 0.5)
    down = 0.0 if "YMin" in wish else 1.0 if "YMax" in wish else 0.5
    x = room.left + along * (room.width - scale * view.width) - scale * view.left
    y = room.top + down * (room.height - scale * view.height) - scale * view.top
    return Matrix(scale, 0, 0, scale, x, y)
