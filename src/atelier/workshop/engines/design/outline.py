"""Outlines of shapes: lines and curves as arrays, moved, measured and written as SVG path data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
TAKES = {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 0}
"""How many points each verb takes."""


@dataclass(frozen=True)
class Matrix:
    """An affine map as SVG writes it: (x, y) becomes (ax + cy + e, bx + dy + f)."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def __matmul__(self, inner: Matrix) -> Matrix:
        """First `inner`, then this."""
        return Matrix(
            self.a * inner.a + self.c * inner.b,
            self.b * inner.a + self.d * inner.b,
            self.a * inner.c + self.c * inner.d,
            self.b * inner.c + self.d * inner.d,
            self.a * inner.e + self.c * inner.f + self.e,
            self.b * inner.e + self.d * inner.f + self.f,
        )

    @classmethod
    def scaled(cls, x: float, y: float | None = None) -> Matrix:
        return cls(a=x, d=x if y is None else y)

    @classmethod
    def moved(cls, x: float, y: float) -> Matrix:
        return cls(e=x, f=y)

    @classmethod
    def turned(cls, degrees: float, x: float = 0.0, y: float = 0.0) -> Matrix:
        sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
        return cls(cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y)

    @property
    def scale(self) -> float:
        """By how much lengths grow, on the mean."""
        return math.sqrt(abs(self.a * self.d - self.b * self.c))

    @property
    def numbers(self) -> tuple[float, float, float, float, float, float]:
        return self.a, self.b, self.c, self.d, self.e, self.f

    def apply(self, points: Points) -> Points:
        moved: Points = points @ np.array([[self.a, self.b], [self.c, self.d]]) + (self.e, self.f)
        return moved

    def svg(self) -> str:
        return f"matrix({' '.join(exact(each) for each in self.numbers)})"


IDENTITY = Matrix()


class Box(NamedTuple):
    """A rectangle with its sides along the axes; `right` is not less than `left`, `bottom` not less than `top`."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def __or__(self, other: Box) -> Box:
        """The least box that holds both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def __and__(self, other: Box) -> Box | None:
        """What both have in common; None where they do not meet."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Box(left, top, right, bottom) if left < right and top < bottom else None

    def meets(self, other: Box) -> bool:
        """Whether both have anything in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def grown(self, by: float) -> Box:
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def holds(self, other: Box, slack: float = 1e-6) -> bool:
        return (
            self.left - slack <= other.left
            and self.top - slack <= other.top
            and other.right <= self.right + slack
            and other.bottom <= self.bottom + slack
        )

    def moved(self, matrix: Matrix) -> Box:
        """The least box that holds this one after a map."""
        left, top, right, bottom = self
        a, b, c, d, e, f = matrix.numbers
        across, down = sorted((a * left, a * right)), sorted((d * top, d * bottom))
        if b or c:
            aside, under = sorted((c * top, c * bottom)), sorted((b * left, b * right))
            across, down = [across[n] + aside[n] for n in (0, 1)], [down[n] + under[n] for n in (0, 1)]
        return Box(across[0] + e, down[0] + f, across[1] + e, down[1] + f)

    def inside(self, room: Box) -> Matrix:
        """The map that brings this box, as large as it goes and not distorted, to the middle of a room."""
        scale = min(room.width / max(self.width, 1e-9), room.height / max(self.height, 1e-9))
        (x, y), (to_x, to_y) = self.middle, room.middle
        return Matrix(scale, 0, 0, scale, to_x - scale * x, to_y - scale * y)


def box_of(points: Points) -> Box:
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return Box(float(left), float(top), float(right), float(bottom))


def union(boxes: Iterable[Box]) -> Box | None:
    found: Box | None = None
    for box in boxes:
        found = box if found is None else found | box
    return found


def number(value: float, digits: int = 2) -> str:
    """A number as short as it can be written."""
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def exact(value: float) -> str:
    """A number to eight significant digits, as short as it can be written, whatever its size."""
    return "0" if value == 0 else f"{value:.8g}"


