"""What a buyer does with a purchase. The gateway is never called inside a database transaction."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit, live
from atelier.market.core.errors import Conflict, Invalid
from atelier.market.core.states import move

from . import gateways
from .gateways.interface import Card, CardInvalid, Charge, GatewayError
from .models import Purchase
from .settling import record
from .starting import require_purchase, start_purchase
from .states import PURCHASE
from .tasks import settle_soon

__all__ = ["buy", "cancel", "card_of", "confirm", "pay", "start_purchase"]

S = Purchase.State


def card_of(entered: str) -> Card:
    """The gateway's card for what was entered. Errors: Invalid naming the field; Conflict when it is out of reach."""
    try:
        return gateways.current().card(entered)
    except CardInvalid:
        raise Invalid(
            _("This card cannot be used here."),
            field="card_number",
            remedy=_("Check the number; this market takes only the cards listed beside the form.")
            if gateways.current().test_cards
            else _("Check the number."),
            code="card_invalid",
        ) from None
    except GatewayError:
        raise Conflict(
            _("Payments cannot be taken at the moment."),
            remedy=_("Nothing was charged. Try again in some minutes."),
            code="gateway_unavailable",
        ) from None


def buy(
    *,
    actor: User,
    output_id: uuid.UUID,
    tier: str,
    idempotency_key: str,
    card: Card,
    price_seen_minor: int | None = None,
) -> Purchase:
    """Begin a purchase and pay for it. The same key again is the same purchase, however it went.

    Errors: those of `start_purchase` and `pay`.
    """
    purchase = start_purchase(
        actor=actor,
        output_id=output_id,
        tier=tier,
        idempotency_key=idempotency_key,
        price_seen_minor=price_seen_minor,
    )
    if purchase.state in Purchase.OVER_WITHOUT_A_LICENCE:
        return purchase
    return pay(actor=actor, purchase_id=purchase.pk, card=card)


def pay(*, actor: User, purchase_id: uuid.UUID, card: Card) -> Purchase:
    """Charge the card once for an open purchase. Clicking twice charges once.

    That charging began is committed before the gateway is asked, so whatever is killed afterwards, the purchase is
    settled with the gateway's word. Errors: Missing; Conflict when it is over.
    """
    with transaction.atomic(durable=True):
        purchase = require_purchase(actor, purchase_id)
        if purchase.state in {S.CHARGING, S.UNKNOWN, S.CONFIRMING, S.PAID}:
            return purchase
        if purchase.state != S.OPEN:
            raise Conflict(
                _("This purchase is over, so nothing was charged."), remedy=_("Begin a new one."), code="over"
            )
        _go(purchase, S.CHARGING, actor, only_from=[S.OPEN], card_label=card.label)
    charge = Charge(
        key=str(purchase.pk),
        amount_minor=purchase.price_minor,
        currency=purchase.currency,
        card_token=card.token,
        description=f"Atelier {purchase.tier} licence",
    )
    try:
        result = gateways.named(purchase.gateway).charge(charge)
    except GatewayError as error:
        return _unsure(purchase, str(error))
    return record(purchase.pk, result)


def confirm(*, actor: User, purchase_id: uuid.UUID, passed: bool) -> Purchase:
    """Tell the gateway how the buyer's confirmation went. Errors: Missing; Conflict when none is waited for."""
    with transaction.atomic(durable=True):
        purchase = require_purchase(actor, purchase_id)
        _go(purchase, S.CHARGING, actor, only_from=[S.CONFIRMING])
    try:
        result = gateways.named(purchase.gateway).confirm(str(purchase.pk), passed)
    except GatewayError as error:
        return _unsure(purchase, str(error))
    return record(purchase.pk, result)


def cancel(*, actor: User, purchase_id: uuid.UUID) -> Purchase:
    """Give up a purchase that is not paid; cancelling twice is cancelling once.

    Errors: Missing; Conflict when it is paid, being charged, or the gateway cannot be reached. When the gateway took
    the money before it heard of this, the purchase is paid.
    """
    with transaction.atomic(durable=True):
        purchase = require_purchase(actor, purchase_id)
        if purchase.state == S.CANCELLED:
            return purchase
        if purchase.state != S.CONFIRMING:
            _go(purchase, S.CANCELLED, actor, only_from=[S.OPEN])
            return purchase
    try:
        result = gateways.named(purchase.gateway).void(str(purchase.pk))
    except GatewayError:
        raise Conflict(
            _("The bank cannot be reached, so this could not be cancelled."), remedy=_("Try again in some minutes.")
        ) from None
    return record(purchase.pk, result)


def _go(purchase: Purchase, state: str, actor: User, *, only_from: list[str], **changes: Any) -> None:
    move(purchase, to=state, allowed=PURCHASE, only_from=only_from, state_changed_at=Now(), **changes)
    audit.record(actor, f"billing.{state}", purchase)
    live.publish(purchase.topic, "state", state=state)


@transaction.atomic
def _unsure(purchase: Purchase, why: str) -> Purchase:
    """No clear answer came: say so, and ask the gateway until it is known."""
    try:
        move(purchase, to=S.UNKNOWN, allowed=PURCHASE, only_from=[S.CHARGING], state_changed_at=Now())
    except Conflict:
        # It was settled in the meantime by the job.
        return purchase
    audit.record(None, "billing.unknown", purchase, why=why[:300])
    live.publish(purchase.topic, "state", state=S.UNKNOWN)
    settle_soon(purchase.pk)
    return purchase
