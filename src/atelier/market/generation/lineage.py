"""Samples made anew from others: by brief, seed, taste, vetoes and tags each can be made again."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core.errors import Conflict, Invalid, Missing
from atelier.market.studio.models import CreationModel
from atelier.workshop.contract import Ancestor, Variation

from .actions import Wish, begin, check_usable
from .engines import capabilities_of
from .models import Access, Draft, Generation, Output, Pick
from .picks import note_pick

DEPTH_MOST = 8
"""So many samples may come one from the other: each is made again to make the next."""


def ancestor_of(generation: Generation) -> Ancestor | None:
    """The sample that a generation makes anew, with those it comes from itself; None where there is only a brief."""
    if generation.parent is None:
        return None
    before = generation.parent.generation
    return Ancestor(
        way=generation.vary_way,
        brief=before.brief,
        seed=generation.parent.seed,
        taste=before.taste,
        vetoed=tuple(before.vetoed),
        tags={name: tuple(tags) for name, tags in before.tags.items()},
        vary=ancestor_of(before),
    )


@transaction.atomic
def make_another(*, actor: User, output_id: uuid.UUID, way: str, wish: Wish, draft: Draft | None = None) -> Generation:
    """Queue samples made anew from one of the actor's own, by the version that made it; counted as any others.

    With a `draft`, the first is made by its seed. Errors: those of `made_anew`; Invalid naming the field of the brief;
    TooMany.
    """
    generation = made_anew(actor, output_id, way, wish.brief)
    made = begin(actor, generation, replace(wish, brief=generation.brief), draft)
    assert generation.parent is not None
    note_pick(generation.parent, Pick.Because.VARIED)
    return made


def made_anew(actor: User, output_id: uuid.UUID, way: str, brief: dict[str, Any]) -> Generation:
    """A generation, not stored yet, that makes one of the actor's samples anew by the version that made it.

    Without `edits` in that variation the brief stays as it was, and the one given is empty or the same. Errors: Missing
    unless the sample was made for the actor and its model is still offered; Invalid naming `way` or `brief`; Conflict
    when the sample was sold exclusively to somebody else, comes from too many others, or its version is no longer used.
    """
    parent = _own(actor, output_id)
    before = parent.generation
    variation = variation_of(before.creation_model, way)
    if not variation.edits:
        if brief and brief != before.brief:
            raise Invalid(_("This way keeps the brief as it was."), field="brief", remedy=_("Leave the brief out."))
        brief = before.brief
    if before.depth >= DEPTH_MOST:
        raise Conflict(
            _("This sample comes from %(most)d others already, one made from the other.") % {"most": DEPTH_MOST},
            remedy=_("Begin anew with its brief."),
        )
    check_usable(before.version)
    return Generation(
        viewer=actor,
        brief=brief,
        creation_model=before.creation_model,
        version=before.version,
        reveal=1.0 if before.is_playground else before.creation_model.reveal_percent / 100,
        is_playground=before.is_playground,
        parent=parent,
        vary_way=way,
        depth=before.depth + 1,
    )


def variation_of(creation_model: CreationModel, way: str) -> Variation:
    """One of the ways of a model's engine. Errors: Invalid on `way`."""
    known = capabilities_of(creation_model).variations
    for variation in known:
        if variation.name == way:
            return variation
    raise Invalid(
        _("There is no such way to make another."),
        field="way",
        remedy=_("Choose one of: %(known)s.") % {"known": ", ".join(each.name for each in known) or "–"},
    )


def _own(actor: User, output_id: uuid.UUID) -> Output:
    """A sample made for the actor, of a model that still serves them. Errors: Missing; Conflict."""
    found: Output | None = (
        Output.objects.select_related("generation__creation_model__creator__user", "generation__version")
        .filter(pk=output_id, generation__viewer=actor)
        .first()
    )
    if found is None:
        raise Missing(_("There is no such piece among yours."), remedy=_("Open it from “My generations”."))
    generation = found.generation
    if not generation.is_playground and generation.creation_model.state != CreationModel.State.PUBLISHED:
        raise Missing(_("This creation model is no longer offered."), remedy=_("Look for another one."))
    sold = found.state == Output.State.WITHDRAWN
    if sold and not Access.objects.filter(output=found, holder=actor).exists():
        raise Conflict(_("This piece was sold exclusively to somebody else."), remedy=_("Choose another sample."))
    return found
