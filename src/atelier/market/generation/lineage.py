"""Samples made anew from others: by brief, seed, taste, vetoes and tags each can be made again."""

from __future__ import annotations

import uuid
from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core.errors import Conflict, Invalid, Missing
from atelier.market.studio.models import CreationModel
from atelier.workshop.contract import Ancestor, Variation

from .actions import Wish, begin, check_usable
from .engines import capabilities_of
from .models import Access, Generation, Output, Pick
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
def make_another(*, actor: User, output_id: uuid.UUID, way: str, wish: Wish) -> Generation:
    """Queue samples made anew from one of the actor's own, by the version that made it; counted as any others.

    Without `edits` in that variation the brief stays as it was, and the wish's is empty or the same. Errors: Missing
    unless the sample was made for the actor and its model is still offered; Invalid naming `way` or the field of the
    brief; Conflict when the sample was sold exclusively to somebody else, comes from too many others, or its version is
    no longer used; TooMany.
    """
    parent = _own(actor, output_id)
    before = parent.generation
    variation = variation_of(before.creation_model, way)
    if not variation.edits:
        if wish.brief and wish.brief != before.brief:
            raise Invalid(_("This way keeps the brief as it was."), field="brief", remedy=_("Leave the brief out."))
        wish = replace(wish, brief=before.brief)
    if before.depth >= DEPTH_MOST:
        raise Conflict(
            _("This sample comes from %(most)d others already, one made from the other.") % {"most": DEPTH_MOST},
            remedy=_("Begin anew with its brief."),
        )
    check_usable(before.version)
    generation = Generation(
        creation_model=before.creation_model,
        version=before.version,
        reveal=1.0 if before.is_playground else before.creation_model.reveal_percent / 100,
        is_playground=before.is_playground,
        parent=parent,
        vary_way=way,
        depth=before.depth + 1,
    )
    made = begin(actor, generation, wish)
    note_pick(parent, Pick.Because.VARIED)
    return made


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
