"""Jobs: one training at a time; files of erased versions are removed."""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from atelier.market.core import blobs, live
from atelier.market.core.models import Blob
from atelier.workshop import contract
from atelier.workshop.runtime import runtime

from . import actions, showing
from .adapters import remove_unneeded
from .blobs_in_use import is_needed
from .models import TrainingRun, Version, VersionPart

log = logging.getLogger(__name__)


class WorkerClosing(Exception):
    """The worker ends before the training does: the run is to be taken up again."""


RETRY = RetryStrategy(wait=2, retry_exceptions=[OperationalError, InterfaceError, WorkerClosing])
TELL_SECONDS = 0.5


@app.task(queue="train", lock="train", retry=RETRY)
def train_version(*, run_id: int) -> None:
    """Train a queued run, or one whose worker was lost, and keep its version. Run twice, it makes one version."""
    run = actions.claim_run(run_id)
    if run is None:
        return
    try:
        with tempfile.TemporaryDirectory(prefix="atelier-train-") as scratch:
            result, files, shown = _train(run, Path(scratch))
        actions.finish_run(run.pk, run.attempt, result, files, shown)
    except contract.Cancelled:
        if not actions.close_cancelled(run.pk, run.attempt):
            raise WorkerClosing(f"training run {run_id} was interrupted") from None
    except contract.WorkshopError as error:
        actions.fail_run(run.pk, run.attempt, code=error.code, message=error.message, remedy=error.remedy)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("training run %s failed", run_id)
        actions.fail_run(
            run.pk,
            run.attempt,
            code="failed",
            message=_("The training failed, and it was not your doing."),
            remedy=_("Try it again; if it fails again, tell the operator the number of this training."),
        )


# An erasure goes on until it succeeds.
@app.task(queue="quick", retry=RetryStrategy(wait=10))
def erase_adapter(*, version_id: int) -> None:
    """Remove the files of an erased version, in storage and in this machine's cache, unless something needs them."""
    version = Version.objects.get(pk=version_id)
    if version.state != Version.State.ERASED or version.erased_at is not None:
        return
    kept = [file["sha256"] for file in version.files if not _erase_file(file["sha256"])]
    for part in version.parts.exclude(blob=None):
        _erase_picture(part)
    remove_unneeded(version.adapter_sha256)
    runtime().tidy(version.creation_model.engine)
    actions.forget_adapter(version_id=version_id, kept=kept)


@transaction.atomic
def _erase_picture(part: VersionPart) -> None:
    """Part a part from its picture, and erase that unless something else needs it."""
    VersionPart.objects.filter(pk=part.pk).update(blob=None)
    _erase_file(str(part.blob_id))


@transaction.atomic
def _erase_file(sha256: str) -> bool:
    """Erase the bytes unless something needs them, which is what False says.

    The row is locked, as it is where a version is made of the same bytes: that comes before or after this.
    """
    blob = Blob.objects.select_for_update().filter(pk=sha256, erased_at=None).first()
    if blob is None:
        return True
    if is_needed(blob):
        return False
    blobs.erase(blob)
    return True


def _train(run: TrainingRun, scratch: Path) -> tuple[contract.TrainResult, list[dict[str, Any]], showing.Shown]:
    """The engine's result, the adapter's files in storage, and so what is looked at of it."""
    workspace = scratch / "workspace"
    workspace.mkdir()
    spec = _spec(run, scratch / "works")
    result = runtime().train(run.creation_model.engine, spec, workspace, Reporter(run))
    folder = (workspace / result.adapter_dir).resolve()
    files = []
    for file in result.adapter_files:
        path = (workspace / file.path).resolve()
        if not path.is_relative_to(folder) or not folder.is_relative_to(workspace.resolve()):
            raise ValueError(f"the engine names a file outside its adapter: {file.path}")
        blob = blobs.keep_file(path, file.media_type)
        if blob.sha256 != file.sha256:
            raise ValueError(f"the file {file.path} is not the one the engine named")
        name = path.relative_to(folder).as_posix()
        files.append({"path": name, "sha256": blob.sha256, "bytes": blob.bytes, "media_type": file.media_type})
    return result, files, showing.stored(result, workspace)


def _spec(run: TrainingRun, folder: Path) -> contract.TrainSpec:
    """The run as the engine sees it, with each work as a local file."""
    model = run.creation_model
    works = []
    for item in run.dataset.items.select_related("work__blob"):
        path = blobs.copy_to(item.work.blob, folder / str(item.position))
        works.append(
            contract.WorkFile(
                id=str(item.work_id),
                path=str(path),
                sha256=item.sha256,
                title=item.title,
                tags=tuple(item.tags),
                description=item.description,
                language=item.language,
            )
        )
    return contract.TrainSpec(
        works=tuple(works),
        dataset_sha256=run.dataset.sha256,
        seed=run.seed,
        category=model.category,
        guardrails=contract.Guardrails(
            subjects_refused=tuple(model.subjects_refused), words_never=tuple(model.words_never)
        ),
        recipe=settings.TRAIN_RECIPES.get(model.engine, {}),
    )


class Reporter:
    """Passes an engine's progress on to the run and to open pages, twice a second at most.

    Raises Cancelled when the run is to stop, be it cancelled or taken up by another worker.
    """

    def __init__(self, run: TrainingRun) -> None:
        self._run = run
        self._curve: list[dict[str, float]] = []
        self._metrics: dict[str, float] = {}
        self._told = 0.0
        self._stage: str | None = None
        self._shown: dict[str, Any] = {}
        self._points_shown = 0

    def __call__(self, progress: contract.Progress) -> None:
        if progress.metrics and progress.metrics != self._metrics:
            self._add_point({"step": float(progress.done), **progress.metrics})
            self._metrics = progress.metrics
        now = time.monotonic()
        if now - self._told < TELL_SECONDS and progress.stage == self._stage:
            return
        self._told, self._stage = now, progress.stage
        if not actions.note_progress(self._run.pk, self._run.attempt, progress, self._curve):
            raise contract.Cancelled
        self._show(progress)

    def _add_point(self, point: dict[str, float]) -> None:
        """Later figures of the same step replace what was known of it."""
        if self._curve and self._curve[-1]["step"] == point["step"]:
            self._curve.pop()
        self._curve.append(point)

    def _show(self, progress: contract.Progress) -> None:
        news = progress.model_dump(include={"done", "planned", "stage", "note", "seconds_left"})
        if news != self._shown:
            live.publish(self._run.topic, "progress", **news)
            self._shown = news
        if len(self._curve) > self._points_shown:
            live.publish(self._run.topic, "curve", points=len(self._curve))
            self._points_shown = len(self._curve)
