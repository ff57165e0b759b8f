"""Colours for one piece, drawn from a creator's palette by role, share, and what stands together in their works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.engines.design.colour import (
    LARGE_CONTRAST,
    TEXT_CONTRAST,
    chroma,
    contrast,
    distance,
    lab,
    readable,
    toned,
)
from atelier.workshop.engines.design.learning.palette import Palette, Swatch

from .chance import by_odds, one_of, steps

Array = NDArray[np.float64]


_ANY = (
    Swatch("#f4f1ea", 0.5, 1, {"ground": 1.0}), Swatch("#222222", 0.3, 1, {"figure": 1.0}),
    Swatch("#c8452f", 0.2, 1, {"figure": 1.0}),
)  # fmt: skip
"""For a style that has no colours of its own."""


@dataclass(frozen=True)
class Scheme:
    """`ground` lies behind all, `fields` behind parts; `accent` draws the eye. Inks come from `ink_on`."""

    ground: str
    fields: tuple[str, ...]
    accent: str
    inks: tuple[str, ...]
    worth: float

    def ink_on(self, ground: str, *, large: bool) -> str:
        """The palette's ink that reads best on a ground, made to read where none does."""
        least = LARGE_CONTRAST if large else TEXT_CONTRAST
        best = max(self.inks, key=lambda ink: (contrast(ink, ground) >= least + 0.5, -self.inks.index(ink)))
        return readable(best, ground, least + 0.3)

    def accent_on(self, ground: str) -> str:
        """The accent where it stands out from a ground; else another colour of the scheme that does."""
        choices = [self.accent, *self.fields, *self.inks]
        return max(choices, key=lambda each: (distance(each, ground) > 0.22, -choices.index(each)))


def schemes(
    palette: Palette, draw: np.random.Generator, subject: Sequence[tuple[str, float]], given: Sequence[str], count: int
) -> list[Scheme]:
    """The best of some dozens of schemes, best first. `subject` are the colours of what is shown, by share; colours
    `given` by the client come first among fields and accents."""
    source = _Source(palette, subject, given)
    found = [source.drawn(draw) for _ in range(4 * count)]
    unique = {scheme.ground + "".join(scheme.fields) + scheme.accent: scheme for scheme in found}
    return sorted(unique.values(), key=lambda scheme: -scheme.worth)[:count]


class _Source:
    """What schemes for one piece are drawn from: the odds are worked out once."""

    def __init__(self, palette: Palette, subject: Sequence[tuple[str, float]], given: Sequence[str]) -> None:
        swatches = palette.swatches or _ANY
        self.subject, self.given = subject, given
        self.colours = [swatch.colour for swatch in swatches]
        weights = np.array([swatch.share for swatch in swatches])
        together = np.array(palette.together) if palette.together else np.ones((len(swatches), len(swatches)))
        vivid = np.sqrt(weights) * np.array([0.02 + chroma(each) for each in self.colours])
        self.grounds = _tempered(weights * (0.35 + 2 * np.array([s.roles.get("ground", 0.0) for s in swatches])))
        self.fields = [_tempered(weights * (0.15 + row)) for row in together]
        self.accents = [_tempered(vivid * (0.15 + row)) for row in together]
        self.inks = _inks(swatches, self.colours)

    def drawn(self, draw: np.random.Generator) -> Scheme:
        colours, given = self.colours, self.given
        first = by_odds(draw, self.grounds)
        ground = _as_ground(colours[first], colours, draw)
        fields = [colours[by_odds(draw, self.fields[first])] for _ in range(2)]
        accent = colours[by_odds(draw, self.accents[first])]
        if given:
            fields[0], accent = given[0], given[min(1, len(given) - 1)]
            if draw.random() < 0.35:
                ground, fields[0] = given[0], fields[1]
        if draw.random() < 0.35:
            lightness = min(0.96, max(0.12, float(lab(fields[0])[0]) + one_of(draw, (-0.12, 0.12))))
            fields[1] = toned(fields[0], lightness)
        return Scheme(ground, tuple(fields), accent, self.inks, _worth(ground, fields, accent, self.subject))


def _tempered(weights: Array) -> list[float]:
    """Odds from shares, with the rare ones a little less rare; added up."""
    found = np.maximum(weights, 1e-9) ** 0.7
    return steps((found / found.sum()).tolist())


def _as_ground(colour: str, colours: list[str], draw: np.random.Generator) -> str:
    """A colour as itself, as a pale tone of itself, or instead of it the darkest that its author uses: yellows and
    reds that are made dark look like mud."""
    light, strong = float(lab(colour)[0]), chroma(colour)
    if light > 0.9 or light < 0.3:
        return colour
    way = draw.random()
    if way < 0.5:
        return colour
    if way < 0.85:
        return toned(colour, 0.95, min(0.3, 0.025 / max(strong, 1e-6)) if strong > 0.03 else 1.0)
    darkest = min(colours, key=lambda each: float(lab(each)[0]))
    return darkest if lab(darkest)[0] < 0.42 else toned(darkest, 0.25, 0.6)


def _inks(swatches: Sequence[Swatch], colours: list[str]) -> tuple[str, ...]:
    """Dark and light ones of the palette, those that its author writes and draws lines with first."""
    use = {s.colour: s.roles.get("ink", 0) * 2 + s.roles.get("line", 0) + s.share for s in swatches}
    dark = [c for c in colours if lab(c)[0] < 0.42]
    light = [c for c in colours if lab(c)[0] > 0.88]
    ordered = sorted(dark, key=lambda c: -use[c]) or [toned(colours[0], 0.24, 0.6)]
    return (*ordered[:3], *(sorted(light, key=lambda c: -use[c]) or ["#ffffff"])[:2])


def _worth(ground: str, fields: Sequence[str], accent: str, subject: Sequence[tuple[str, float]]) -> float:
    """Higher where the subject stands off from what is behind it, fields can be told apart, and the accent shows."""

    def off(behind: str) -> float:
        return sum(share * min(distance(colour, behind), 0.35) for colour, share in subject) / max(
            sum(share for _, share in subject), 1e-9
        )

    total = 2.0 * off(ground) + 1.0 * off(fields[0]) if subject else 0.5
    total += 1.2 * min(distance(ground, fields[0]), 0.25) + 0.6 * min(distance(fields[0], fields[1]), 0.2)
    total += 0.8 * min(distance(accent, ground), 0.3) + 0.3 * min(chroma(accent), 0.15)
    loud = sum(chroma(each) > 0.13 for each in (ground, *fields))
    return total - 0.12 * max(0, loud - 1)
