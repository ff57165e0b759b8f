"""A sample that follows its words while they are typed. Only words that are kept become a generation.

An open form has one draft and at most one job at it. What is asked meanwhile takes the place of what waits, and an
answer to words that no longer stand is never told. A draft counts as one sample, and as one more after each further
`STATES_A_SAMPLE` pictures.
"""

from __future__ import annotations

import uuid
from datetime import UTC, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit, live
from atelier.market.core.errors import Conflict, Invalid
from atelier.market.studio.showing import own_tags_of

from . import quota
from .actions import Wish, follow_on, source_of
from .brief_form import check_brief
from .engines import capabilities_of
from .lineage import made_anew, make_another, variation_of
from .models import Draft, Generation

STATES_A_SAMPLE = 40
LOST_AFTER = timedelta(seconds=10)
"""A job that has not answered for so long is queued once more when the words change."""
FORGOTTEN_AFTER = timedelta(days=1)


@transaction.atomic
def follow(*, actor: User, output_id: uuid.UUID, way: str, key: uuid.UUID, wish: Wish) -> uuid.UUID:
    """Have a sample drawn with the words as they stand in an open form (`key`); the name under which it is told.

    Errors: those of `made_anew`; Invalid naming `way` where it is not live, or the field of the brief; Conflict for the
    key of another form; TooMany.
    """
    from .tasks import draw

    generation = made_anew(actor, output_id, way, wish.brief)
    model = generation.creation_model
    if not variation_of(model, way).live:
        raise Invalid(_("This way is not drawn while you type."), field="way", remedy=_("Send the form instead."))
    check_brief(capabilities_of(model).brief_schema, wish.brief)
    draft = _draft_of(generation, key, wish)
    _count(draft, generation)
    now = timezone.now()
    if draft.answered or draft.queued_at < now - LOST_AFTER:
        draft.queued_at = now
        draw.defer(draft_id=str(draft.pk))
    draft.brief, draft.state, draft.answered = wish.brief, uuid.uuid4(), False
    draft.states += 1
    draft.save()
    return draft.state


def _draft_of(generation: Generation, key: uuid.UUID, wish: Wish) -> Draft:
    """The form's draft, locked; begun with the first of its words."""
    again = source_of(generation.viewer, wish) if wish.again else None
    follow_on(generation, again, 1)
    whose = {"viewer": generation.viewer, "parent": generation.parent, "way": generation.vary_way}
    begun = Draft(id=key, seed=generation.seeds[0], taste=generation.taste, **whose)
    Draft.objects.bulk_create([begun], ignore_conflicts=True)
    draft: Draft | None = Draft.objects.select_for_update().filter(pk=key, **whose).first()
    if draft is None:
        raise Conflict(_("This form belongs to another sample."), remedy=_("Reload the page."))
    return draft


def _count(draft: Draft, generation: Generation) -> None:
    """Count and note the first state, each that begins another sample, and the next after a count was returned."""
    returned = draft.counted_on is None and not generation.is_playground
    if draft.states % STATES_A_SAMPLE and not returned:
        return
    if not generation.is_playground:
        draft.counted_on = timezone.now().astimezone(UTC).date()
        quota.take_on(draft.counted_on, generation.viewer, generation.creation_model, 1)
    assert generation.parent is not None
    audit.record(generation.viewer, "generation.drafted", generation.parent, way=draft.way, states=draft.states)


@transaction.atomic
def keep(*, actor: User, output_id: uuid.UUID, way: str, key: uuid.UUID, wish: Wish) -> Generation:
    """Make the sample of a form for good, by the seed with which it was drawn; `make_another` where nothing was drawn.

    What the draft counted for last is returned, and the sample counted as any other. Twice is once. Errors: those of
    `make_another`; the draft is then left as it was.
    """
    drafts = Draft.objects.select_for_update(of=("self",)).select_related("parent__generation")
    draft: Draft | None = drafts.filter(pk=key, viewer=actor, parent_id=output_id, way=way).first()
    if draft is not None:
        _return_count(draft)
        Draft.objects.filter(pk=key).delete()
    return make_another(actor=actor, output_id=output_id, way=way, wish=wish, draft=draft)


def _return_count(draft: Draft) -> None:
    if draft.counted_on is not None:
        quota.give_back_on(draft.counted_on, draft.viewer_id, draft.parent.generation.creation_model_id, 1)
        draft.counted_on = None


def unanswered(draft_id: uuid.UUID) -> Draft | None:
    """A draft whose words, as they stand now, are still to be drawn."""
    found: Draft | None = (
        Draft.objects.select_related("viewer", "parent__generation").filter(pk=draft_id, answered=False).first()
    )
    return found


def drawable(draft: Draft) -> Generation:
    """What a draft is drawn by: a generation that is never stored. Errors: those of `made_anew`, which may be new."""
    generation = made_anew(draft.viewer, draft.parent_id, draft.way, draft.brief)
    generation.pk, generation.vetoed = draft.pk, generation.version.vetoed
    generation.tags = own_tags_of(generation.version)
    follow_on(generation, draft, 1)
    return generation


def show(draft: Draft, payload: dict[str, Any]) -> None:
    """Tell the form's page what its words look like, unless they are others by now."""
    _answer(draft, shown=True, **payload)


def refuse(draft: Draft, message: str, *, field: str = "") -> None:
    """Tell it why they cannot be drawn. A sample of which nothing was ever shown does not count."""
    _answer(draft, shown=False, problem={"field": field, "message": message})


@transaction.atomic
def _answer(draft: Draft, *, shown: bool, **news: Any) -> None:
    held: Draft | None = (
        Draft.objects.select_for_update(of=("self",))
        .select_related("parent__generation")
        .filter(pk=draft.pk, state=draft.state, answered=False)
        .first()
    )
    if held is None:
        return
    held.answered, held.shown = True, held.shown or shown
    if not held.shown:
        _return_count(held)
    held.save(update_fields=["answered", "shown", "counted_on"])
    live.publish_anew(held.topic, "drawn", sample=0, state=str(held.state), **news)


def forget() -> int:
    """Remove the drafts that nobody typed at for a day; how many."""
    gone, _each = Draft.objects.filter(queued_at__lt=timezone.now() - FORGOTTEN_AFTER).delete()
    return gone
