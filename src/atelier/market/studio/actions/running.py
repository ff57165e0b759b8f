"""What a worker does to a run. Each write names the attempt it belongs to: what a lost worker still says is ignored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from atelier.market.core import audit, events, live
from atelier.market.core.models import Blob
from atelier.market.core.states import sources
from atelier.market.studio import showing
from atelier.market.studio.models import CreationModel, TrainingRun, Version
from atelier.market.studio.queries import barred_works
from atelier.market.studio.states import RUN
from atelier.workshop.contract import Progress, TrainResult

State = TrainingRun.State

ATTEMPTS_MOST = 12
"""So often a run is taken up. A site stops less often meanwhile; what ends its worker each time must end itself."""


@transaction.atomic
def claim_run(run_id: int) -> TrainingRun | None:
    """Take a run up under a new attempt; None when it is over, or ends here because it is no longer wanted."""
    touched = TrainingRun.objects.filter(pk=run_id, state__in=sources(RUN, State.RUNNING)).update(
        state=State.RUNNING,
        attempt=F("attempt") + 1,
        started_at=Coalesce("started_at", Now()),
        stage="",
        note="",
        done=0,
        planned=0,
        seconds_left=None,
        curve=[],
    )
    if not touched:
        return None
    run = TrainingRun.objects.select_related("creation_model", "dataset").get(pk=run_id)
    _leave_if_barred(run)
    if run.cancel_requested:
        close_cancelled(run.pk, run.attempt)
        return None
    if run.attempt > ATTEMPTS_MOST:
        fail_run(
            run.pk,
            run.attempt,
            code="lost",
            message=_("The training was begun %(times)d times and lost each time.") % {"times": ATTEMPTS_MOST},
            remedy=_("Leave out unusually long works, or ask the operator whether the machine has enough memory."),
        )
        return None
    live.publish(run.topic, "state", state=run.state)
    if run.attempt > 1:
        live.publish(run.topic, "restarted")
    return run


def note_progress(run_id: int, attempt: int, progress: Progress, curve: Sequence[dict[str, float]]) -> bool:
    """Keep how far a run is. False when it is to stop: cancelled, or taken up by another worker."""
    told = {
        "stage": progress.stage[:60],
        "note": progress.note[:300],
        "done": progress.done,
        "planned": progress.planned,
        "seconds_left": progress.seconds_left,
    }
    mine = TrainingRun.objects.filter(pk=run_id, attempt=attempt, state=State.RUNNING, cancel_requested=False)
    return bool(mine.update(**told, curve=list(curve)))


@transaction.atomic
def finish_run(
    run_id: int, attempt: int, result: TrainResult, files: Sequence[dict[str, Any]], shown: showing.Shown | None = None
) -> Version | None:
    """Make the version of a finished training; None when the attempt is no longer the run's, or it was cancelled.

    `files` lists {path, sha256, bytes, media_type} with paths relative to the adapter's folder; `shown` holds what of
    it is looked at. Errors: LookupError when a file was erased meanwhile, with another version that had the same bytes.
    """
    model = CreationModel.objects.select_for_update().get(runs=run_id)
    run = _mine(run_id, attempt)
    if run is None:
        return None
    _leave_if_barred(run)
    if run.cancel_requested:
        close_cancelled(run_id, attempt)
        return None
    _hold_files(files)
    number = (model.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    evaluation = result.evaluation.model_dump(mode="json")
    version = Version.objects.create(
        creation_model=model,
        run=run,
        number=number,
        adapter_sha256=result.adapter_sha256,
        files=list(files),
        evaluation=evaluation,
        card={**result.card, "seconds": round(result.seconds, 1)},
        publishable=result.evaluation.publishable,
    )
    showing.keep(version, shown or showing.Shown())
    _close(run, State.SUCCEEDED, curve=evaluation["curve"] or run.curve, seconds_left=0.0, done=F("planned"))
    if model.version_id is None:
        CreationModel.objects.filter(pk=model.pk).update(version=version)
    audit.record(None, "studio.make_version", version, run=run.pk, adapter=result.adapter_sha256)
    events.emit("studio.model_changed", creation_model_id=model.pk)
    return version


@transaction.atomic
def fail_run(run_id: int, attempt: int, *, code: str, message: str, remedy: str) -> None:
    """Note why a training failed, unless another worker has it now."""
    run = _mine(run_id, attempt)
    if run is not None:
        _close(run, State.FAILED, error_code=code[:60], error=message[:1000], remedy=remedy[:500])
        audit.record(None, "studio.fail_run", run, code=code)


@transaction.atomic
def close_cancelled(run_id: int, attempt: int) -> bool:
    """End a run that was asked to stop. False when nobody asked: then it is not over."""
    run = _mine(run_id, attempt)
    if run is None:
        return True
    if not run.cancel_requested:
        return False
    _close(run, State.CANCELLED)
    return True


def _hold_files(files: Sequence[dict[str, Any]]) -> None:
    """Lock the rows of stored files, so that erasing waits and then finds that this version needs them."""
    names = {file["sha256"] for file in files}
    held = list(Blob.objects.select_for_update().filter(pk__in=names).order_by("pk"))
    if {blob.pk for blob in held if blob.erased_at is None} != names:
        raise LookupError("a file of the adapter was erased before its version was made")


def _mine(run_id: int, attempt: int) -> TrainingRun | None:
    """The run, locked, if it still is this attempt's."""
    mine = TrainingRun.objects.select_for_update(of=("self",)).select_related("dataset")
    return mine.filter(pk=run_id, attempt=attempt, state=State.RUNNING).first()


def _leave_if_barred(run: TrainingRun) -> None:
    """Ask a run to stop when one of its works may no longer be trained on."""
    barred = barred_works(run.dataset)
    if barred and not run.cancel_requested:
        run.cancel_requested = True
        run.error_code = "consent_revoked"
        run.error = _("“%(title)s” may no longer be trained on.") % {"title": barred[0].title}
        run.remedy = _("Choose works again and train without it.")
        run.save(update_fields=["cancel_requested", "error_code", "error", "remedy"])


def _close(run: TrainingRun, state: str, **changes: Any) -> None:
    TrainingRun.objects.filter(pk=run.pk).update(state=state, ended_at=Now(), **changes)
    live.publish(run.topic, "state", state=state)
