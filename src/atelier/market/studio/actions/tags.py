"""The creator says by which words parts of what a version learned are found."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit
from atelier.market.core.errors import Conflict, Invalid, Missing
from atelier.market.studio.models import Version, VersionPart
from atelier.market.works.actions.editing import clean_tags

from .locking import own_version


@transaction.atomic
def tag_part(*, actor: User, version_id: int, name: str, tags: Sequence[str] | None) -> VersionPart:
    """Have a part found by the creator's own words from now on, in later versions too; None for the learned ones.

    Twice is once. Errors: Missing for a version that is not the actor's, and for a part that it has not; Invalid on
    `tags`; Conflict once erased, and for parts that are not found by words.
    """
    version = own_version(actor, version_id)
    part = version.parts.filter(name=name).first()
    if part is None:
        raise Missing(_("This version has no such part."), field="part", remedy=_("Reload the page and choose again."))
    if version.state == Version.State.ERASED:
        raise Conflict(_("This version was erased."), remedy=_("Choose another version."), code="erased")
    if part.tags is None:
        raise Conflict(_("“%(part)s” is not found by words.") % {"part": part.title}, remedy=_("Choose another part."))
    wanted = None if tags is None else _clean(tags)
    if wanted != part.own_tags:
        part.own_tags = wanted
        part.save(update_fields=["own_tags"])
        audit.record(actor, "studio.tag_part", version, part=name, tags=wanted)
    return part


def _clean(tags: Sequence[str]) -> list[str]:
    """Tags as works have them, but at least one. Errors: Invalid on `tags`."""
    kept = clean_tags(tags)
    if not kept:
        raise Invalid(
            _("A part needs a tag by which it is found."), field="tags", remedy=_("Say in a word what it shows.")
        )
    return kept