_WRITTEN = {verb: verb + " ".join(["%.12g"] * 2 * taken) for verb, taken in TAKES.items()}


def _path_data(verbs: str, points: Points, digits: int) -> str:
    """All numbers as `number` writes them, but at once, in a third of the time: what is rounded has no zeros behind."""
    rounded = (points.round(digits) + 0.0).ravel().tolist()  # + 0.0, since -0 is written as 0
    text = "".join(map(_WRITTEN.__getitem__, verbs)) % tuple(rounded)
    if "e" not in text:
        return text
    each = iter([number(value, digits) for value in rounded])
    return "".join(verb + " ".join(itertools.islice(each, 2 * TAKES[verb])) for verb in verbs)


@dataclass(frozen=True, eq=False)
class Outline:
    """Lines and curves: `verbs` of M, L, Q, C and Z, each with its points in `points`, all absolute."""

    verbs: str
    points: Points

    def __bool__(self) -> bool:
        return len(self.points) > 1

    @cached_property
    def box(self) -> Box:
        """The box of the curves themselves, not of the points that steer them."""
        extremes = [box_of(self.points[[place for place, _ in self._ends()]])] if self.verbs else []
        for start, controls in self._curves():
            inner = _extremes(np.vstack((start[None], controls)))
            if len(inner):
                extremes.append(box_of(inner))
        found = union(extremes)
        return found or Box(0, 0, 0, 0)

    def moved(self, matrix: Matrix) -> Outline:
        return self if matrix == IDENTITY else Outline(self.verbs, matrix.apply(self.points))

    def svg(self, digits: int = 2) -> str:
        """Path data; relative would be shorter, absolute is easier to edit and to compare.

        Kept with the outline: a motif is written in every piece that shows it.
        """
        known: str | None = self.__dict__.get(f"_svg_{digits}")
        if known is None:
            known = self.__dict__[f"_svg_{digits}"] = _path_data(self.verbs, self.points, digits)
        return known

    @property
    def curved(self) -> float:
        """The share of its drawn parts that are curves."""
        drawn = sum(map(self.verbs.count, "LQC"))
        return sum(map(self.verbs.count, "QC")) / drawn if drawn else 0.0

    def _ends(self) -> Iterable[tuple[int, str]]:
        place = 0
        for verb in self.verbs:
            place += TAKES[verb]
            if TAKES[verb]:
                yield place - 1, verb

    def _curves(self) -> Iterable[tuple[Points, Points]]:
        place, last = 0, np.zeros(2)
        for verb in self.verbs:
            taken = self.points[place : place + TAKES[verb]]
            if verb in "QC":
                yield last, taken
            if len(taken):
                last = taken[-1]
            place += TAKES[verb]


def _extremes(curve: Points) -> Points:
    """Where a Bézier curve of two or three control points turns back in x or in y."""
    found = []
    degree = len(curve) - 1
    for axis in (0, 1):
        p = curve[:, axis]
        if degree == 2:
            under = p[0] - 2 * p[1] + p[2]
            roots = [(p[0] - p[1]) / under] if abs(under) > 1e-12 else []
        else:
            a, b, c = -p[0] + 3 * p[1] - 3 * p[2] + p[3], 2 * (p[0] - 2 * p[1] + p[2]), p[1] - p[0]
            if abs(a) < 1e-12:
                roots = [-c / b] if abs(b) > 1e-12 else []
            else:
                root = b * b - 4 * a * c
                roots = [(-b + sign * math.sqrt(root)) / (2 * a) for sign in (1, -1)] if root >= 0 else []
        found += [_at(curve, t) for t in roots if 0 < t < 1]
    return np.array(found).reshape(-1, 2)


def _at(curve: Points, t: float) -> Points:
    while len(curve) > 1:
        curve = curve[:-1] * (1 - t) + curve[1:] * t
    return np.asarray(curve[0])


