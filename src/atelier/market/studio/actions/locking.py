"""Creation models held for a change, so that two hands take turns."""

from __future__ import annotations

from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.accounts.queries import creator_of
from atelier.market.core.errors import Missing
from atelier.market.studio.models import CreationModel, Version


def own_model(actor: User, creation_model_id: int) -> CreationModel:
    """The actor's creation model, locked. Errors: Denied; Missing when it is not theirs."""
    found = (
        CreationModel.objects.select_for_update(of=("self",))
        .select_related("creator__user")
        .filter(pk=creation_model_id, creator=creator_of(actor))
        .first()
    )
    if found is None:
        raise Missing(_("There is no such creation model among yours."), remedy=_("Go back to your studio."))
    return found


def own_version(actor: User, version_id: int) -> Version:
    """The actor's version, its creation model locked and attached. Errors: Denied; Missing when it is not theirs."""
    found = Version.objects.filter(pk=version_id, creation_model__creator=creator_of(actor)).first()
    if found is None:
        raise Missing(_("There is no such version among yours."), remedy=_("Go back to your studio."))
    model = own_model(actor, found.creation_model_id)
    version = Version.objects.select_for_update().get(pk=found.pk)
    version.creation_model = model
    return version
