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
    """One bar of a picture with its interval: places in per cent of the axis, and the figures as text."""

    label: str
    ours: bool
    start: float
    length: float
    at: float
    low: float
    high: float
    value_text: str
    interval_text: str


@dataclass(frozen=True)
class Picture:
    """Bars on one axis ready to draw. Places are per cent of the width; `limit` is None where there is no line."""

    bars: list[Bar]
    zero: float
    least_text: str
    most_text: str
    unit: str
    limit: float | None
    limit_text: str


IN_PER_CENT = {"share": 100, "%": 1}
"""Units whose figures are told as per cent, and what makes them so."""


def amount(value: float, unit: str) -> str:
    """A figure as a person reads it: a share, and what is in %, as per cent to a tenth; all else without its unit."""
    if unit in IN_PER_CENT:
        per_cent = IN_PER_CENT[unit] * value
        return f"{figure(round(per_cent, 1) if abs(per_cent) >= 0.05 else per_cent)} %"
    return figure(value)


def picture(bars: Sequence[Mapping[str, Any]], least: float, most: float, unit: str, limit: Any) -> Picture | None:
    """Bars {label, value, low, high, ours} on an axis from `least` to `most`, with 95 % intervals and a limit.

    Bars grow from zero, or from the end of the axis that is nearest to it. What lies beyond the axis is drawn at its
    end; the text says how much it is. A bar without a number is left out; None when nothing is left.
    """
    known = [(bar, value) for bar in bars if (value := _number(bar.get("value"))) is not None]
    if not known:
        return None
    span = most - least if most > least else 1.0

    def at(value: float) -> float:
        return round(100 * min(1.0, max(0.0, (value - least) / span)), 2)

    drawn = []
    for bar, value in known:
        low, high = _number(bar.get("low")), _number(bar.get("high"))
        low, high = value if low is None else low, value if high is None else high
        start, end = sorted((at(0), at(value)))
        told = f"{amount(low, unit)} – {amount(high, unit)}" if high > low else ""
        drawn.append(
            Bar(
                label=str(bar.get("label", "")),
                ours=bool(bar.get("ours")),
                start=start,
                length=round(end - start, 2),
                at=at(value),
                low=at(low),
                high=at(high),
                value_text=amount(value, unit),
                interval_text=told,
            )
        )
    line = _number(limit)
    return Picture(
        bars=drawn,
        zero=at(0),
        least_text=amount(least, unit),
        most_text=amount(most, unit),
        unit="" if unit in IN_PER_CENT else unit,
        limit=None if line is None else at(line),
        limit_text="" if line is None else amount(line, unit),
    )


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
