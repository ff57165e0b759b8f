"""What people do with briefs and outputs: ask for samples, cancel, show a piece. What the job does is in `work`."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit, events, live
from atelier.market.core.errors import Conflict, Invalid, Missing
from atelier.market.core.models import Blob
from atelier.market.core.states import move
from atelier.market.studio.models import CreationModel, Version
from atelier.market.studio.showing import own_tags_of

from . import brief_pictures, quota
from .brief_form import check_brief
from .engines import capabilities_of
from .models import Access, Draft, Generation, Output
from .states import OUTPUT
from .work import end_unfinished

SEED_MOST = 2**31


@dataclass(frozen=True)
class Wish:
    """What someone asks for. `key` makes asking twice ask once; `again` takes the seeds of `source` once more."""

    brief: dict[str, Any]
    samples: int
    key: str
    source: uuid.UUID | None = None
    again: bool = False
    via_api: bool = False


@transaction.atomic
def ask_for_samples(*, actor: User, creation_model: CreationModel, wish: Wish) -> Generation:
    """Queue free samples of a published creation model, counted against today's limits.

    Errors: Missing unless it is published; Invalid naming the field of the brief; TooMany; Conflict for a used key.
    """
    version = creation_model.version
    if creation_model.state != CreationModel.State.PUBLISHED or version is None:
        raise Missing(_("There is no such published creation model."), remedy=_("Look for another one."))
    if version.state != Version.State.READY:
        raise Conflict(_("This creation model rests at the moment."), remedy=_("Come back later, or try another one."))
    generation = Generation(
        creation_model=creation_model, version=version, reveal=creation_model.reveal_percent / 100, is_playground=False
    )
    return begin(actor, generation, wish)


@transaction.atomic
def try_out(*, actor: User, version: Version, wish: Wish) -> Generation:
    """Queue samples in the creator's own playground: shown whole, not counted.

    Errors: Missing for anyone but the creator; Conflict when the version is paused or erased; Invalid.
    """
    if version.creation_model.creator.user_id != actor.pk:
        raise Missing(_("There is no such version."))
    check_usable(version)
    generation = Generation(creation_model=version.creation_model, version=version, reveal=1.0, is_playground=True)
    return begin(actor, generation, wish)


def check_usable(version: Version) -> None:
    """Errors: Conflict with the reason when a version is paused or erased."""
    if version.state == Version.State.ERASED:
        raise Conflict(_("This version’s files were erased."), remedy=_("Train a new version."))
    if version.state == Version.State.PAUSED:
        raise Conflict(
            _("This version is paused. %(why)s") % {"why": version.paused_because},
            remedy=_("Train a new version on the works that may be used."),
        )


def begin(actor: User, generation: Generation, wish: Wish, draft: Draft | None = None) -> Generation:
    """Write the generation once per key, count it, and queue its job. Of a draft it takes seed and taste."""
    from .tasks import generate

    capabilities = capabilities_of(generation.creation_model)
    if not 1 <= wish.samples <= capabilities.limits.samples_max:
        raise Invalid(_("Ask for 1 to %(most)d samples.") % {"most": capabilities.limits.samples_max}, field="samples")
    check_brief(capabilities.brief_schema, wish.brief)
    source = source_of(actor, wish)
    generation.viewer = actor
    generation.brief = wish.brief
    generation.brief_told = brief_pictures.told(capabilities.brief_schema, wish.brief)
    generation.vetoed = generation.version.vetoed
    generation.tags = own_tags_of(generation.version)
    follow_on(generation, draft or (source if wish.again else None), wish.samples)
    generation.idempotency_key = wish.key
    generation.stop_when_left = not wish.via_api
    generation.varies = source
    generation.created_at = timezone.now()
    # ON CONFLICT DO NOTHING waits for the first of two clicks, then the second finds what the first made.
    Generation.objects.bulk_create([generation], ignore_conflicts=True)
    kept = Generation.objects.select_related("creation_model", "version").get(viewer=actor, idempotency_key=wish.key)
    if kept.pk != generation.pk:
        return _same(kept, generation)
    if not kept.is_playground:
        quota.take(kept)
    audit.record(actor, "generation.asked", kept, samples=wish.samples, playground=kept.is_playground)
    generate.defer(generation_id=str(kept.pk))
    return kept


def source_of(actor: User, wish: Wish) -> Generation | None:
    """The earlier brief that a wish comes from. Errors: Missing unless it is the actor's own."""
    if wish.source is None:
        return None
    found: Generation | None = Generation.objects.filter(pk=wish.source, viewer=actor).first()
    if found is None:
        raise Missing(_("The brief that this repeats is not yours, or is gone."), field="source")
    return found


