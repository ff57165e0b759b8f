"""Words of an SVG file: what they say of their author's type, and the lines of this engine's own masters."""

from __future__ import annotations

from typing import Any, Literal

from atelier.workshop.engines.design.outline import Outline
from atelier.workshop.engines.design.scene import Run, TextRun, Words

from . import styles
from .metadata import plain
from .styles import Style, Styles, length, transform
from .tree import label, name_of

LETTERS = "{urn:atelier:design:1}letters"
"""On a line of this engine's own masters: the name of the outlines of its letters."""
WORDS = 500
MOST = 200


def text_run(element: Any, style: Style, sheets: Styles) -> TextRun | None:
    """How an author sets type, from one `text`; None where it says nothing."""
    words = plain("".join(element.itertext()))[:WORDS]
    if not words:
        return None
    inner = next((child for child in element.iter() if name_of(child) == "tspan"), None)
    said = sheets.of(inner, style) if inner is not None else style
    flat = styles.colour(said.get("fill", "black"))
    return TextRun(
        words=words,
        family=_family(said),
        size=length(said.get("font-size"), 16.0, 16.0) * transform(element.get("transform")).scale,
        weight=said.get("font-weight", "normal"),
        anchor=said.get("text-anchor", "start"),
        colour=flat[0] if flat else "#000000",
    )


def words_of(element: Any, style: Style, sheets: Styles, outline: Outline) -> Words:
    """A line as `writing` wrote it, with the outlines of its letters."""
    parts = [child for child in element if name_of(child) == "tspan"]
    runs = [_run(child, sheets.of(child, style)) for child in parts] or [_run(element, style)]
    flat = styles.colour(style.get("fill", "black"))
    anchor: Literal["start", "middle", "end"] = "start"
    if style.get("text-anchor") in ("middle", "end"):
        anchor = "middle" if style["text-anchor"] == "middle" else "end"
    return Words(
        outline=outline,
        fill=flat[0] if flat else "#000000",
        matrix=transform(element.get("transform")),
        name=label(element),
        runs=tuple(runs),
        size=length(style.get("font-size"), 16.0, 16.0),
        x=length(element.get("x"), 1.0),
        y=length(element.get("y"), 1.0),
        anchor=anchor,
        direction="rtl" if element.get("direction") == "rtl" else "ltr",
        spacing=length(element.get("letter-spacing"), 1.0),
    )


def _run(element: Any, style: Style) -> Run:
    weight = style.get("font-weight", "400")
    generic = style.get("font-family", "").rpartition(",")[2].strip(" '\"") or "sans-serif"
    return Run(
        text="".join(element.itertext()),
        family=_family(style),
        weight=int(weight) if weight.isdecimal() else 700 if weight == "bold" else 400,
        generic=generic,
    )


def _family(style: Style) -> str:
    return style.get("font-family", "").split(",")[0].strip(" '\"")[:80]
