"""Permission to train, given and taken back work by work."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit, events
from atelier.market.core.errors import Conflict
from atelier.market.works.models import Consent, Work

from .locking import own_works


@transaction.atomic
def give_consent(*, actor: User, work_ids: Sequence[int]) -> int:
    """Permit training on works of one's own; returns how many had not been permitted. Asking twice changes nothing."""
    works = own_works(actor, work_ids)
    for work in works:
        if work.state not in {Work.State.READY, Work.State.HELD}:
            raise Conflict(
                _("“%(title)s” is %(state)s, so it cannot be trained on.")
                % {"title": work.title, "state": work.get_state_display().lower()},
                field="works",
                remedy=_("Leave it out, or restore it first."),
            )
    permitted = _permitted(works)
    fresh = [work for work in works if work.pk not in permitted]
    for work in fresh:
        Consent.objects.create(work=work, given_by=actor)
        audit.record(actor, "works.give_consent", work)
    return len(fresh)


@transaction.atomic
def revoke_consent(*, actor: User, work_ids: Sequence[int]) -> int:
    """Take permission back; returns how many had been permitted. Versions trained on them are paused soon after."""
    works = own_works(actor, work_ids)
    permitted = _permitted(works)
    for work in works:
        if work.pk in permitted:
            Consent.objects.filter(work=work, revoked_at=None).update(revoked_at=Now())
            audit.record(actor, "works.revoke_consent", work)
            events.emit("works.consent_revoked", work_id=work.pk)
    return len(permitted)


def _permitted(works: Sequence[Work]) -> set[int]:
    return set(Consent.objects.filter(work__in=works, revoked_at=None).values_list("work_id", flat=True))
