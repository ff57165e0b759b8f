"""Figures as pictures: bars on one axis, with their intervals and the line that matters."""

from __future__ import annotations

from collections.abc import Mapping

from atelier.workshop.contract import Measure
from atelier.workshop.contract.specs import Bar, Picture

OURS = "This version"


def picture(
    title: str,
    figures: Mapping[str, Measure],
    *,
    unit: str = "",
    most: float | None = None,
    limit: float | None = None,
    limit_label: str = "",
    ours: str = OURS,
) -> Picture:
    """Each figure as a bar from zero by its label; percent where the unit says so. Without `most`, all that is there
    fits with a little room."""
    times = 100.0 if unit == "%" else 1.0
    bars = tuple(
        Bar(label=label, value=times * m.value, low=times * m.low, high=times * m.high, ours=label == ours)
        for label, m in figures.items()
    )
    highest = 1.1 * max((*(bar.high for bar in bars), limit or 0.0), default=0.0) or 1.0
    return Picture(
        title=title,
        bars=bars,
        least=0.0,
        most=highest if most is None else most,
        unit=unit,
        limit=limit,
        limit_label=limit_label,
    )
