"""The creator says which parts of what a version learned are not to be used, and takes it back."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit
from atelier.market.core.errors import Conflict, Missing
from atelier.market.studio.models import Version

from .locking import own_version


@transaction.atomic
def veto_part(*, actor: User, version_id: int, name: str) -> Version:
    """Have a part used in nothing that is made from now on. Twice is once.

    Errors: Missing for a version that is not the actor's, and for a part that it has not; Conflict once erased.
    """
    return _set(actor, version_id, name, vetoed=True)


@transaction.atomic
def allow_part(*, actor: User, version_id: int, name: str) -> Version:
    """Undo `veto_part`."""
    return _set(actor, version_id, name, vetoed=False)


def _set(actor: User, version_id: int, name: str, *, vetoed: bool) -> Version:
    version = own_version(actor, version_id)
    if not version.parts.filter(name=name).exists():
        raise Missing(_("This version has no such part."), field="part", remedy=_("Reload the page and choose again."))
    if version.state == Version.State.ERASED:
        raise Conflict(_("This version was erased."), remedy=_("Choose another version."), code="erased")
    names = {*version.vetoed, name} if vetoed else set(version.vetoed) - {name}
    if names != set(version.vetoed):
        version.vetoed = sorted(names)
        Version.objects.filter(pk=version.pk).update(vetoed=version.vetoed)
        audit.record(actor, "studio.veto_part" if vetoed else "studio.allow_part", version, part=name)
    return version
