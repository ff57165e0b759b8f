"""What CSS says of an SVG element: style sheets, style attributes and presentation attributes, told as one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from atelier.workshop.engines.design.outline import IDENTITY, Matrix
from atelier.workshop.engines.design.scene import Colour

INHERITED = frozenset((
    "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset", "color", "visibility", "clip-rule",
    "font-family", "font-size", "font-weight", "font-style", "text-anchor",
))  # fmt: skip
OWN = frozenset((
    "opacity", "display", "clip-path", "mask", "filter", "stop-color", "stop-opacity", "overflow", "transform",
))  # fmt: skip
KNOWN = INHERITED | OWN
DEFAULTS = {"fill": "black", "stroke": "none", "stroke-width": "1", "color": "black", "font-size": "16"}

Style = Mapping[str, str]

_UNITS = {
    "": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0, "q": 96 / 101.6,
    "em": 16.0, "ex": 8.0, "rem": 16.0,
}  # fmt: skip
_LENGTH = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(%|[a-zA-Z]*)\s*$")
_CALL = re.compile(r"(matrix|translate|scale|rotate|skewX|skewY)\s*\(([^)]*)\)")
_RELATION = re.compile(r"[\s>+~]+")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LINK = re.compile(r"\s*url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)\s*(.*)$", re.DOTALL)
SHEET_BYTES = 200_000
RULES = 2_000
SELECTOR_LETTERS, RELATIONS = 2_000, 2
"""A selector may be so long, and may name so many elements above or beside the one that it is about."""


class Styles:
    """All the style sheets of a document, asked element by element."""

    def __init__(self, root: Any, sheets: list[str]) -> None:
        import cssselect2

        self._matcher = cssselect2.Matcher()
        rules = [rule for sheet in sheets for rule in _rules(sheet)]
        wrapped = cssselect2.ElementWrapper.from_xml_root(root).iter_subtree() if rules else ()
        self._wrapped = {each.etree_element: each for each in wrapped}
        for rule in rules[:RULES]:
            self._add(rule)

    def _add(self, rule: Any) -> None:
        import cssselect2
        import tinycss2

        try:
            said = _declarations(tinycss2.serialize(rule.content))
            if not said or _far_fetched(tinycss2.serialize(rule.prelude)):
                return
            selectors = cssselect2.compile_selector_list(rule.prelude)
        except (cssselect2.SelectorError, SyntaxError, RecursionError):  # it compiles selectors to Python
            return
        for selector in selectors:
            if selector.pseudo_element is None:
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


def _rules(sheet: str) -> list[Any]:
    import tinycss2

    try:
        found = tinycss2.parse_stylesheet(sheet[:SHEET_BYTES], skip_comments=True, skip_whitespace=True)
    except RecursionError:  # brackets within brackets
        return []
    return [rule for rule in found if rule.type == "qualified-rule"]


def _far_fetched(prelude: str) -> bool:
    """Whether a rule asks about so many elements above another that deciding it could take for ever."""
    return (
        len(prelude) > SELECTOR_LETTERS
        or "~" in prelude
        or prelude.count("(") > 4
        or any(len(_RELATION.findall(each.strip())) > RELATIONS for each in prelude.split(","))
    )


def _declarations(text: str) -> dict[str, str]:
    """`a: b; c: d` as a mapping of what is known; the last of the same name wins, as in CSS without `!important`."""
    found = {}
    for part in text.split(";"):
        name, colon, value = part.partition(":")
        if colon and name.strip().lower() in KNOWN:
            found[name.strip().lower()] = value.replace("!important", "").strip()
    return found


@lru_cache(8192)
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
    """The numbers of a list, however they are kept apart; none where one is beyond all measure."""
    found = [float(each) for each in _NUMBER.findall(text or "")]
    return found if all(abs(each) < 1e12 for each in found) else []


@lru_cache(2048)
def colour(text: str | None, current: str = "black") -> tuple[Colour, float] | None:
    """A colour and its opacity; None for `none` and for what is no colour."""
    from tinycss2.color4 import parse_color

    found = parse_color((text or "").split("icc-color")[0].strip())
    if found == "currentcolor":
        found = parse_color(current)
    if found is None or isinstance(found, str):
        return None
    try:
        channels = found.to("srgb").coordinates
    except (NotImplementedError, KeyError, ValueError):  # colours that few screens can show
        return None
    red, green, blue = (round(255 * min(1.0, max(0.0, each or 0.0))) for each in channels)
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
