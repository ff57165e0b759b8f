"""Creation models come before buyers, and leave."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit, events
from atelier.market.core.errors import Conflict, Denied, Invalid
from atelier.market.core.states import move
from atelier.market.studio.models import CreationModel, Version
from atelier.market.studio.queries import revoked_works
from atelier.market.studio.states import MODEL

from .locking import own_model, own_version


@transaction.atomic
def publish_model(*, actor: User, creation_model_id: int, anyway: bool = False) -> CreationModel:
    """Offer a draft or paused creation model to buyers.

    `anyway` is the creator's explicit word to publish a version that its proof does not recommend.
    Errors: Denied when the creator is not vetted; Conflict without a version ready, and for one that copies works it
    learned from, whatever the word; Invalid on `anyway`.
    """
    model = own_model(actor, creation_model_id)
    if not model.creator.is_vetted:
        raise Denied(
            _("Only vetted creators publish."),
            remedy=_("Apply for vetting on your account page; an operator looks at it."),
            code="not_vetted",
        )
    version = _offerable(model.version_id)
    _give_word(actor, version, anyway)
    move(
        model,
        to=CreationModel.State.PUBLISHED,
        allowed=MODEL,
        published_at=Coalesce("published_at", Now()),
    )
    audit.record(actor, "studio.publish_model", model, version=version.pk, anyway=not version.publishable)
    events.emit("studio.model_changed", creation_model_id=model.pk)
    return model


@transaction.atomic
def choose_version(*, actor: User, version_id: int, anyway: bool = False) -> CreationModel:
    """Let a version serve from now on. Errors: as for publishing, when the model is before buyers."""
    version = own_version(actor, version_id)
    model = version.creation_model
    _offerable(version.pk)
    if model.state == CreationModel.State.PUBLISHED:
        _give_word(actor, version, anyway)
    if model.version_id != version.pk:
        CreationModel.objects.filter(pk=model.pk).update(version=version)
        audit.record(actor, "studio.choose_version", model, version=version.pk)
        events.emit("studio.model_changed", creation_model_id=model.pk)
        model.refresh_from_db()
    return model


@transaction.atomic
def pause_model(*, actor: User, creation_model_id: int) -> CreationModel:
    """Take a published creation model from buyers for a while; what was sold stays sold."""
    return _leave(actor, creation_model_id, CreationModel.State.PAUSED, "studio.pause_model")


@transaction.atomic
def retire_model(*, actor: User, creation_model_id: int) -> CreationModel:
    """End a creation model. What was sold stays sold; it can be brought back as a draft."""
    model = own_model(actor, creation_model_id)
    if model.runs.filter(state__in=["queued", "running"]).exists():
        raise Conflict(_("It is being trained."), remedy=_("Cancel the training first."))
    return _leave(actor, creation_model_id, CreationModel.State.RETIRED, "studio.retire_model")


@transaction.atomic
def bring_back_model(*, actor: User, creation_model_id: int) -> CreationModel:
    """Make a retired creation model a draft again."""
    return _leave(actor, creation_model_id, CreationModel.State.DRAFT, "studio.bring_back_model")


def _leave(actor: User, creation_model_id: int, to: str, verb: str) -> CreationModel:
    model = own_model(actor, creation_model_id)
    move(model, to=to, allowed=MODEL)
    audit.record(actor, verb, model)
    events.emit("studio.model_changed", creation_model_id=model.pk)
    return model


def _offerable(version_id: int | None) -> Version:
    """The version, if it may serve buyers. Errors: Conflict."""
    version = Version.objects.select_for_update().filter(pk=version_id).first() if version_id else None
    if version is None:
        raise Conflict(_("Nothing was trained yet."), remedy=_("Choose works and train first."))
    if version.state != Version.State.READY:
        raise Conflict(
            _("Version %(number)s is %(state)s.")
            % {"number": version.number, "state": version.get_state_display().lower()},
            remedy=_("Choose another version, or train a new one."),
        )
    revoked = revoked_works(version)
    if revoked:
        raise Conflict(
            _("Consent to train on “%(title)s” is no longer given.") % {"title": revoked[0].title},
            remedy=_("Train a new version without it."),
            code="consent_revoked",
        )
    return version


def _give_word(actor: User, version: Version, anyway: bool) -> None:
    """Keep the creator's word where the proof says no. Errors: Invalid, with the reason, when it is not given; Conflict
    for a version that copies, of which nobody can take the risk for those whose works they are."""
    if version.copies:
        raise Conflict(
            _("Version %(number)s repeats works word for word and is not offered. %(why)s")
            % {"number": version.number, "why": version.evaluation["copying"].get("sentence", "")},
            remedy=_("Train again with more works, or with fewer that are alike."),
            code="copies",
        )
    if version.publishable or version.published_anyway_at is not None:
        return
    if not anyway:
        raise Invalid(
            _("By its proof version %(number)s is not to be published. %(why)s")
            % {"number": version.number, "why": version.evaluation.get("summary", "")},
            field="anyway",
            remedy=_("Train again with more works, or say explicitly that you publish it anyway."),
            code="not_publishable",
        )
    Version.objects.filter(pk=version.pk).update(published_anyway_at=Now())
    audit.record(actor, "studio.publish_anyway", version)
