"""Makes a piece anew from another: its colours, its arrangement or both are kept.

The other piece is made again from its own brief and seed, so that nothing has to be stored of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from atelier.workshop.contract import Ancestor, BriefInvalid

from .briefs import valid
from .layout.grammar import drawn
from .layout.search import alike, rated, search
from .learning.meaning import meaning
from .making import Made, Order, best, make, searched, tasked, tries_of, usable
from .vetoes import Vetoed
from .ways import VARIATIONS

if TYPE_CHECKING:
    from .learning.style import Style

GENERATIONS = 8
"""So many times may a piece be made anew from one that was made anew."""
LIKE = 2.5
"""How much likeness counts beside the energy of a layout in more of the same."""


def vary(style: Style, order: Order, ancestor: Ancestor, depth: int = 1) -> Made:
    """A piece made anew. Errors: BriefInvalid for an unknown way, too many ancestors, or an ancestor's brief."""
    if ancestor.way not in {each.name for each in VARIATIONS} or depth > GENERATIONS:
        raise BriefInvalid(
            "A piece cannot be made anew in this way.",
            where="vary",
            remedy="Start from the brief, or from another piece.",
        )
    parent = _parent(style, ancestor, depth)
    if parent.plan.kind.name != order.brief.kind:  # another format: what can be kept are the colours
        return _palette(style, order, parent)
    makers = {"near": _near, "layout": _layout, "palette": _palette, "words": _words}
    made = makers[ancestor.way](style, order, parent)
    return made if _permitted(made, style, order) else make(style, order)


def _permitted(made: Made, style: Style, order: Order) -> bool:
    """Whether nothing came down from an ancestor that has been vetoed or forbidden since."""
    allowed = {motif.name for motif in usable(style, order).motifs}
    scheme, colours = made.plan.scheme, order.vetoed.colours
    return not colours & {scheme.ground, *scheme.fields, scheme.accent} and all(
        art.motif.name in allowed for art in made.plan.arts if art.motif.work
    )


def _parent(style: Style, ancestor: Ancestor, depth: int) -> Made:
    brief = valid(ancestor.brief)
    vetoed = Vetoed.named(ancestor.vetoed)
    order = Order(brief, meaning(brief.subject), ancestor.seed, ancestor.taste, vetoed, ancestor.tags)
    if ancestor.vary is None:
        return make(style, order)
    return vary(style, order, ancestor.vary, depth + 1)


def _words(style: Style, order: Order, parent: Made) -> Made:
    """The very plan with other words; where they do not fit it, the best other plan with the same colours and motif."""
    task = replace(parent.task, said=order.brief.said)
    plan = drawn(task, parent.search_seed, parent.plan.seed)
    if plan is None:
        return _near(style, order, replace(parent, task=task))
    made = best([rated(plan, task.habits, order.weights)], task, parent.search_seed, style)
    return made or _near(style, order, replace(parent, task=task))


def _layout(style: Style, order: Order, parent: Made) -> Made:
    """The plan in the colours that the new seed draws."""
    fresh, _ = tasked(usable(style, order), order)
    others = [each for each in fresh.schemes if each.ground != parent.plan.scheme.ground] or list(fresh.schemes)
    task = replace(parent.task, said=order.brief.said, schemes=tuple(others))
    for scheme in others:  # the arrangement may pick any of them: the first in which all can be read is taken
        one = replace(task, schemes=(scheme,))
        plan = drawn(one, parent.search_seed, parent.plan.seed)
        made = best([rated(plan, one.habits, order.weights)], one, parent.search_seed, style) if plan else None
        if made is not None:
            return made
    return make(style, order)


def _palette(style: Style, order: Order, parent: Made) -> Made:
    """Another arrangement in the same colours."""
    fresh, seed = tasked(usable(style, order), order)
    task = replace(fresh, schemes=(parent.plan.scheme,))
    return searched(style, order, task, seed)


def _near(style: Style, order: Order, parent: Made) -> Made:
    """Same colours, same motif first, and of all arrangements one that is good and like the parent's."""
    fresh, seed = tasked(usable(style, order), order)
    heroes = tuple(dict.fromkeys(art.motif for art in parent.plan.arts if art.role == "hero"))
    known = {motif.name for motif in fresh.motifs}
    allowed = tuple(each for each in heroes if each.name in known or each.work == "") or fresh.heroes
    task = replace(fresh, schemes=(parent.plan.scheme,), heroes=allowed if fresh.heroes else ())
    found = search(task, seed, 2 * tries_of(order.brief), order.weights)
    if not found:
        return make(style, order)
    own = rated(parent.plan, task.habits, order.weights)
    ranked = sorted(found, key=lambda each: each.energy - LIKE * alike(each, own))
    return best(ranked, task, seed, style) or make(style, order)