def follow_on(generation: Generation, again: Generation | Draft | None, samples: int) -> None:
    """Give a generation seeds, as many as are asked for, and its taste: those of what is repeated, else new ones."""
    same_version = again is not None and again.version_id == generation.version_id
    generation.taste = again.taste if again and same_version else generation.creation_model.taste
    known = again.seeds[:samples] if again else []
    generation.seeds = known + [secrets.randbelow(SEED_MOST) for _number in range(samples - len(known))]


def _same(kept: Generation, asked: Generation) -> Generation:
    same = (
        kept.creation_model_id == asked.creation_model_id
        and kept.is_playground == asked.is_playground
        and kept.brief == asked.brief
        and (kept.parent_id, kept.vary_way) == (asked.parent_id, asked.vary_way)
        and len(kept.seeds) == len(asked.seeds)
    )
    if not same:
        raise Conflict(
            _("This key was used for another brief."),
            field="idempotency_key",
            remedy=_("Send a new key with a new brief."),
        )
    return kept


@transaction.atomic
def cancel(*, actor: User, generation_id: uuid.UUID) -> Generation:
    """Stop a generation: at once while it waits, within a second or two while it is written. Twice is once.

    Samples of which nothing was shown yet are returned to the day's count.
    """
    found: Generation | None = Generation.objects.select_for_update().filter(pk=generation_id, viewer=actor).first()
    if found is None:
        raise Missing(_("There is no such generation."))
    if found.is_over or found.cancel_requested:
        return found
    audit.record(actor, "generation.cancelled", found)
    if found.state == Generation.State.QUEUED:
        end_unfinished(found, to=Generation.State.CANCELLED)
        return found
    Generation.objects.filter(pk=found.pk).update(cancel_requested=True)
    found.refresh_from_db()
    return found


@transaction.atomic
def showcase(*, actor: User, output_id: uuid.UUID) -> Output:
    """Show an output of the creator's own playground, whole, on the model's page.

    Errors: Missing unless it is theirs and from the playground; Conflict once withdrawn.
    """
    output = _own_playground_output(actor, output_id)
    if output.state != Output.State.OFFERED:
        raise Conflict(
            _("This piece was withdrawn and cannot be shown."), remedy=_("Choose another one, or make a new one.")
        )
    if output.showcased_at is None:
        Output.objects.filter(pk=output.pk).update(showcased_at=timezone.now())
        audit.record(actor, "generation.showcased", output)
        events.emit("generation.showcase_changed", creation_model_id=output.generation.creation_model_id)
        output.refresh_from_db()
    return output


@transaction.atomic
def take_from_showcase(*, actor: User, output_id: uuid.UUID) -> Output:
    """Undo `showcase`."""
    output = _own_playground_output(actor, output_id)
    if output.showcased_at is not None:
        Output.objects.filter(pk=output.pk).update(showcased_at=None)
        audit.record(actor, "generation.taken_from_showcase", output)
        events.emit("generation.showcase_changed", creation_model_id=output.generation.creation_model_id)
        output.refresh_from_db()
    return output


def _own_playground_output(actor: User, output_id: uuid.UUID) -> Output:
    found: Output | None = (
        Output.objects.select_for_update(of=("self",))
        .select_related("generation")
        .filter(pk=output_id, generation__is_playground=True, generation__viewer=actor)
        .first()
    )
    if found is None:
        raise Missing(_("There is no such piece in your playground."))
    return found


@transaction.atomic
def open_output(*, output: Output, holder: User) -> None:
    """Let the holder of a licence see an output whole. Called when the licence is issued, in its transaction."""
    Access.objects.get_or_create(output=output, holder=holder)


@transaction.atomic
def withdraw_output(*, output_id: uuid.UUID, because: str) -> None:
    """Take an output off the market for ever, with every other output of the very same bytes. Twice is once.

    The same bytes made later are born withdrawn (see `work.finish`): the blob's row lock makes the two take turns.
    """
    blob_id = Output.objects.values_list("blob_id", flat=True).filter(pk=output_id).first()
    if blob_id is None:
        raise Missing(_("There is no such piece."))
    Blob.objects.select_for_update().get(pk=blob_id)
    for output in Output.objects.select_related("generation").filter(blob_id=blob_id, state=Output.State.OFFERED):
        move(
            output,
            to=Output.State.WITHDRAWN,
            allowed=OUTPUT,
            withdrawn_because=because[:200],
            showcased_at=None,
        )
        audit.record(None, "generation.output_withdrawn", output, because=because)
        events.emit("generation.output_withdrawn", output_id=str(output.pk))
        live.publish(output.generation.topic, "withdrawn", sample=output.sample)
