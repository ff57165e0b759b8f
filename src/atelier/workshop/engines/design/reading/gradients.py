"""Gradients of an SVG file, in the units of the shapes that they fill."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, cast

from atelier.workshop.engines.design.outline import Box, Matrix
from atelier.workshop.engines.design.scene import Gradient, Stop

from . import styles
from .styles import Styles, length, share, transform

KINDS = ("linearGradient", "radialGradient")
STOPS = 64


def gradient(chain: list[Any], sheets: Styles, box: Box, canvas: Box) -> tuple[Gradient | str, float] | None:
    """A gradient, or the one colour that it comes to, and its opacity; None where there is none.

    `chain` is the element and those it takes after, the nearest first; `box` is that of the shape.
    """
    stops = next((found for element in chain if (found := _stops(element, sheets))), ())
    if len(stops) < 2:
        return (stops[0].colour, stops[0].opacity) if stops else None

    def said(attribute: str, default: str) -> str:
        return next((e.get(attribute) for e in chain if e.get(attribute) is not None), default)

    matrix = transform(said("gradientTransform", ""))
    of_box = said("gradientUnits", "objectBoundingBox") != "userSpaceOnUse"
    if of_box:
        if box.width <= 0 or box.height <= 0:
            middle = stops[len(stops) // 2]
            return middle.colour, middle.opacity
        matrix = Matrix(box.width, 0, 0, box.height, box.left, box.top) @ matrix
        canvas = Box(0, 0, 1, 1)
    kind: Literal["linear", "radial"] = "linear" if _local(chain[0]) == "linearGradient" else "radial"
    across = _across(kind, said, canvas)
    if (kind == "radial" and across[2] <= 0) or abs(matrix.a * matrix.d - matrix.b * matrix.c) < 1e-12:
        return stops[-1].colour, stops[-1].opacity
    spread = said("spreadMethod", "pad")
    known = spread if spread in ("reflect", "repeat") else "pad"
    return Gradient(kind, across, stops, matrix, cast(Any, known)), 1.0


def _across(kind: str, said: Callable[[str, str], str], canvas: Box) -> tuple[float, ...]:
    wide, high = canvas.width, canvas.height
    diagonal = math.hypot(wide, high) / math.sqrt(2)
    if kind == "linear":
        named = [("x1", "0%", wide), ("y1", "0%", high), ("x2", "100%", wide), ("y2", "0%", high)]
    else:
        cx, cy = said("cx", "50%"), said("cy", "50%")
        named = [("cx", cx, wide), ("cy", cy, high), ("r", "50%", diagonal), ("fx", cx, wide), ("fy", cy, high)]
    return tuple(length(said(attribute, default), whole) for attribute, default, whole in named)


def _stops(element: Any, sheets: Styles) -> tuple[Stop, ...]:
    found: list[Stop] = []
    last = 0.0
    for child in element:
        if _local(child) != "stop" or len(found) >= STOPS:
            continue
        style = sheets.of(child, {})
        flat = styles.colour(style.get("stop-color", "black"), style.get("color", "black")) or ("#000000", 1.0)
        last = max(last, share(child.get("offset"), 0.0))
        found.append(Stop(last, flat[0], flat[1] * share(style.get("stop-opacity"))))
    return tuple(found)


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
