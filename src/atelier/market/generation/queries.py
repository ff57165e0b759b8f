"""Reads: what a person may see of generations and outputs."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate.contrib.django.models import ProcrastinateJob

from atelier.market.core.errors import Missing
from atelier.market.studio.models import CreationModel, Version
from atelier.market.studio.queries import heavy_of

from .models import Access, Generation, Output

WITH_CREATOR = "creation_model__creator__user"


def generations_of(viewer: Any) -> QuerySet[Generation]:
    """Everything this person asked for, newest first, with outputs. Nobody else sees a brief."""
    return (
        Generation.objects.filter(viewer_id=viewer.pk)
        .select_related(WITH_CREATOR, "version")
        .defer(*heavy_of("version"), "brief")
        .prefetch_related(Prefetch("outputs", Output.objects.select_related("blob").order_by("sample")))
        .order_by("-created_at")
    )


def search(generations: QuerySet[Generation], words: str) -> QuerySet[Generation]:
    """Those whose brief, shown opening or creation model holds every one of the words."""
    for word in words.split():
        in_outputs = Output.objects.filter(generation=OuterRef("pk")).filter(
            Q(reduced__text__icontains=word) | Q(reduced__told__icontains=word)
        )
        generations = generations.annotate(brief_text=Cast("brief_told", TextField())).filter(
            Q(brief_text__icontains=word) | Q(creation_model__name__icontains=word) | Exists(in_outputs)
        )
    return generations


def generation_of(viewer: Any, generation_id: uuid.UUID) -> Generation:
    """One of them. Errors: Missing, for anyone else's too."""
    found = generations_of(viewer).filter(pk=generation_id).first()
    if found is None:
        raise Missing(_("There is no such generation."), remedy=_("Open it from “My generations”."))
    return found


def place_in_queue(generation: Generation) -> int:
    """How many others have their turn before a generation that waits; 0 for any other.

    The engine knows, once it has it; until then those count that were asked for earlier and wait anywhere, or as many
    as the engine named when it had no room.
    """
    if not generation.is_waiting:
        return 0
    if generation.state == Generation.State.RUNNING:
        return generation.ahead or 0
    waiting = Q(state=Generation.State.QUEUED) | Q(state=Generation.State.RUNNING, ahead__isnull=False)
    earlier = Generation.objects.filter(waiting, created_at__lt=generation.created_at).count()
    return max(earlier, generation.ahead or 0)


def _with_what_made_them(outputs: QuerySet[Output]) -> QuerySet[Output]:
    """Outputs with model, creator and version, as cards need them, without the proofs."""
    joined = outputs.select_related("generation__creation_model__creator__user", "generation__version")
    return joined.defer(*heavy_of("generation__version"), "generation__brief")


def outputs_seen_by(user: Any) -> QuerySet[Output]:
    """The outputs a person may see at all: of their own generations, licensed to them, or shown in public."""
    everything = _with_what_made_them(Output.objects.all())
    public = Q(showcased_at__isnull=False, generation__creation_model__state=CreationModel.State.PUBLISHED)
    if not user.is_authenticated:
        return everything.filter(public)
    licensed = Access.objects.filter(output=OuterRef("pk"), holder_id=user.pk)
    return everything.filter(Q(generation__viewer_id=user.pk) | public | Exists(licensed))


def output_seen_by(user: Any, output_id: uuid.UUID) -> Output:
    """One of them. Errors: Missing."""
    found = outputs_seen_by(user).filter(pk=output_id).first()
    if found is None:
        raise Missing(_("There is no such piece."), remedy=_("Open it from “My generations”."))
    return found


def output_made_for(viewer: Any, output_id: uuid.UUID) -> Output:
    """A sample of one's own generations. Errors: Missing."""
    mine = Output.objects.select_related("generation__creation_model__creator__user", "generation__version")
    found = mine.defer(*heavy_of("generation__version")).filter(pk=output_id, generation__viewer_id=viewer.pk).first()
    if found is None:
        raise Missing(_("There is no such piece among yours."), remedy=_("Open it from “My generations”."))
    return found


def outputs_for_sale_to(user: Any) -> QuerySet[Output]:
    """The outputs this person may buy: on sale (as `is_on_sale` says), seen by them, not of their own models."""
    return (
        outputs_seen_by(user)
        .filter(state=Output.State.OFFERED, generation__creation_model__state=CreationModel.State.PUBLISHED)
        .exclude(generation__version__state=Version.State.PAUSED)
        .exclude(generation__creation_model__creator__user_id=user.pk)
    )


def is_on_sale(output: Output) -> bool:
    """Whether an output can be licensed at all: not withdrawn, its model published, its version not paused."""
    generation = output.generation
    return (
        output.state == Output.State.OFFERED
        and generation.creation_model.state == CreationModel.State.PUBLISHED
        and generation.version.state != Version.State.PAUSED
    )


def showcased(creation_model: CreationModel) -> QuerySet[Output]:
    """What the creator chose to show on the model's page, whole, newest choice first."""
    shown = Output.objects.filter(
        generation__creation_model=creation_model, showcased_at__isnull=False, state=Output.State.OFFERED
    )
    return _with_what_made_them(shown).order_by("-showcased_at")


def may_see_whole(user: Any, output: Output) -> bool:
    """Whether this person may have the whole piece: the creator in their playground, or the holder of a licence."""
    if not user.is_authenticated:
        return False
    own = output.generation.is_playground and output.generation.viewer_id == user.pk
    if own and output.state == Output.State.OFFERED:
        return True
    return Access.objects.filter(output=output, holder_id=user.pk).exists()


def published_model(model_id: int) -> CreationModel:
    """A published creation model with its version and creator. Errors: Missing."""
    found = (
        CreationModel.objects.select_related("creator__user", "version")
        .filter(pk=model_id, state=CreationModel.State.PUBLISHED)
        .first()
    )
    if found is None:
        raise Missing(_("There is no such published creation model."), remedy=_("Look for another one."))
    return found


def version_of(creator_user: Any, version_id: int) -> Version:
    """A version of one's own creation models. Errors: Missing."""
    found = (
        Version.objects.select_related("creation_model__creator__user")
        .filter(pk=version_id, creation_model__creator__user_id=creator_user.pk)
        .first()
    )
    if found is None:
        raise Missing(_("There is no such version."), remedy=_("Open it from your studio."))
    return found


def without_a_job(older_than: timedelta = timedelta(seconds=30)) -> list[uuid.UUID]:
    """Generations under way that no job will ever take up, because it was lost between two writes."""
    under_way = list(
        Generation.objects.filter(
            state__in=[Generation.State.QUEUED, Generation.State.RUNNING],
            created_at__lt=timezone.now() - older_than,
        ).values_list("pk", flat=True)
    )
    if not under_way:
        return []
    jobs = ProcrastinateJob.objects.filter(
        task_name="atelier.market.generation.tasks.generate",
        status__in=["todo", "doing"],
        args__generation_id__in=[str(pk) for pk in under_way],
    ).values_list("args__generation_id", flat=True)
    busy = set(jobs)
    return [pk for pk in under_way if str(pk) not in busy]
