"""Colours for one piece, drawn from a creator's palette by role, share, and what stands together in their works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..colour import LARGE_CONTRAST, TEXT_CONTRAST, chroma, contrast, distance, lab, readable, toned
from ..learning.palette import Palette

Array = NDArray[np.float64]


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
    colours = [swatch.colour for swatch in palette.swatches] or ["#222222", "#f4f1ea", "#c8452f"]
    weights = np.array([swatch.share for swatch in palette.swatches] or [0.3, 0.5, 0.2])
    grounds = np.array([s.share * (0.35 + 2 * s.roles.get("ground", 0.0)) for s in palette.swatches] or [0.2, 0.6, 0.2])
    found = [_drawn(palette, colours, weights, grounds, draw, subject, given) for _ in range(6 * count)]
    unique = {scheme.ground + "".join(scheme.fields) + scheme.accent: scheme for scheme in found}
    return sorted(unique.values(), key=lambda scheme: -scheme.worth)[:count]


def _drawn(
    palette: Palette,
    colours: list[str],
    weights: Array,
    grounds: Array,
    draw: np.random.Generator,
    subject: Sequence[tuple[str, float]],
    given: Sequence[str],
) -> Scheme:
    first = int(draw.choice(len(colours), p=_tempered(grounds)))
    ground = _as_ground(colours[first], colours, draw)
    near = np.array(palette.together[first]) if palette.together else np.ones(len(colours))
    others = _tempered(weights * (0.15 + near))
    fields = [colours[int(n)] for n in draw.choice(len(colours), 2, p=others)]
    vivid = _tempered(np.sqrt(weights) * np.array([0.02 + chroma(each) for each in colours]) * (0.15 + near))
    accent = colours[int(draw.choice(len(colours), p=vivid))]
    if given:
        fields[0] = given[0]
        accent = given[min(1, len(given) - 1)]
        if draw.random() < 0.35:
            ground, fields[0] = given[0], fields[1]
    if draw.random() < 0.35:
        fields[1] = toned(fields[0], float(np.clip(lab(fields[0])[0] + draw.choice([-0.12, 0.12]), 0.12, 0.96)))
    inks = _inks(palette, colours, ground)
    return Scheme(ground, tuple(fields), accent, inks, _worth(ground, fields, accent, subject, colours, weights))


def _tempered(weights: Array) -> Array:
    """Shares with the rare ones a little less rare."""
    found = np.maximum(weights, 1e-9) ** 0.7
    return np.asarray(found / found.sum())


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


def _inks(palette: Palette, colours: list[str], ground: str) -> tuple[str, ...]:
    """Dark and light ones of the palette, those that its author writes and draws lines with first."""
    use = {s.colour: s.roles.get("ink", 0) * 2 + s.roles.get("line", 0) + s.share for s in palette.swatches}
    dark = [c for c in colours if lab(c)[0] < 0.42]
    light = [c for c in colours if lab(c)[0] > 0.88]
    ordered = sorted(dark, key=lambda c: -use.get(c, 0)) or [toned(colours[0], 0.24, 0.6)]
    return (*ordered[:3], *(sorted(light, key=lambda c: -use.get(c, 0)) or ["#ffffff"])[:2])


def _worth(
    ground: str, fields: Sequence[str], accent: str, subject: Sequence[tuple[str, float]], colours: list[str],
    weights: Array,
) -> float:  # fmt: skip
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
