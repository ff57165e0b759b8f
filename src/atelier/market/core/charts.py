"""The geometry of charts: numbers in, places on paper out. Templates in core/charts/ draw them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

WIDTH = 400.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 96.0, 12.0, 34.0
LINE_HEIGHT = 220.0
ROW_HEIGHT = 46.0


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers that span `low`..`high`, roughly `about` of them (Heckbert, Graphics Gems, 1990)."""
    if high <= low:
        high = low + (abs(low) or 1)
    raw = (high - low) / about
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m for m in (1, 2, 2.5, 5, 10) if m * magnitude >= raw * 0.999) * magnitude
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def figure(value: float) -> str:
    """A number to three significant digits, without needless ones."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "–"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


@dataclass(frozen=True)
class Tick:
    """A round number and where it stands."""

    at: float
    label: str


@dataclass(frozen=True)
class Line:
    """One drawn series: its path, its dots when they are few, and its name at its end."""

    name: str
    path: str
    dots: list[tuple[float, float]]
    end_y: float
    number: int


@dataclass(frozen=True)
class LineChart:
    """A line chart ready to draw, and the same as a table of text."""

    lines: list[Line]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    head: list[str]
    rows: list[list[str]]
    width: float = WIDTH
    height: float = LINE_HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    bottom: float = LINE_HEIGHT - BOTTOM


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _spread(ends: list[float], gap: float = 14.0) -> list[float]:
    """Move names apart that would stand on each other, keeping their order."""
    order = sorted(range(len(ends)), key=ends.__getitem__)
    placed = list(ends)
    for before, after in pairwise(order):
        placed[after] = max(placed[after], placed[before] + gap)
    return placed


def line_chart(rows: Sequence[Mapping[str, Any]], x: str, series: Mapping[str, str]) -> LineChart | None:
    """Series over one horizontal quantity, or None when there is nothing to draw.

    `rows` hold the value of `x` (a number, else its position counts) and of each key of `series`, whose values are
    the names people read. Missing values leave no dot, and the line goes on to the next one.
    """
    places = [_number(row.get(x)) for row in rows]
    xs = [float(i) if place is None else place for i, place in enumerate(places)]
    points = {
        key: [(xs[i], y) for i, row in enumerate(rows) if (y := _number(row.get(key))) is not None] for key in series
    }
    points = {key: found for key, found in points.items() if found}
    if not points:
        return None
    values = [y for found in points.values() for _, y in found]
    y_ticks = ticks(min(values), max(values))
    low, high = y_ticks[0], y_ticks[-1]
    first, last = min(xs), max(xs)

    def at_x(value: float) -> float:
        return round(LEFT + (value - first) / ((last - first) or 1) * (WIDTH - LEFT - RIGHT), 1)

    def at_y(value: float) -> float:
        return round(LINE_HEIGHT - BOTTOM - (value - low) / (high - low) * (LINE_HEIGHT - TOP - BOTTOM), 1)

    ends = _spread([at_y(found[-1][1]) for found in points.values()])
    lines = []
    for number, (key, found) in enumerate(points.items()):
        drawn = [(at_x(px), at_y(py)) for px, py in found]
        path = "M" + "L".join(f"{px} {py}" for px, py in drawn)
        lines.append(Line(series[key], path, drawn if len(drawn) <= 12 else drawn[-1:], ends[number], number))
    labels = [row.get(x) for row in rows]
    if None in places:
        x_ticks = [Tick(at_x(xs[i]), str(labels[i])) for i in sorted({0, len(rows) - 1})]
    else:
        x_ticks = [Tick(at_x(t), figure(t)) for t in ticks(first, last) if first <= t <= last]
    table = [
        [figure(place) if place is not None else str(labels[i])]
        + [figure(y) if (y := _number(rows[i].get(key))) is not None else "–" for key in points]
        for i, place in enumerate(places)
    ]
    head = [series[key] for key in points]
    return LineChart(lines, x_ticks, [Tick(at_y(t), figure(t)) for t in y_ticks], head, table)


@dataclass(frozen=True)
class Bar:
    """One bar with its interval: places in the drawing, and the figures as text."""

    label: str
    y: float
    start: float
    length: float
    end: float
    low: float
    high: float
    has_interval: bool
    value_text: str
    interval_text: str
    main: bool


@dataclass(frozen=True)
class BarChart:
    """Bars ready to draw."""

    bars: list[Bar]
    zero: float
    height: float
    width: float = WIDTH


def interval_chart(rows: Sequence[Mapping[str, Any]]) -> BarChart | None:
    """Bars from zero, one row a value: {label, value, low, high, main}, where `low` and `high` bound a 95 % interval.

    Only `value` is needed; rows without one are left out. None when nothing is left.
    """
    known = [(row, value) for row in rows if (value := _number(row.get("value"))) is not None]
    if not known:
        return None
    bounds = [(_number(row.get("low")), _number(row.get("high"))) for row, _ in known]
    spans = [
        (value if low is None else low, value if high is None else high)
        for (_, value), (low, high) in zip(known, bounds, strict=True)
    ]
    least = min(0.0, *(min(low, value) for (low, _), (_, value) in zip(spans, known, strict=True)))
    most = max(0.0, *(max(high, value) for (_, high), (_, value) in zip(spans, known, strict=True))) or 1.0
    room = WIDTH - 70

    def at(value: float) -> float:
        return round(2 + (value - least) / ((most - least) or 1) * (room - 4), 1)

    bars = []
    for number, ((row, value), (low, high)) in enumerate(zip(known, spans, strict=True)):
        start, end = sorted((at(0), at(value)))
        bars.append(
            Bar(
                label=str(row.get("label", "")),
                y=number * ROW_HEIGHT,
                start=start,
                length=round(end - start, 1),
                end=max(end, at(high)) + 8,
                low=at(low),
                high=at(high),
                has_interval=high > low,
                value_text=figure(value),
                interval_text=f"{figure(low)} – {figure(high)}" if high > low else "",
                main=bool(row.get("main")),
            )
        )
    return BarChart(bars, at(0), len(bars) * ROW_HEIGHT)


def spark_path(values: Sequence[float], width: float = 100, height: float = 24) -> str:
    """The path of a small line without axes; empty for fewer than two values."""
    found = [value for raw in values if (value := _number(raw)) is not None]
    if len(found) < 2:
        return ""
    low, high = min(found), max(found)
    step = width / (len(found) - 1)
    drawn = (
        f"{i * step:.1f} {height - 2 - (v - low) / ((high - low) or 1) * (height - 4):.1f}" for i, v in enumerate(found)
    )
    return "M" + "L".join(drawn)
