"""What the job does to a generation: take it up, end it, keep what was made. Every write is fenced by `attempt`.

A worker that was lost may come back and go on writing; whoever took its generation up since has a higher attempt, and
nothing that the lost one writes is kept.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from atelier.market.core import audit, blobs, events, live
from atelier.market.core.errors import Conflict, MarketError
from atelier.market.core.models import Blob
from atelier.market.core.money import split
from atelier.market.core.states import move
from atelier.market.provenance.actions import record_output
from atelier.market.studio.adapters import hold_off_erasing
from atelier.market.studio.models import CreationModel, DatasetWork, Version
from atelier.workshop import contract

from . import kinds, quota
from .engines import capabilities_of
from .facts import birth_facts
from .models import Attribution, Generation, Output
from .states import GENERATION

S = Generation.State

RESTARTS_MOST = 3
FEATURES_MOST = 200
TOLD_OF_THE_QUEUE = 10
MILLION = 1_000_000
METHOD = "uniform"


@transaction.atomic
def claim(generation_id: uuid.UUID) -> Generation | None:
    """Take a generation up under a new attempt; None when there is nothing (more) to do for it."""
    found = (
        Generation.objects.select_for_update(of=("self",))
        .select_related("creation_model__creator__user", "version__run__dataset", "viewer")
        .filter(pk=generation_id)
        .first()
    )
    if found is None or found.is_over:
        return None
    if found.cancel_requested:
        end_unfinished(found, to=S.CANCELLED)
        return None
    lost = found.state == S.RUNNING
    if lost and found.restarts >= RESTARTS_MOST:
        end_unfinished(
            found,
            to=S.FAILED,
            code="lost",
            error=_("The machine that wrote this failed several times."),
            remedy=_("Ask again later; if it happens again, write to the operator."),
        )
        return None
    try:
        _check_offered(found)
    except MarketError as error:
        end_unfinished(found, to=S.FAILED, code=error.code, error=error.message, remedy=error.remedy)
        return None
    move(
        found,
        to=S.RUNNING,
        allowed=GENERATION,
        attempt=F("attempt") + 1,
        restarts=F("restarts") + int(lost),
        # One that was turned away keeps its place until it is written.
        ahead=None if lost else found.ahead,
        seconds_left=None,
        started_at=found.started_at or timezone.now(),
    )
    if lost:
        live.publish(found.topic, "restarted")
    elif not found.was_turned_away:
        # One that was turned away before may be so again: that it is written now is told with its first words.
        live.publish(found.topic, "started")
        _tell_the_queue()
    return found


def _check_offered(generation: Generation) -> None:
    """Errors: Conflict when what was asked for is no longer offered."""
    from .actions import check_usable

    check_usable(generation.version)
    offered = generation.creation_model.state == CreationModel.State.PUBLISHED
    if not generation.is_playground and not offered:
        raise Conflict(
            _("This creation model is no longer offered."), remedy=_("Look for another one."), code="not_offered"
        )


def _tell_the_queue() -> None:
    """Those who wait move up by one."""
    waiting = Generation.objects.filter(state=S.QUEUED).order_by("created_at")[:TOLD_OF_THE_QUEUE]
    for generation in waiting:
        live.publish(generation.topic, "queue")


@transaction.atomic
def give_up_the_place(generation: Generation, *, ahead: int) -> None:
    """Back to the queue: the engine has no room just now, and `ahead` requests before this one. What is new is told."""
    mine = Generation.objects.filter(pk=generation.pk, attempt=generation.attempt, state=S.RUNNING)
    is_news = not generation.was_turned_away or generation.ahead != ahead
    if mine.update(state=S.QUEUED, ahead=ahead, seconds_left=None) and is_news:
        live.publish(generation.topic, "queue")


@transaction.atomic
def end_unfinished(
    generation: Generation, *, to: str, code: str = "", error: str = "", remedy: str = "", where: str = ""
) -> bool:
    """End a generation without outputs, as failed or cancelled; False when another hand has it or ended it before.

    Samples are returned to the day's count when it failed, and when it was cancelled before anything was shown.
    """
    waited = generation.state == S.QUEUED
    touched = Generation.objects.filter(
        pk=generation.pk, attempt=generation.attempt, state__in=[S.QUEUED, S.RUNNING]
    ).update(
        state=to,
        ended_at=timezone.now(),
        error_code=code,
        error=error[:1000],
        remedy=remedy[:500],
        error_where=where[:120],
    )
    if not touched:
        return False
    generation.refresh_from_db()
    if to == S.FAILED or generation.first_preview_at is None:
        quota.give_back(generation)
    audit.record(None, f"generation.{to}", generation, code=code)
    live.publish(generation.topic, to)
    if waited:
        _tell_the_queue()
    return True


@transaction.atomic
def finish(generation: Generation, made: Sequence[contract.Output], folder: Path) -> bool:
    """Keep what was made, whose works it is owed to, and its birth records, all or nothing; False when fenced off.

    Errors: Conflict when the version was erased meanwhile, BadPicture when a sample cannot be shown; nothing is kept
    then.
    """
    held = Generation.objects.select_for_update().get(pk=generation.pk)
    if held.attempt != generation.attempt or held.state != S.RUNNING:
        return False
    hold_off_erasing(generation.version)
    kind = capabilities_of(generation.creation_model).output_kind
    shown = {piece.sample: kinds.checked_sample(kind, piece.reduced) for piece in made}
    kept = _keep(made, folder)
    gone = set(
        Output.objects.filter(blob__in=kept.values(), state=Output.State.WITHDRAWN).values_list("blob_id", flat=True)
    )
    works = _works_owed(generation.version)
    # In the order of their hashes, so that two jobs that made the same texts never wait for each other in a circle.
    for piece in sorted(made, key=lambda output: kept[output.sample].sha256):
        blob = kept[piece.sample]
        reduced, picture = shown[piece.sample]
        output = Output.objects.create(
            generation=generation,
            sample=piece.sample,
            seed=piece.seed,
            kind=kind,
            blob=blob,
            reduced=reduced,
            picture=blobs.keep_bytes(picture.content, picture.media_type) if picture else None,
            extent=piece.extent,
            finish=piece.finish,
            features=_figures(piece.features),
            state=Output.State.WITHDRAWN if blob.pk in gone else Output.State.OFFERED,
            withdrawn_because=_("The very same piece was sold exclusively.") if blob.pk in gone else "",
        )
        _attribute(output, works)
        record_output(
            source=f"output:{output.pk}",
            sha256=blob.sha256,
            media_type=blob.media_type,
            facts=birth_facts(generation, output),
        )
    move(held, to=S.SUCCEEDED, allowed=GENERATION, only_from=[S.RUNNING], ended_at=timezone.now(), done=F("planned"))
    audit.record(None, "generation.finished", held, outputs=len(made))
    events.emit("generation.finished", generation_id=str(held.pk))
    live.publish(held.topic, "finished")
    return True


def _keep(made: Sequence[contract.Output], folder: Path) -> dict[int, Blob]:
    """The stored bytes by sample number. Their rows are locked, so that a withdrawal of the same bytes takes turns."""
    in_order = sorted(made, key=lambda output: output.file.sha256)
    kept = {out.sample: blobs.keep_file(folder / out.file.path, out.file.media_type) for out in in_order}
    names = sorted({blob.pk for blob in kept.values()})
    list(Blob.objects.select_for_update().filter(pk__in=names).order_by("pk"))
    return kept


def _figures(features: Mapping[str, float]) -> dict[str, float]:
    """Features as they can be kept: finite, and not without end."""
    known = list(features.items())[:FEATURES_MOST]
    return {name[:120]: value for name, value in known if math.isfinite(value)}


def _works_owed(version: Version) -> list[int]:
    """The works a version learned from: those its evaluation names as trained on, or else the whole dataset."""
    named = {str(work) for work in version.evaluation.get("trained_on", ())}
    items = (
        DatasetWork.objects.filter(dataset=version.run.dataset).order_by("position").values_list("work_id", flat=True)
    )
    everything = list(items)
    return [work for work in everything if str(work) in named] or everything


def _attribute(output: Output, works: Sequence[int]) -> None:
    """Equal parts that add up to a million. What a sample owes to which work is not measured; the method says so."""
    parts = split(MILLION, [1] * len(works))
    Attribution.objects.bulk_create(
        Attribution(output=output, work_id=work, parts=part, method=METHOD)
        for work, part in zip(works, parts, strict=True)
    )
