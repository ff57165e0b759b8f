"""Training curves as a chart shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

MOST_POINTS = 300


@dataclass(frozen=True)
class Curve:
    """Points for a line chart over `step`, and `y` as `key=words` pairs."""

    rows: list[dict[str, float]]
    y: str


def curve_of(points: Sequence[dict[str, float]]) -> Curve:
    """Points thinned to what a chart can show. Knows common names of series and shows unknown ones as they are."""
    names = list(dict.fromkeys(name for point in points for name in point if name not in {"step", "epoch"}))
    words = {
        "loss": _("works it learns from (now)"),
        "train_loss": _("works it learns from"),
        "validation_loss": _("works held out to stop in time"),
        "words": _("words seen"),
    }
    stride = max(1, len(points) // MOST_POINTS)
    shown = [name for name in names if name not in {"seconds", "learning_rate", "lr"}]
    # A comma parts the series, so no series may be called by one.
    called = {name: words.get(name, name.replace("_", " ")).replace(",", "") for name in shown}
    return Curve(rows=list(points[::stride]), y=",".join(f"{name}={called[name]}" for name in shown))
