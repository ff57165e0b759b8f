"""Creation models are made and edited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings as site
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from atelier.market.accounts.models import Creator, User
from atelier.market.accounts.queries import creator_of
from atelier.market.core import audit, events
from atelier.market.core.errors import Conflict, Invalid, TooMany
from atelier.market.studio import settings
from atelier.market.studio.models import CreationModel

from .locking import own_model

MODELS_MOST = 100


@transaction.atomic
def create_model(*, actor: User, values: Mapping[str, Any], idempotency_key: str) -> CreationModel:
    """A new draft from settings (`studio.settings.FIELDS`; `name` and `craft` are needed). One key makes one model."""
    creator = Creator.objects.select_for_update().get(pk=creator_of(actor).pk)
    known = CreationModel.objects.filter(creator=creator, idempotency_key=idempotency_key).first()
    if known is not None:
        return known
    for needed in ("name", "craft"):
        if not values.get(needed):
            raise Invalid(_("This is needed."), field=needed, remedy=_("Fill it in."))
    if CreationModel.objects.filter(creator=creator).count() >= MODELS_MOST:
        raise TooMany(
            _("You have %(most)s creation models already.") % {"most": MODELS_MOST}, remedy=_("Use one you have.")
        )
    cleaned = settings.checked(values)
    model = CreationModel.objects.create(
        creator=creator,
        slug=_free_slug(creator, cleaned["name"]),
        currency=site.CURRENCY,
        idempotency_key=idempotency_key,
        **cleaned,
    )
    audit.record(actor, "studio.create_model", model)
    events.emit("studio.model_changed", creation_model_id=model.pk)
    return model


@transaction.atomic
def edit_model(*, actor: User, creation_model_id: int, values: Mapping[str, Any]) -> CreationModel:
    """Change settings; those not named stay. New prices hold for purchases that start from now on."""
    model = own_model(actor, creation_model_id)
    if model.state == CreationModel.State.RETIRED:
        raise Conflict(_("This creation model is retired."), remedy=_("Bring it back first."))
    cleaned = settings.checked(values, present=model)
    if cleaned.get("engine", model.engine) != model.engine and model.datasets.exists():
        raise Invalid(
            _("It was trained for another craft already."),
            field="craft",
            remedy=_("Make a new creation model for this craft."),
        )
    changes = {name: value for name, value in cleaned.items() if getattr(model, name) != value}
    if changes:
        CreationModel.objects.filter(pk=model.pk).update(**changes)
        audit.record(actor, "studio.edit_model", model, changed=sorted(changes))
        events.emit("studio.model_changed", creation_model_id=model.pk)
        model.refresh_from_db()
    return model


def _free_slug(creator: Creator, name: str) -> str:
    """A slug that the creator does not use yet. The creator is locked."""
    base = slugify(name)[:70] or "model"
    taken = set(CreationModel.objects.filter(creator=creator, slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, MODELS_MOST + 3))) if slug not in taken)
