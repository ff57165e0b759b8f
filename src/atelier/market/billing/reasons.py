"""Why a payment did not go through, in words for the buyer, each with what to do."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from .models import Purchase


@dataclass(frozen=True)
class Reason:
    """What happened, and the remedy."""

    message: str
    remedy: str


def reason_of(purchase: Purchase) -> Reason:
    """Why a purchase ended without a licence."""
    known = {
        "insufficient_funds": Reason(_("The card has not enough money on it."), _("Try another card.")),
        "expired_card": Reason(_("The card has expired."), _("Try another card.")),
        "not_confirmed": Reason(_("You did not confirm the payment with your bank."), _("Try again, or another card.")),
        "never_arrived": Reason(_("The payment never reached the bank."), _("Nothing was charged: try again.")),
        "abandoned": Reason(_("This purchase was left open for too long."), _("Nothing was charged: begin again.")),
        "withdrawn": Reason(
            _("The piece was withdrawn while you paid."), _("Your money goes back to the card you paid with.")
        ),
    }
    if purchase.failure_code in known:
        return known[purchase.failure_code]
    if purchase.state == Purchase.State.CANCELLED:
        return Reason(_("This purchase was cancelled."), _("Nothing was charged."))
    return Reason(purchase.failure or _("The bank declined the card."), _("Try another card."))
