"""Training is asked for, stopped, and asked for again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit, live
from atelier.market.core.errors import Conflict, Invalid, Missing
from atelier.market.studio.models import CreationModel, Dataset, DatasetWork, TrainingRun
from atelier.market.studio.queries import run_for
from atelier.market.works.crafts import capabilities
from atelier.market.works.models import Work
from atelier.market.works.queries import trainable

from .locking import own_model


@transaction.atomic
def start_training(
    *, actor: User, creation_model_id: int, work_ids: Sequence[int], idempotency_key: str, seed: int = 0
) -> TrainingRun:
    """Freeze works into a dataset and queue a run on it. One key makes one run.

    Errors: Invalid on `works` when there are too few or too many, or one of them may not be trained on now; Conflict
    while another run of the same model is not over.
    """
    model = own_model(actor, creation_model_id)
    known = model.runs.filter(idempotency_key=idempotency_key).first()
    if known is not None:
        return known
    _check_free(model)
    dataset = _freeze(model, _checked_works(model, work_ids))
    return _queue(actor, model, dataset, idempotency_key, seed)


@transaction.atomic
def retry_run(*, actor: User, run_id: int, idempotency_key: str) -> TrainingRun:
    """Train again on the dataset of a failed or cancelled run, if all of its works may still be trained on."""
    old = run_for(actor, run_id)
    model = own_model(actor, old.creation_model_id)
    known = model.runs.filter(idempotency_key=idempotency_key).first()
    if known is not None:
        return known
    if old.state not in {TrainingRun.State.FAILED, TrainingRun.State.CANCELLED}:
        raise Conflict(_("Only a training that failed or was cancelled is tried again."), remedy=_("Reload the page."))
    _check_free(model)
    _checked_works(model, list(old.dataset.items.values_list("work_id", flat=True)))
    return _queue(actor, model, old.dataset, idempotency_key, old.seed)


@transaction.atomic
def cancel_run(*, actor: User, run_id: int) -> TrainingRun:
    """Stop a run: a queued one at once, a running one within two seconds. Cancelling twice changes nothing."""
    run = run_for(actor, run_id)
    ended = TrainingRun.objects.filter(pk=run.pk, state=TrainingRun.State.QUEUED).update(
        state=TrainingRun.State.CANCELLED, cancel_requested=True, ended_at=Now()
    )
    asked = TrainingRun.objects.filter(pk=run.pk, state=TrainingRun.State.RUNNING, cancel_requested=False).update(
        cancel_requested=True
    )
    run.refresh_from_db()
    if ended or asked:
        audit.record(actor, "studio.cancel_run", run)
        live.publish(run.topic, "state", state=run.state)
    return run


def _check_free(model: CreationModel) -> None:
    if model.state == CreationModel.State.RETIRED:
        raise Conflict(_("This creation model is retired."), remedy=_("Bring it back first."))
    if model.runs.filter(state__in=[TrainingRun.State.QUEUED, TrainingRun.State.RUNNING]).exists():
        raise Conflict(
            _("A training of this creation model is under way."),
            remedy=_("Wait until it is over, or cancel it."),
            code="under_way",
        )


def _checked_works(model: CreationModel, work_ids: Sequence[int]) -> list[Work]:
    """The works, locked, all of them usable now. Revoking consent locks them too: it comes before or after this."""
    wanted = set(work_ids)
    works = Work.objects.filter(creator_id=model.creator_id, engine=model.engine, pk__in=wanted)
    found = list(works.select_for_update(of=("self",)).order_by("pk"))
    if len(found) != len(wanted):
        raise Missing(_("One of these works is not among yours."), remedy=_("Reload the page and choose again."))
    usable = set(trainable(works).values_list("pk", flat=True))
    barred = [work for work in found if work.pk not in usable]
    if barred:
        raise Invalid(
            _("%(n)s of the chosen works may not be trained on now, among them “%(title)s”.")
            % {"n": len(barred), "title": barred[0].title},
            field="works",
            remedy=_("Choose again: the page says why each is left out."),
            code="not_trainable",
        )
    limits = capabilities(model.engine).limits
    if not limits.works_min <= len(found) <= limits.works_max:
        raise Invalid(
            _("%(n)s works were chosen; between %(least)s and %(most)s can be trained on.")
            % {"n": len(found), "least": limits.works_min, "most": limits.works_max},
            field="works",
            remedy=_("Add works.") if len(found) < limits.works_min else _("Choose fewer works."),
            code="too_few_works" if len(found) < limits.works_min else "too_many_works",
        )
    return found


def dataset_sha256(items: Sequence[dict[str, Any]]) -> str:
    """SHA-256 over canonical JSON (sorted keys, no blanks, UTF-8) of what a dataset holds, in order."""
    text = json.dumps({"works": items}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _freeze(model: CreationModel, works: Sequence[Work]) -> Dataset:
    items = [
        {
            "sha256": work.blob_id,
            "title": work.title,
            "description": work.description,
            "tags": work.tags,
            "language": work.language,
        }
        for work in works
    ]
    dataset = Dataset.objects.create(creation_model=model, sha256=dataset_sha256(items))
    DatasetWork.objects.bulk_create(
        DatasetWork(dataset=dataset, work=work, position=position, **item)
        for position, (work, item) in enumerate(zip(works, items, strict=True))
    )
    return dataset


def _queue(actor: User, model: CreationModel, dataset: Dataset, key: str, seed: int) -> TrainingRun:
    from atelier.market.studio.tasks import train_version

    run = TrainingRun.objects.create(creation_model=model, dataset=dataset, idempotency_key=key, seed=seed)
    train_version.defer(run_id=run.pk)
    audit.record(actor, "studio.start_training", run, dataset=dataset.sha256, works=dataset.items.count())
    return run
