"""Beginning a purchase: what may be sold to whom, and who was first."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit
from atelier.market.core.errors import Conflict, Denied, Invalid, Missing
from atelier.market.core.models import Blob
from atelier.market.core.money import show
from atelier.market.generation.models import Output
from atelier.market.generation.queries import is_on_sale, output_seen_by
from atelier.market.studio.models import CreationModel, Tier

from . import gateways, terms
from .models import Purchase
from .split import split_price

S = Purchase.State


@transaction.atomic
def start_purchase(
    *, actor: User, output_id: uuid.UUID, tier: str, idempotency_key: str, price_seen_minor: int | None = None
) -> Purchase:
    """Begin to buy a licence, with its price, terms and split frozen. The same key again is the same purchase.

    Errors: Missing for a piece this person cannot see; Denied for one's own; Invalid tier; Conflict when the piece,
    the tier or the price is not to be had any more.
    """
    kept = Purchase.objects.filter(buyer=actor, idempotency_key=idempotency_key).first()
    if kept is None:
        output = _locked(actor, output_id)
        # A double click waits for the lock above: the first may have finished meanwhile.
        kept = Purchase.objects.filter(buyer=actor, idempotency_key=idempotency_key).first()
    if kept is not None:
        if (kept.output_id, kept.tier) != (output_id, tier):
            raise Conflict(_("This request was used for another purchase."), remedy=_("Reload the page and try again."))
        return kept
    if tier not in Tier.values:
        raise Invalid(_("There is no such tier."), field="tier", remedy=_("Choose one of those shown."))
    price = _price(actor, output, tier, price_seen_minor)
    check_free(actor, output, tier)
    purchase = Purchase.objects.create(
        buyer=actor,
        output=output,
        tier=tier,
        terms=terms.in_force(tier),
        price_minor=price,
        currency=output.generation.creation_model.currency,
        fee_basis_points=settings.PLATFORM_FEE_BASIS_POINTS,
        split=split_price(output, price, settings.PLATFORM_FEE_BASIS_POINTS),
        idempotency_key=idempotency_key,
        gateway=gateways.current().name,
    )
    audit.record(actor, "billing.start_purchase", purchase, tier=tier, price_minor=price)
    purchase.refresh_from_db()
    return purchase


def _locked(actor: User, output_id: uuid.UUID) -> Output:
    """The output, with all purchases of the same bytes waiting until this transaction ends.

    Two seeds may have made the very same piece; what is exclusive is the piece, so the lock is on its bytes.
    """
    seen = output_seen_by(actor, output_id)
    Blob.objects.select_for_update().get(pk=seen.blob_id)
    output = output_seen_by(actor, output_id)
    if output.generation.creation_model.creator.user_id == actor.pk:
        raise Denied(_("This piece is yours already."), remedy=_("Fetch it from your playground."))
    return output


def _price(actor: User, output: Output, tier: str, price_seen_minor: int | None) -> int:
    """The price of a tier now. Errors: Conflict when it is not the one that was shown, or nothing is sold any more."""
    model = output.generation.creation_model
    if model.state == CreationModel.State.RETIRED:
        raise Conflict(_("The creator retired this creation model."), remedy=_("Look at their other models."))
    if not is_on_sale(output):
        raise Conflict(_("This piece is not for sale any more."), remedy=_("Ask for a variation of it."))
    price = model.price_minor(tier)
    if price < model.floor_minor:
        raise Conflict(_("The price of this tier lies under the creator’s floor."), remedy=_("Tell the creator."))
    if price_seen_minor is not None and price_seen_minor != price:
        raise Conflict(
            _("The price is %(now)s now; you saw %(seen)s.")
            % {"now": show(price, model.currency), "seen": show(price_seen_minor, model.currency)},
            field="tier",
            remedy=_("Look at it again before you pay."),
            code="price_changed",
        )
    return price


def check_free(actor: User, output: Output, tier: str) -> None:
    """Errors: Conflict when another purchase of the same piece stands in the way of this tier."""
    others = Purchase.objects.filter(output__blob_id=output.blob_id).exclude(state__in=Purchase.OVER_WITHOUT_A_LICENCE)
    mine = others.filter(buyer=actor, tier=tier).first()
    if mine is not None and mine.state == S.PAID:
        raise Conflict(_("You hold this licence already."), remedy=_("Find it under “Licences”."), code="held")
    if mine is not None:
        raise Conflict(
            _("You have begun to buy this already."),
            remedy=_("Finish or cancel it under “Purchases” first."),
            code="begun",
        )
    if others.filter(tier=Tier.EXCLUSIVE).exists():
        raise Conflict(
            _("This piece is being bought exclusively just now."), remedy=_("Try again in some minutes."), code="taken"
        )
    if tier == Tier.EXCLUSIVE and others.filter(state=S.PAID).exists():
        raise Conflict(
            _("A licence to this piece was sold before, so it cannot be exclusive."),
            field="tier",
            remedy=_("Choose another tier, or ask for a variation."),
            code="not_exclusive",
        )
    if tier == Tier.EXCLUSIVE and others.exists():
        raise Conflict(
            _("Another purchase of this piece is under way."),
            field="tier",
            remedy=_("Try again in some minutes, or choose another tier."),
            code="taken",
        )


def exclusive_possible(actor: User, output: Output) -> bool:
    """Whether the exclusive tier could be begun now."""
    try:
        check_free(actor, output, Tier.EXCLUSIVE)
    except Conflict:
        return False
    return True


def require_purchase(actor: User, purchase_id: uuid.UUID) -> Purchase:
    """One's own purchase, locked so that two clicks take turns. Errors: Missing."""
    found = Purchase.objects.select_for_update(of=("self",)).filter(pk=purchase_id, buyer=actor).first()
    if found is None:
        raise Missing(_("There is no such purchase."), remedy=_("Find yours under “Purchases”."))
    return found
