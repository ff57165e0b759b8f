"""Makes pieces: from a style, a brief and a seed to a plan, its scene, and the files a client sees and buys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .briefs import Brief
from .colour import lab
from .layout.energy import WEIGHTS
from .layout.kinds import KINDS
from .layout.painting import scene_of
from .layout.plans import Habits, Plan
from .layout.schemes import Scheme, schemes
from .layout.search import Task, search
from .learning.motifs import Motif, looked_at
from .learning.traits import Traits
from .outline import Box
from .scene import Group, Picture
from .type.choosing import typesets

if TYPE_CHECKING:
    from .learning.style import Style

TRIES = 36
SUITS = 0.36
"""A motif whose words are less like the subject (cosine of sentence vectors) is not shown as it: words alone, then."""
NEAR = 0.82
"""Motifs that suit this much as well as the best may stand for it."""
SCHEMES = 8
STRATA = 18


@dataclass(frozen=True)
class Made:
    """One piece. `works` are the hashes of the works whose parts it holds, with the share of its art that each has."""

    plan: Plan
    scene: Group
    works: tuple[tuple[str, float], ...]


def subject_vector(brief: Brief) -> NDArray[np.float32]:
    from atelier.workshop.encoders.sentence import sentence_vectors

    return np.asarray(sentence_vectors([brief.subject])[0], dtype=np.float32)


def make(
    style: Style, brief: Brief, subject: NDArray[np.float32], seed: int, weights: Mapping[str, float] = WEIGHTS
) -> Made:
    """One piece for a seed. Same style, brief and seed, same piece."""
    draw = np.random.default_rng([seed & 0xFFFFFFFF, seed >> 32])
    heroes, sides = shown(style, brief, subject)
    given = brief.colours
    found = schemes(style.palette, draw, heroes[0].colours if heroes else (), given, SCHEMES)
    task = Task(
        kind=KINDS[brief.kind],
        said=brief.said,
        heroes=_first(heroes, seed),
        sides=sides,
        typesets=typesets(Traits() if "type" in style.vetoed else style.traits, brief.mood),
        schemes=_of_tone(found, seed),
        habits=habits_of(style),
    )
    best = search(task, int(draw.integers(1 << 62)), TRIES, weights)
    if not best:
        best = search(replace(task, heroes=(), sides=()), seed, TRIES * 2, weights)
    plan = best[0].plan
    return Made(plan, scene_of(plan), credited(plan))


def shown(style: Style, brief: Brief, subject: NDArray[np.float32]) -> tuple[tuple[Motif, ...], tuple[Motif, ...]]:
    """Motifs that show the subject, the best first, and those that may stand beside it."""
    own = _own_picture(brief)
    likeness = style.vectors @ subject if len(style.motifs) else np.zeros(0)
    usable = [n for n, motif in enumerate(style.motifs) if motif.cover < 0.97 and 0.25 < motif.shape < 4]
    order = sorted(usable, key=lambda n: -likeness[n])
    best = float(likeness[order[0]]) if order else 0.0
    heroes = [style.motifs[n] for n in order if likeness[n] >= max(SUITS, NEAR * best) and style.motifs[n].named][:5]
    sides = [style.motifs[n] for n in order if likeness[n] >= 0.7 * SUITS and style.motifs[n] not in heroes[:1]][:8]
    return ((own,) if own else tuple(heroes)), tuple(sides)


def _own_picture(brief: Brief) -> Motif | None:
    """The client's own picture as if it were a motif; it has no source work."""
    if brief.picture is None:
        return None
    data, media_type, (wide, high) = brief.picture
    picture = Picture(data, media_type, Box(0, 0, wide, high), name="Picture")
    return looked_at(picture, work="", words=("picture",), named=True, whole=True, ground=None)


def _first(heroes: Sequence[Motif], seed: int) -> tuple[Motif, ...]:
    """The same motifs with another one first for another seed, so that samples differ in what they show."""
    if not heroes:
        return ()
    turn = (seed // 3) % min(3, len(heroes))
    return (*heroes[turn:], *heroes[:turn])


def _of_tone(found: Sequence[Scheme], seed: int) -> tuple[Scheme, ...]:
    """Those with a light, a dark or a coloured ground, by the seed; all where there are none such."""
    wanted = seed % 3
    tones = [0 if lab(each.ground)[0] > 0.85 else 1 if lab(each.ground)[0] < 0.42 else 2 for each in found]
    chosen = tuple(each for each, tone in zip(found, tones, strict=True) if tone == wanted)
    return chosen or tuple(found)


def habits_of(style: Style) -> Habits:
    traits, off = style.traits, style.vetoed
    plain = Habits()
    return Habits(
        outlined=plain.outlined if "outline" in off else traits.outlined,
        line=plain.line if "outline" in off else traits.line,
        curved=plain.curved if "form" in off else traits.curved,
        smooth=plain.smooth if "form" in off else traits.smooth,
        symmetry=plain.symmetry if "composition" in off else traits.symmetry,
        cover=plain.cover if "composition" in off else traits.cover,
        upper=plain.upper if "type" in off else traits.upper,
        middle=plain.middle if "type" in off else traits.middle,
    )


def credited(plan: Plan) -> tuple[tuple[str, float], ...]:
    """Shares of the works in a piece: by the area that their parts take on the sheet. Exact: nothing else is art."""
    sheet, areas = plan.kind.sheet, dict[str, float]()
    for art in plan.arts:
        inside = art.box & sheet
        if inside is not None and art.motif.work:
            areas[art.motif.work] = areas.get(art.motif.work, 0.0) + inside.area * art.motif.cover
    total = sum(areas.values())
    return tuple((work, area / total) for work, area in sorted(areas.items(), key=lambda pair: -pair[1])) if total else ()
