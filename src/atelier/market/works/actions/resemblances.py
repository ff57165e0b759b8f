"""What follows from two works being alike, and who says otherwise."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit, events
from atelier.market.core.errors import Conflict, Denied, Invalid, Missing
from atelier.market.core.states import move
from atelier.market.works import duplicates
from atelier.market.works.models import Resemblance, Work
from atelier.market.works.states import WORK

from .locking import own_works


def compare(work: Work) -> str:
    """Note which works this one resembles and return the state that follows from all that is known of it.

    Must run under `duplicates.one_at_a_time`.
    """
    for match in duplicates.alike(work):
        Resemblance.objects.get_or_create(
            work=work,
            other=match.other,
            defaults={
                "scheme": match.scheme,
                "similarity": match.similarity,
                "same_creator": match.other.creator_id == work.creator_id,
            },
        )
    return standing(work)


def standing(work: Work) -> str:
    """The state a work deserves by its resemblances to works of others."""
    verdicts = set(work.resemblances.filter(same_creator=False).values_list("state", flat=True))
    if Resemblance.State.UPHELD in verdicts:
        return Work.State.REFUSED
    return Work.State.HELD if Resemblance.State.OPEN in verdicts else Work.State.READY


@transaction.atomic
def keep_both(*, actor: User, work_id: int) -> Work:
    """The creator's word that a work may be trained on although it is nearly another of their own."""
    (work,) = own_works(actor, [work_id])
    mine = work.resemblances.filter(same_creator=True, state=Resemblance.State.OPEN)
    touched = mine.update(state=Resemblance.State.CLEARED, decided_by=actor, reason=_("The creator uses both."))
    if touched:
        audit.record(actor, "works.keep_both", work)
    return work


@transaction.atomic
def decide_resemblance(*, actor: User, resemblance_id: int, uphold: bool, reason: str) -> Resemblance:
    """An operator's verdict on a held work: a copy (it is refused), or not (it is ready once all are cleared)."""
    if not actor.is_operator:
        raise Denied(_("Only operators decide on resemblances."), remedy=_("Ask the operator of this market."))
    reason = reason.strip()
    if not 3 <= len(reason) <= 1000:
        raise Invalid(_("A reason of 3 to 1000 letters is needed."), field="reason", remedy=_("Say why."))
    found = Resemblance.objects.filter(pk=resemblance_id, same_creator=False).values_list("work_id", flat=True).first()
    if found is None:
        raise Missing(_("There is no such resemblance."))
    work = Work.objects.select_for_update().get(pk=found)
    verdict = Resemblance.State.UPHELD if uphold else Resemblance.State.CLEARED
    resemblance = Resemblance.objects.get(pk=resemblance_id)
    move(
        resemblance,
        to=verdict,
        allowed={Resemblance.State.OPEN: frozenset({Resemblance.State.UPHELD, Resemblance.State.CLEARED})},
        decided_by=actor,
        reason=reason,
    )
    audit.record(actor, "works.decide_resemblance", resemblance, verdict=str(verdict), reason=reason, work=work.pk)
    _follow(work)
    return resemblance


def _follow(work: Work) -> None:
    """Move a held work to where the verdicts so far lead. A removed work stays so until it is restored."""
    state = standing(work)
    if work.state == state or work.state == Work.State.REMOVED:
        return
    if work.state != Work.State.HELD:
        raise Conflict(_("This work is not held."), remedy=_("Reload the page to see how it stands."))
    move(work, to=state, allowed=WORK)
    if state == Work.State.READY:
        events.emit("works.work_ready", work_id=work.pk)
