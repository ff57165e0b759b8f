"""Rows held for a change, so that two hands take turns."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from atelier.market.accounts.models import Creator, User
from atelier.market.accounts.queries import creator_of
from atelier.market.core.errors import Invalid, Missing
from atelier.market.works.models import Work

AT_ONCE = 2_000


def own_works(actor: User, work_ids: Sequence[int]) -> list[Work]:
    """The actor's works with these ids, locked, in order of id. Errors: Denied; Missing when one is not theirs.

    Freezing a dataset locks works too, so a consent is revoked before or after it, never between. The lock lets others
    refer to the works meanwhile: whoever compares an upload with them notes that while this may wait for its turn.
    """
    creator = creator_of(actor)
    wanted = set(work_ids)
    if not wanted or len(wanted) > AT_ONCE:
        raise Invalid(
            _("No works were chosen.") if not wanted else _("Too many works were chosen at once."),
            field="works",
            remedy=_("Tick at least one work.") if not wanted else _("Choose fewer works."),
        )
    found = list(
        Work.objects.select_for_update(of=("self",), no_key=True).filter(creator=creator, pk__in=wanted).order_by("pk")
    )
    if len(found) != len(wanted):
        raise Missing(_("One of these works is not among yours."), remedy=_("Reload the page and choose again."))
    return found


def locked_creator(actor: User) -> Creator:
    """The actor's creator, locked: what counts up over all of a creator's uploads takes turns."""
    return Creator.objects.select_for_update().get(pk=creator_of(actor).pk)
