"""A creator's habits as layout uses them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Habits:
    """What a creator's forms are like, 0 to 1, as layout uses it. `line` is a stroke's width in parts of a form."""

    outlined: float = 0.0
    line: float = 0.0
    line_only: float = 0.0
    curved: float = 0.5
    smooth: float = 0.5
    symmetry: float = 0.5
    cover: float = 0.45
    upper: float = 0.2
    middle: float = 0.5
