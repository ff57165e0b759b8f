"""Charts as inline SVG, drawn on the server, readable without colour, with their table one click away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from atelier.market.core import charts

register = template.Library()


@register.inclusion_tag("core/charts/line.html")
def line_chart(
    title: str, rows: Sequence[Mapping[str, Any]], x: str, y: str, unit: str = "", x_title: str = ""
) -> dict[str, Any]:
    """Lines over `x`; `y` names keys and their words: `train=Training works,validation=Works held out`."""
    pairs = (pair.partition("=") for pair in y.split(","))
    series = {key.strip(): words.strip() or key.strip() for key, _, words in pairs}
    chart = charts.line_chart(rows or [], x, series)
    return {"title": title, "chart": chart, "unit": unit, "x_title": x_title or x}


@register.inclusion_tag("core/charts/picture.html")
def picture(drawn: Mapping[str, Any] | None) -> dict[str, Any]:
    """Bars with 95 % intervals on one axis, and a limit line: {title, bars, least, most, unit, limit, limit_label}."""
    given = drawn or {}
    shown = charts.picture(
        given.get("bars") or [],
        given.get("least", 0.0),
        given.get("most", 1.0),
        given.get("unit", ""),
        given.get("limit"),
    )
    return {"title": given.get("title", ""), "limit_label": given.get("limit_label", ""), "picture": shown}


@register.simple_tag
def sparkline(values: Sequence[float], label: str = "") -> SafeString:
    """A line the size of a word; `label` says what it shows, else it is hidden from screen readers."""
    path = charts.spark_path(values)
    if not path:
        return mark_safe("")
    told = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" {}><path d="{}"/></svg>', told, path
    )