# Where the controls of a quarter of a circle as one cubic curve lie: https://spencermortensen.com/articles/bezier-circle/
_CIRCLE = 0.5519150244935106


def rectangle(left: float, top: float, width: float, height: float, rx: float = 0.0, ry: float = 0.0) -> Outline:
    """A rectangle, its corners rounded by the radii where there are any."""
    rx, ry = min(rx, width / 2), min(ry, height / 2)
    right, bottom = left + width, top + height
    if rx <= 0 or ry <= 0:
        return Outline("MLLLZ", np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float))
    k, j = rx * (1 - _CIRCLE), ry * (1 - _CIRCLE)
    points = [
        (left + rx, top), (right - rx, top), (right - k, top), (right, top + j), (right, top + ry),
        (right, bottom - ry), (right, bottom - j), (right - k, bottom), (right - rx, bottom),
        (left + rx, bottom), (left + k, bottom), (left, bottom - j), (left, bottom - ry),
        (left, top + ry), (left, top + j), (left + k, top), (left + rx, top),
    ]  # fmt: skip
    return Outline("MLCLCLCLCZ", np.array(points, float))


def ellipse(x: float, y: float, rx: float, ry: float) -> Outline:
    """An ellipse that begins at its right and goes down first, as SVG's does: dashes count from there."""
    k, j = rx * _CIRCLE, ry * _CIRCLE
    points = [
        (x + rx, y), (x + rx, y + j), (x + k, y + ry), (x, y + ry), (x - k, y + ry), (x - rx, y + j), (x - rx, y),
        (x - rx, y - j), (x - k, y - ry), (x, y - ry), (x + k, y - ry), (x + rx, y - j), (x + rx, y),
    ]  # fmt: skip
    return Outline("MCCCCZ", np.array(points, float))


def polygon(points: Iterable[tuple[float, float]], *, closed: bool) -> Outline:
    found = np.array(list(points), float).reshape(-1, 2)
    return Outline("M" + "L" * (len(found) - 1) + ("Z" if closed else ""), found)


# Reading path data ----------------------------------------------------------------------------------------------


def parse(data: str) -> Outline:
    """The outline of SVG path data. Errors: ValueError where it is none."""
    from fontTools.svgLib.path import parse_path

    pen = OutlinePen()
    try:
        parse_path(data, pen)
    except (IndexError, AssertionError, TypeError, ValueError) as error:
        raise ValueError(f"the path data cannot be read: {error}") from error
    return pen.outline


class OutlinePen:
    """A pen of fontTools that keeps what is drawn with it."""

    def __init__(self) -> None:
        self.verbs: list[str] = []
        self.points: list[tuple[float, float]] = []
        self._begun = 0

    @property
    def outline(self) -> Outline:
        return Outline("".join(self.verbs), np.array(self.points, float).reshape(-1, 2))

    def moveTo(self, point: tuple[float, float]) -> None:
        self._add("M", point)

    def lineTo(self, point: tuple[float, float]) -> None:
        self._add("L", point)

    def curveTo(self, *points: tuple[float, float]) -> None:
        self._add("C", *points)

    def qCurveTo(self, *points: tuple[float, float]) -> None:
        """With more than two points, those between lie on the curve halfway (TrueType)."""
        *controls, end = points
        for first, second in itertools.pairwise(controls):
            self._add("Q", first, ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2))
        self._add("Q", controls[-1], end)

    def closePath(self) -> None:
        """To the beginning. A line that leads there, as fontTools draws one, would make a corner of no length."""
        if self.verbs[-2:] != ["M", "L"] and self.verbs[-1:] == ["L"] and self.points[-1] == self.points[self._begun]:
            self.verbs.pop()
            self.points.pop()
        self.verbs.append("Z")

    def endPath(self) -> None:
        """An open line ends; nothing is to be drawn."""

    def _add(self, verb: str, *points: tuple[float, float]) -> None:
        if verb == "M":
            self._begun = len(self.points)
        self.verbs.append(verb)
        self.points += points
