"""Logos and icon sets: a motif made simple, beside, above or around a name; many motifs made alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from atelier.workshop.engines.design.colour import contrast, distance, lab
from atelier.workshop.engines.design.learning.motifs import Motif
from atelier.workshop.engines.design.outline import Box
from atelier.workshop.engines.design.type.setting import Align

from .hiding import MOST, hidden, told
from .kinds import Kind
from .plans import Art, Field, Habits, Plan, Set
from .schemes import Scheme
from .words import Typeset, set_words

LOGO_WAYS = ("above", "beside", "tile", "stamp")
_TILES: dict[str, Literal["disc", "sheet"] | None] = {"plain": None, "disc": "disc", "tile": "sheet"}
MOST_TONES = 4
"""A symbol with more colours than this is shown in one."""


def logo(
    kind: Kind, scheme: Scheme, said: dict[str, str], heroes: Sequence[Motif], typeset: Typeset, habits: Habits,
    way: str,     draw: np.random.Generator, seed: int,
) -> Plan | None:  # fmt: skip
    """A symbol and a name; without a motif, the name alone with a form of the creator's kind."""
    ground = scheme.ground if way == "stamp" or draw.random() < 0.4 else _paper(scheme)
    plain = Scheme(ground, scheme.fields, scheme.accent, scheme.inks, scheme.worth)
    hero = min(heroes[:4], key=lambda motif: motif.weight * (1 + len(motif.colours))) if heroes else None
    symbol, room, align = _places(kind, way)
    fields: list[Field] = []
    arts: list[Art] = []
    if way in ("tile", "stamp") and hero is not None:
        colour = max((*scheme.fields, scheme.accent), key=lambda each: min(distance(each, ground), 0.3))
        form = "disc" if way == "stamp" or draw.random() < habits.curved else "sheet"
        fields.append(Field(symbol, colour, form, 0.24 if habits.smooth > 0.35 else 0.0))  # type: ignore[arg-type]
        inner = symbol.grown(-symbol.width * (0.2 if form == "disc" else 0.14))
        arts.append(Art(hero, inner, tone=_tone(hero, colour, scheme)))
    elif hero is not None:
        arts.append(Art(hero, symbol, tone=_tone(hero, ground, scheme)))
    else:
        fields += _device(symbol, scheme, ground, habits, draw)
    words = set_words(said, ("headline", "text"), room, typeset, kind, align, 0.5)
    if words is None:
        return None
    return Plan(kind, plain, tuple(fields), tuple(arts), (Set(words, ground),), way, seed)


def _places(kind: Kind, way: str) -> tuple[Box, Box, Align]:
    """Where the symbol and the name stand, and how the name is aligned."""
    wide, high, edge = kind.width, kind.height, kind.margin * kind.side
    if way in ("above", "stamp"):
        side = high * (0.46 if way == "above" else 0.52)
        top = edge * 0.9
        return (
            Box(wide / 2 - side / 2, top, wide / 2 + side / 2, top + side),
            Box(edge, top + side + edge * 0.5, wide - edge, high - edge * 0.8),
            "middle",
        )
    side = wide * 0.3
    return (
        Box(edge, high / 2 - side / 2, edge + side, high / 2 + side / 2),
        Box(edge * 1.5 + side, edge, wide - edge, high - edge),
        "left",
    )


def _paper(scheme: Scheme) -> str:
    light = [each for each in (scheme.ground, *scheme.fields, *scheme.inks) if lab(each)[0] > 0.93]
    return light[0] if light else "#ffffff"


def _tone(hero: Motif, behind: str, scheme: Scheme) -> str | None:
    """One colour for a symbol that has many, or that would not show; None keeps its own."""
    seen = sum(share for colour, share in hero.colours if contrast(colour, behind) >= 1.6)
    if len(hero.colours) <= MOST_TONES and seen > 0.6:
        return None
    return scheme.ink_on(behind, large=True)


def _device(box: Box, scheme: Scheme, ground: str, habits: Habits, draw: np.random.Generator) -> list[Field]:
    """A simple sign of forms for a name that no motif suits."""
    first, second = scheme.accent_on(ground), max(scheme.fields, key=lambda each: distance(each, ground))
    half = box.width / 2
    if draw.random() < habits.curved:
        shift = half * draw.uniform(0.3, 0.6)
        one = Box(box.left, box.top + half / 2, box.left + half * 1.1, box.top + half / 2 + half * 1.1)
        other = Box(one.left + shift, one.top, one.right + shift, one.bottom)
        return [Field(one, first, "disc"), Field(other, second, "ring", line=half * 0.14)]
    one = Box(box.left, box.top + half / 2, box.left + half, box.bottom - half / 2)
    other = Box(box.left + half, box.top + half / 2, box.right, box.bottom - half / 2)
    return [Field(one, first), Field(other, second, "arch")]


def icons(
    kind: Kind, scheme: Scheme, motifs: Sequence[Motif], habits: Habits, way: str, draw: np.random.Generator, seed: int
) -> Plan | None:
    """Up to twelve icons of one family, each before a colour from which it stands off. None without motifs."""
    form = _TILES[way]
    motifs = motifs if form else told(motifs, scheme.ground)
    count = min(12, len(motifs))
    if not count:
        return None
    across = 1 if count == 1 else 2 if count <= 4 else 3 if count <= 6 else 4
    down = math.ceil(count / across)
    step = min(kind.width / across, kind.height / down)
    left, top = (kind.width - across * step) / 2, (kind.height - down * step) / 2
    corner = 0.22 if habits.smooth > 0.35 else 0.0
    fields, arts = [], []
    for number in range(count):
        x, y = left + (number % across) * step, top + (number // across) * step
        box = Box(x, y, x + step, y + step).grown(-step * 0.1)
        if form is not None:
            fields.append(Field(box, _behind(motifs[number], scheme, number), form, corner))
        arts.append(Art(motifs[number], box.grown(-box.width * (0.18 if form else 0.04)), role="side"))
    return Plan(kind, scheme, tuple(fields), tuple(arts), (), way, seed)


def _behind(motif: Motif, scheme: Scheme, number: int) -> str:
    """The colours of the scheme in turn, but for those before which the motif would be lost."""
    colours = [each for each in (*scheme.fields, scheme.accent, *scheme.inks) if distance(each, scheme.ground) > 0.1]
    usual = colours[:3] or [scheme.accent]
    turn = [usual[(number + n) % len(usual)] for n in range(len(usual))]
    return min((*turn, *colours), key=lambda colour: hidden(motif.colours, colour) > MOST)
