"""Makes pieces: from a style, a brief and a seed to a plan and its scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import BriefInvalid

from .briefs import Brief
from .colour import lab
from .copies import copied
from .layout.energy import WEIGHTS
from .layout.kinds import KINDS
from .layout.painting import scene_of
from .layout.plans import Plan
from .layout.schemes import Scheme, schemes
from .layout.search import Found, search
from .layout.sketch import Task
from .learning.meaning import names_in
from .learning.motifs import Motif, looked_at
from .legibility import illegible
from .outline import Box
from .scene import Group, Picture
from .tagging import Tags, tagged
from .type.choosing import typesets
from .vetoes import NOTHING, Vetoed, without

if TYPE_CHECKING:
    from .learning.style import Style

TRIES = {"pattern": 5, "icons": 5, "logo": 12}
TRIES_USUAL = 28
SUITS = 0.36
"""A motif whose words are less like the subject (cosine of sentence vectors) is not shown as it: words alone, then."""
NEAR = 0.82
"""Motifs that suit this much as well as the best may stand for it."""
SCHEMES = 8
LOOKED_AT = 8
"""So many candidates are drawn and looked at, the best first, until one is good."""
HEROES, SIDES = 5, 8
REPEATED = 3
"""So many motifs of the subject make a pattern; with fewer the nearest others join them."""
ICONS = 12


@dataclass(frozen=True)
class Order:
    """What one piece is made by. `subject` is the unit vector of what is to be seen; None shows whatever there is.
    `taste` is added to the weights of the layout's features, `tags` are the creator's own words for motifs."""

    brief: Brief
    subject: NDArray[np.float32] | None
    seed: int
    taste: Mapping[str, float] = field(default_factory=dict)
    vetoed: Vetoed = NOTHING
    tags: Tags = field(default_factory=dict)

    @property
    def weights(self) -> dict[str, float]:
        return {name: WEIGHTS.get(name, 0.0) + self.taste.get(name, 0.0) for name in {*WEIGHTS, *self.taste}}


@dataclass(frozen=True)
class Made:
    """One piece. `works` are the hashes of the works whose parts it holds, with the share of its art that each has."""

    plan: Plan
    scene: Group
    works: tuple[tuple[str, float], ...]
    task: Task
    search_seed: int


def usable(style: Style, order: Order) -> Style:
    """What of a style may be used for an order, called as its creator calls it."""
    return without(tagged(style, order.tags), order.vetoed)


def make(style: Style, order: Order) -> Made:
    """One piece. Same style and order, same piece. Errors: BriefInvalid where no arrangement holds the words."""
    task, seed = tasked(usable(style, order), order)
    return searched(style, order, task, seed)


def searched(style: Style, order: Order, task: Task, seed: int) -> Made:
    """The best arrangement of a task; without art where the words need all the room."""
    found = search(task, seed, tries_of(order.brief), order.weights)
    if not found and task.heroes:
        task = replace(task, heroes=(), sides=())
        found = search(task, seed, 2 * tries_of(order.brief), order.weights)
    if not found:
        raise _crowded(order.brief)
    made = best(found, task, seed, style)
    if made is None and task.heroes:  # words and plain forms can always be read
        task = replace(task, heroes=(), sides=())
        found = search(task, seed, 2 * tries_of(order.brief), order.weights)
        if not found:
            raise _crowded(order.brief)
        made = best(found, task, seed, style)
    return made or _made(found[0], task, seed)


def tries_of(brief: Brief) -> int:
    return TRIES.get(brief.kind, TRIES_USUAL)


def _crowded(brief: Brief) -> BriefInvalid:
    if not brief.said:
        return BriefInvalid(
            "This creator has no motifs for such a piece.", where="kind", remedy="Choose another kind of piece."
        )
    longest = max(brief.said, key=lambda role: len(brief.said[role]))
    return BriefInvalid(
        f"The words do not fit on a {KINDS[brief.kind].title.lower()}.", where=longest, remedy="Shorten them."
    )


def best(found: Sequence[Found], task: Task, seed: int, style: Style) -> Made | None:
    """The first of the candidates whose words can all be read and that is no copy of a whole work; None for none."""
    for each in found[:LOOKED_AT]:
        made = _made(each, task, seed)
        sheet = task.kind.sheet
        if not illegible(made.scene, sheet) and copied(made.scene, sheet, each.plan.arts, style.hashes) is None:
            return made
    return None


def _made(found: Found, task: Task, seed: int) -> Made:
    return Made(found.plan, scene_of(found.plan), credited(found.plan), task, seed)


def tasked(style: Style, order: Order) -> tuple[Task, int]:
    """What candidates are drawn from, and the seed of their search."""
    brief, seed = order.brief, order.seed
    draw = np.random.default_rng([seed & 0xFFFFFFFF, seed >> 32])
    heroes, sides = shown(style, order, draw)
    found = schemes(style.palette, draw, heroes[0].colours if heroes else (), brief.colours, SCHEMES)
    task = Task(
        kind=KINDS[brief.kind],
        said=brief.said,
        heroes=_first(heroes, seed),
        sides=sides,
        typesets=typesets(style.traits, brief.mood),
        schemes=_of_tone(found, seed),
        habits=style.traits.habits,
    )
    return task, int(draw.integers(1 << 62))


def shown(style: Style, order: Order, draw: np.random.Generator) -> tuple[tuple[Motif, ...], tuple[Motif, ...]]:
    """Motifs that show the subject, the best first, and those that may stand beside it."""
    fit = [n for n, motif in enumerate(style.motifs) if motif.cover < 0.97 and 0.25 < motif.shape < 4]
    if order.subject is None:
        named = [style.motifs[n] for n in fit if style.motifs[n].named]
        chosen = [named[int(n)] for n in draw.permutation(len(named))]
        return tuple(chosen[:HEROES]), tuple(chosen[1 : 1 + SIDES])
    likeness = style.vectors @ order.subject if len(style.motifs) else np.zeros(0)
    by_likeness = sorted(fit, key=lambda n: -likeness[n])
    closest = float(likeness[by_likeness[0]]) if by_likeness else 0.0
    own = _own_picture(order.brief)
    heroes = [
        style.motifs[n] for n in by_likeness if likeness[n] >= max(SUITS, NEAR * closest) and style.motifs[n].named
    ]
    heroes = _called(heroes, order.brief.subject)
    near = [style.motifs[n] for n in by_likeness if likeness[n] >= 0.7 * SUITS]
    sides = [motif for motif in near if motif not in heroes[:1]][:SIDES]
    if order.brief.kind in ("pattern", "icons"):  # nothing else to show: the nearest there are
        whole = [n for n in by_likeness if style.motifs[n].whole] or by_likeness
        suited = [n for n in whole if likeness[n] >= SUITS]
        of_a_kind = order.brief.kind == "pattern" and len(suited) >= REPEATED
        heroes, sides = [], [style.motifs[n] for n in (suited if of_a_kind else whole)][:ICONS]
    return ((own,) if own else tuple(heroes[:HEROES])), tuple(sides[:ICONS])


def _called(heroes: list[Motif], subject: str) -> list[Motif]:
    """Those that are called what is asked for, where any is: a pear is near an apple, but no apple."""
    asked = names_in(subject)
    return [motif for motif in heroes if any(asked & names_in(word) for word in motif.words)] or heroes


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


def credited(plan: Plan) -> tuple[tuple[str, float], ...]:
    """Shares of the works in a piece: by the area that their parts take on the sheet. Exact: nothing else is art."""
    sheet, areas = plan.kind.sheet, dict[str, float]()
    for art in plan.arts:
        inside = art.box & sheet
        if inside is not None and art.motif.work:
            areas[art.motif.work] = areas.get(art.motif.work, 0.0) + inside.area * art.motif.cover
    total = sum(areas.values())
    return (
        tuple((work, area / total) for work, area in sorted(areas.items(), key=lambda pair: -pair[1])) if total else ()
    )
