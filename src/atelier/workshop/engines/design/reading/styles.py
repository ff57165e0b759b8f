"""What CSS says of an SVG element: style sheets, style attributes and presentation attributes, in that order of force."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..outline import IDENTITY, Matrix
from ..scene import Colour

INHERITED = frozenset(
    [
        "fill",
        "fill-opacity",
        "fill-rule",
        "stroke",
        "stroke-width",
        "stroke-opacity",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-miterlimit",
        "stroke-dasharray",
        "color",
        "visibility",
        "clip-rule",
        "font-family",
        "font-size",
        "font-weight",
        "font-style",
        "text-anchor",
    ]
)
OWN = frozenset(
    ["opacity", "display", "clip-path", "mask", "filter", "stop-color", "stop-opacity", "overflow", "transform"]
)
KNOWN = INHERITED | OWN
DEFAULTS = {"fill": "black", "stroke": "none", "stroke-width": "1", "color": "black", "font-size": "16"}

Style = Mapping[str, str]

_UNITS = {
    "": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "q": 96 / 101.6,
    "em": 16.0, "ex": 8.0, "rem": 16.0,
}  # fmt: skip
_LENGTH = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(%|[a-zA-Z]*)\s*$")
_CALL = re.compile(r"(matrix|translate|scale|rotate|skewX|skewY)\s*\(([^)]*)\)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LINK = re.compile(r"\s*url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)\s*(.*)$", re.DOTALL)
SHEET_BYTES = 200_000
RULES = 2_000


class Styles:
    """All the style sheets of a document, asked element by element."""

    def __init__(self, root: Any, sheets: list[str]) -> None:
        import cssselect2
        import tinycss2

        self._matcher = cssselect2.Matcher()
        rules = [
            rule
            for sheet in sheets
            for rule in tinycss2.parse_stylesheet(sheet[:SHEET_BYTES], skip_comments=True, skip_whitespace=True)
            if rule.type == "qualified-rule"
        ]
        wrapped = cssselect2.ElementWrapper.from_xml_root(root).iter_subtree() if rules else ()
        self._wrapped = {each.etree_element: each for each in wrapped}
        for rule in rules[:RULES]:
            said = _declarations(tinycss2.serialize(rule.content))
            try:
                selectors = cssselect2.compile_selector_list(rule.prelude)
            except cssselect2.SelectorError:
                continue
            for selector in selectors:
                self._matcher.add_selector(selector, said)

    def of(self, element: Any, inherited: Style) -> dict[str, str]:
        """The style of an element whose parent has the style `inherited`."""
        own = {name: value for name, value in element.attrib.items() if name in KNOWN}
        if element in self._wrapped:
            for *_, said in sorted(self._matcher.match(self._wrapped[element]), key=lambda match: match[:2]):
                own.update(said)
        own.update(_declarations(element.get("style", "")))
        kept = {name: value for name, value in inherited.items() if name in INHERITED}
        for name, value in own.items():
            if value != "inherit":
                kept[name] = value
            elif name in inherited:
                kept[name] = inherited[name]
        return kept


def _declarations(text: str) -> dict[str, str]:
    """`a: b; c: d` as a mapping of what is known; the last of the same name wins, as in CSS without `!important`."""
    found = {}
    for part in text.split(";"):
        name, colon, value = part.partition(":")
        if colon and name.strip().lower() in KNOWN:
            found[name.strip().lower()] = value.replace("!important", "").strip()
    return found


def length(text: str | None, whole: float, default: float = 0.0) -> float:
    """A length in user units; per cent are of `whole`. What cannot be read is the default."""
    match = _LENGTH.match(text or "")
    if match is None:
        return default
    value, unit = float(match[1]), match[2].lower()
    found = value / 100 * whole if unit == "%" else value * _UNITS.get(unit, 1.0)
    return found if abs(found) < 1e9 else default


def share(text: str | None, default: float = 1.0) -> float:
    """0 to 1, of a number or per cent."""
    return min(1.0, max(0.0, length(text, 1.0, default)))


def numbers(text: str | None) -> list[float]:
    return [float(each) for each in _NUMBER.findall(text or "")]


def colour(text: str | None, current: str = "black") -> tuple[Colour, float] | None:
    """A colour and its opacity; None for `none` and for what is no colour."""
    from tinycss2.color3 import parse_color

    words = (text or "").split("icc-color")[0].strip()
    found = parse_color(words)
    if found == "currentColor":
        found = parse_color(current)
    if found is None or isinstance(found, str):
        return None
    red, green, blue = (round(255 * min(1.0, max(0.0, each))) for each in found[:3])
    return f"#{red:02x}{green:02x}{blue:02x}", min(1.0, max(0.0, float(found.alpha)))


def link(text: str | None) -> tuple[str, str] | None:
    """The name that `url(#name) other` refers to within the same file, and what is said after it."""
    match = _LINK.match(text or "")
    return (match[1], match[2].strip()) if match else None


def transform(text: str | None) -> Matrix:
    """The map of a `transform` attribute; parts that cannot be read are left out."""
    found = IDENTITY
    for name, inside in _CALL.findall(text or ""):
        values = numbers(inside)
        found = found @ _map(name, values)
    return found


def _map(name: str, values: list[float]) -> Matrix:
    from math import radians, tan

    count = len(values)
    if name == "matrix" and count == 6:
        return Matrix(*values)
    if name == "translate" and count in (1, 2):
        return Matrix.moved(values[0], values[1] if count == 2 else 0.0)
    if name == "scale" and count in (1, 2):
        return Matrix.scaled(*values)
    if name == "rotate" and count in (1, 3):
        return Matrix.turned(*values)
    if name == "skewX" and count == 1:
        return Matrix(c=tan(radians(values[0])))
    if name == "skewY" and count == 1:
        return Matrix(b=tan(radians(values[0])))
    return IDENTITY
