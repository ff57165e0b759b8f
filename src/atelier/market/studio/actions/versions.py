"""Versions are paused, resumed and erased."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit, events, live
from atelier.market.core.errors import Conflict, Invalid
from atelier.market.core.states import move
from atelier.market.studio.models import CreationModel, TrainingRun, Version
from atelier.market.studio.queries import revoked_works
from atelier.market.studio.states import MODEL, VERSION
from atelier.market.works.models import Consent, Work

from .locking import own_version


@transaction.atomic
def pause_versions_trained_on(work_id: int) -> None:
    """Hear that consent to train on a work was revoked: stop runs, pause versions, take models from buyers.

    Does nothing when consent was given again meanwhile. Idempotent.
    """
    if Consent.objects.filter(work_id=work_id, revoked_at=None).exists():
        return
    because = _("Consent to train on “%(title)s” was revoked.") % {"title": Work.objects.get(pk=work_id).title}
    concerned = CreationModel.objects.filter(datasets__items__work_id=work_id).values("pk")
    for model in CreationModel.objects.select_for_update().filter(pk__in=concerned).order_by("pk"):
        _stop_runs(model, work_id, because)
        versions = model.versions.filter(run__dataset__items__work_id=work_id, state=Version.State.READY)
        for version in versions.order_by("pk"):
            move(version, to=Version.State.PAUSED, allowed=VERSION, paused_because=because[:300])
            audit.record(None, "studio.pause_version", version, work=work_id)
            if model.version_id == version.pk:
                _pause_model_of(model, version)


def _stop_runs(model: CreationModel, work_id: int, because: str) -> None:
    runs = model.runs.filter(dataset__items__work_id=work_id)
    told = {
        "cancel_requested": True,
        "error_code": "consent_revoked",
        "error": because[:1000],
        "remedy": _("Choose works again and train without it."),
    }
    for run in runs.filter(state__in=[TrainingRun.State.QUEUED, TrainingRun.State.RUNNING], cancel_requested=False):
        at_once = TrainingRun.objects.filter(pk=run.pk, state=TrainingRun.State.QUEUED)
        if not at_once.update(state=TrainingRun.State.CANCELLED, ended_at=Now(), **told):
            TrainingRun.objects.filter(pk=run.pk, state=TrainingRun.State.RUNNING).update(**told)
        audit.record(None, "studio.cancel_run", run, work=work_id)
        live.publish(run.topic, "state", state=run.state)


def _pause_model_of(model: CreationModel, version: Version) -> None:
    """Take a published model from buyers because its version no longer may serve."""
    if model.state == CreationModel.State.PUBLISHED:
        move(model, to=CreationModel.State.PAUSED, allowed=MODEL)
        audit.record(None, "studio.pause_model", model, version=version.pk)
    events.emit("studio.model_changed", creation_model_id=model.pk)


@transaction.atomic
def resume_version(*, actor: User, version_id: int) -> Version:
    """Make a paused version usable again once consent is given for every work it was trained on."""
    version = own_version(actor, version_id)
    revoked = revoked_works(version)
    if revoked:
        raise Conflict(
            _("Consent to train on “%(title)s” is still not given.") % {"title": revoked[0].title},
            remedy=_("Give it again on the page of that work, or train a new version without it."),
            code="consent_revoked",
        )
    move(version, to=Version.State.READY, allowed=VERSION, paused_because="")
    audit.record(actor, "studio.resume_version", version)
    events.emit("studio.model_changed", creation_model_id=version.creation_model_id)
    return version


@transaction.atomic
def erase_version(*, actor: User, version_id: int, confirm_name: str) -> Version:
    """Erase a version for good: it serves no more at once, and its adapter's files are removed right after.

    `confirm_name` must be what the version is called. Files that another version needs too are kept for that one.
    """
    from atelier.market.studio.tasks import erase_adapter

    version = own_version(actor, version_id)
    if confirm_name.strip() != str(version):
        raise Invalid(
            _("The name does not match."),
            field="confirm_name",
            remedy=_("Type “%(name)s” to erase it.") % {"name": version},
        )
    model = version.creation_model
    move(version, to=Version.State.ERASED, allowed=VERSION)
    if model.version_id == version.pk:
        _pause_model_of(model, version)
        CreationModel.objects.filter(pk=model.pk).update(version=None)
    else:
        events.emit("studio.model_changed", creation_model_id=model.pk)
    audit.record(actor, "studio.erase_version", version, adapter=version.adapter_sha256)
    erase_adapter.defer(version_id=version.pk)
    return version


@transaction.atomic
def forget_adapter(*, version_id: int, kept: list[str]) -> None:
    """Note that an erased version's files are gone, apart from those (by SHA-256) that something else needs."""
    version = Version.objects.select_for_update().get(pk=version_id)
    if version.state == Version.State.ERASED and version.erased_at is None:
        Version.objects.filter(pk=version_id).update(erased_at=Now())
        audit.record(None, "studio.forget_adapter", version, kept=kept)
