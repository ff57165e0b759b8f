"""What a creator does not want used: colours, habits and motifs, by the names that parts of a version go by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from atelier.workshop.guardrails import find

from .learning.palette import Palette
from .learning.traits import Traits

if TYPE_CHECKING:
    from .learning.style import Style

HABITS = {
    "line": ("outlined", "line_only", "line", "line_varies", "round_ends"),
    "form": ("curved", "smooth", "graded", "sheer"),
    "composition": ("cover", "symmetry", "tones"),
    "type": ("upper", "middle", "contrast", "families", "letter_smooth", "letter_heavy", "letter_contrast"),
}
"""Habits that are turned off together, and the traits that they are made of."""


@dataclass(frozen=True)
class Vetoed:
    """Names without their kind: `motifs` are those of motifs, `colours` #rrggbb."""

    habits: frozenset[str] = frozenset()
    colours: frozenset[str] = frozenset()
    motifs: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    """What a creator's guardrails forbid: no motif that is called so is shown."""

    @classmethod
    def named(cls, names: Iterable[str], words: tuple[str, ...] = ()) -> Vetoed:
        """From `habit:line`, `colour:#aabbcc`, `motif:0123456789abcdef-2`; unknown names are passed over."""
        told = [name.partition(":")[::2] for name in names]
        return cls(
            frozenset(name for kind, name in told if kind == "habit" and name in HABITS),
            frozenset(name for kind, name in told if kind == "colour"),
            frozenset(name for kind, name in told if kind == "motif"),
            words,
        )

    def __bool__(self) -> bool:
        return bool(self.habits or self.colours or self.motifs or self.words)


NOTHING = Vetoed()


def without(style: Style, vetoed: Vetoed) -> Style:
    """The style with what is vetoed left out; at least one colour stays."""
    if not vetoed:
        return style
    kept = [
        n
        for n, motif in enumerate(style.motifs)
        if motif.name not in vetoed.motifs and (not vetoed.words or find(", ".join(motif.words), vetoed.words) is None)
    ]
    return replace(
        style,
        palette=_painted(style.palette, vetoed.colours),
        traits=_plain(style.traits, vetoed.habits),
        motifs=tuple(style.motifs[n] for n in kept),
        vectors=style.vectors[kept] if kept else np.zeros((0, style.vectors.shape[1]), np.float32),
    )


def _painted(palette: Palette, vetoed: frozenset[str]) -> Palette:
    kept = [n for n, swatch in enumerate(palette.swatches) if swatch.colour not in vetoed] or [0]
    if not palette.swatches:
        return palette
    return Palette(
        tuple(palette.swatches[n] for n in kept), tuple(tuple(palette.together[n][m] for m in kept) for n in kept)
    )


def _plain(traits: Traits, habits: frozenset[str]) -> Traits:
    usual = Traits()
    off = {name for habit in habits for name in HABITS[habit]}
    return replace(traits, **{each.name: getattr(usual, each.name) for each in fields(Traits) if each.name in off})
