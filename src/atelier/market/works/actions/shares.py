"""Co-authors' parts of what a work earns."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit
from atelier.market.core.errors import Invalid, Missing
from atelier.market.works.models import Share

from .locking import own_works

WHOLE = 10_000


@transaction.atomic
def give_share(*, actor: User, work_id: int, email: str, basis_points: int) -> Share:
    """Give a registered person a part of what a work earns from now on, or change it.

    Errors: Invalid on `email` for an unknown person, on `basis_points` when all shares would exceed the whole.
    """
    (work,) = own_works(actor, [work_id])
    holder = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if holder is None:
        raise Invalid(
            _("Nobody here has this e-mail address."), field="email", remedy=_("Ask your co-author to sign up first.")
        )
    if holder.pk == actor.pk:
        raise Invalid(_("What is not given to others is yours already."), field="email", remedy=_("Name a co-author."))
    if not 1 <= basis_points <= WHOLE:
        raise Invalid(
            _("A share lies between 0.01 % and 100 %."), field="basis_points", remedy=_("Choose a share in between.")
        )
    others = work.shares.exclude(holder=holder).aggregate(given=Sum("basis_points"))["given"] or 0
    if others + basis_points > WHOLE:
        raise Invalid(
            _("All shares together would exceed 100 %%: %(given)s %% are given already.") % {"given": others / 100},
            field="basis_points",
            remedy=_("Give at most %(left)s %%.") % {"left": (WHOLE - others) / 100},
        )
    share, _made = Share.objects.update_or_create(work=work, holder=holder, defaults={"basis_points": basis_points})
    audit.record(actor, "works.give_share", work, holder=holder.pk, basis_points=basis_points)
    return share


@transaction.atomic
def take_back_share(*, actor: User, work_id: int, share_id: int) -> None:
    """End a co-author's share of future earnings; what was earned so far stays theirs."""
    (work,) = own_works(actor, [work_id])
    share = work.shares.filter(pk=share_id).first()
    if share is None:
        raise Missing(_("There is no such share."), remedy=_("Reload the page."))
    audit.record(actor, "works.take_back_share", work, holder=share.holder_id, basis_points=share.basis_points)
    share.delete()
