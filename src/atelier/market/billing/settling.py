"""What the gateway said, written down: payment, ledger and licence in one transaction, or none of them."""

from __future__ import annotations

import logging
import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from atelier.market.core import audit, events, live
from atelier.market.core.errors import Conflict
from atelier.market.core.models import Blob
from atelier.market.core.states import move
from atelier.market.generation.models import Output
from atelier.market.ledger import accounts
from atelier.market.ledger.actions import credit, debit, post

from . import gateways
from .gateways.interface import GatewayError, Result, State
from .models import Purchase
from .states import PURCHASE

log = logging.getLogger(__name__)
S = Purchase.State

# A web process waits less than this for a gateway; what charges for longer has lost the process that asked.
IN_HAND = timedelta(seconds=20)
# How long a purchase that waits for its buyer keeps others from buying.
PATIENCE = timedelta(minutes=30)
UNDER_WAY = frozenset({S.CHARGING, S.CONFIRMING, S.UNKNOWN})


@transaction.atomic
def record(purchase_id: uuid.UUID, result: Result) -> Purchase:
    """Write down what the gateway said of a purchase. Told twice, or told late, it changes nothing more.

    Money for a piece that was withdrawn meanwhile goes back. It cannot arrive for a purchase that is over: declined
    and cancelled are only written once the gateway said, or was made sure of, that nothing is or will be taken.
    """
    purchase = Purchase.objects.select_for_update().get(pk=purchase_id)
    if result.state == State.SUCCEEDED and purchase.state in UNDER_WAY:
        _take(purchase, result)
    elif result.state == State.DECLINED and purchase.state in UNDER_WAY:
        _end(purchase, S.DECLINED, result)
    elif result.state == State.VOIDED and purchase.state == S.CONFIRMING:
        _end(purchase, S.CANCELLED, result)
    elif result.state == State.VOIDED and purchase.state in {S.CHARGING, S.UNKNOWN}:
        _end(purchase, S.DECLINED, Result(result.state, result.reference, "never_arrived"))
    elif result.state == State.REQUIRES_CONFIRMATION and purchase.state in {S.CHARGING, S.UNKNOWN}:
        _move(purchase, S.CONFIRMING, gateway_reference=result.reference)
    elif result.state == State.PENDING and purchase.state == S.CHARGING:
        _move(purchase, S.UNKNOWN, gateway_reference=result.reference)
    elif result.state == State.REFUNDED and purchase.state == S.REFUNDING:
        _give_back(purchase)
    return purchase


def settle(purchase_id: uuid.UUID) -> bool:
    """Ask the gateway how a purchase stands and write it down. Returns whether nothing remains to be asked.

    A charge the gateway never heard of is voided there first, so that one still on its way cannot arrive afterwards.
    """
    purchase = Purchase.objects.get(pk=purchase_id)
    gateway = gateways.named(purchase.gateway)
    key = str(purchase.pk)
    if purchase.state == S.REFUNDING:
        record(purchase_id, gateway.refund(key))
    elif purchase.state == S.UNKNOWN or _lost(purchase):
        record(purchase_id, gateway.find(key) or gateway.void(key))
    elif purchase.state == S.CONFIRMING and _forgotten(purchase):
        record(purchase_id, gateway.void(key))
    elif purchase.state == S.OPEN and _forgotten(purchase):
        _abandon(purchase)
    purchase.refresh_from_db()
    return purchase.state not in {S.UNKNOWN, S.REFUNDING}


def waiting() -> list[uuid.UUID]:
    """Purchases that someone must ask the gateway about, or that their buyer left lying."""
    now = timezone.now()
    unsure = Purchase.objects.filter(state__in=[S.UNKNOWN, S.REFUNDING])
    lost = Purchase.objects.filter(state=S.CHARGING, state_changed_at__lt=now - IN_HAND)
    left = Purchase.objects.filter(state__in=[S.OPEN, S.CONFIRMING], state_changed_at__lt=now - PATIENCE)
    return list((unsure | lost | left).order_by("state_changed_at").values_list("pk", flat=True)[:500])


def _lost(purchase: Purchase) -> bool:
    return purchase.state == S.CHARGING and purchase.state_changed_at < timezone.now() - IN_HAND


def _forgotten(purchase: Purchase) -> bool:
    return purchase.state_changed_at < timezone.now() - PATIENCE


def _take(purchase: Purchase, result: Result) -> None:
    """The money is there: give the licence for it, or, when the piece was withdrawn meanwhile, the money back."""
    output = Output.objects.get(pk=purchase.output_id)
    # The same lock as a withdrawal takes, so that the piece cannot be withdrawn between this look and the licence.
    Blob.objects.select_for_update().get(pk=output.blob_id)
    output.refresh_from_db()
    clearing = accounts.gateway_clearing(purchase.gateway, purchase.currency)
    if output.state != Output.State.OFFERED:
        _move(purchase, S.REFUNDING, gateway_reference=result.reference, failure_code="withdrawn")
        owed = accounts.refundable(purchase.buyer_id, purchase.currency)
        amount = purchase.price_minor
        post(
            key=f"unsold:{purchase.pk}",
            kind="unsold",
            reference=f"purchase:{purchase.pk}",
            legs=[debit(clearing, amount), credit(owed, amount)],
        )
        return
    _move(purchase, S.PAID, gateway_reference=result.reference, paid_at=Now())
    legs = [debit(clearing, purchase.price_minor)]
    for part in purchase.split:
        if part["amount_minor"] and part["payee"] is None:
            legs.append(credit(accounts.platform_fees(purchase.currency), part["amount_minor"], "fee"))
        elif part["amount_minor"]:
            legs.append(credit(accounts.payable(part["payee"], purchase.currency), part["amount_minor"], part["role"]))
    memo = {"tier": purchase.tier, "output": str(purchase.output_id), "fee_basis_points": purchase.fee_basis_points}
    post(key=f"sale:{purchase.pk}", kind="sale", reference=f"purchase:{purchase.pk}", legs=legs, memo=memo)
    audit.record(purchase.buyer, "billing.pay", purchase, price_minor=purchase.price_minor, tier=purchase.tier)
    events.emit("billing.purchase_paid", purchase_id=str(purchase.pk))


def _give_back(purchase: Purchase) -> None:
    _move(purchase, S.REFUNDED)
    amount = purchase.price_minor
    post(
        key=f"refund:{purchase.pk}",
        kind="refund",
        reference=f"purchase:{purchase.pk}",
        legs=[
            debit(accounts.refundable(purchase.buyer_id, purchase.currency), amount),
            credit(accounts.gateway_clearing(purchase.gateway, purchase.currency), amount),
        ],
    )
    audit.record(None, "billing.refund", purchase, price_minor=amount)


def _abandon(purchase: Purchase) -> None:
    """Cancel what its buyer left open, unless they came back to it at this very moment."""
    with suppress(Conflict), transaction.atomic():
        _move(purchase, S.CANCELLED, only_from=[S.OPEN], failure_code="abandoned")
        audit.record(None, f"billing.{S.CANCELLED}", purchase, code="abandoned")


def _end(purchase: Purchase, state: str, result: Result) -> None:
    reference = result.reference or purchase.gateway_reference
    _move(purchase, state, gateway_reference=reference, failure_code=result.code[:60], failure=result.message[:300])
    audit.record(None, f"billing.{state}", purchase, code=result.code)


def _move(purchase: Purchase, state: str, **changes: Any) -> None:
    """Move a purchase and tell its open pages."""
    move(purchase, to=state, allowed=PURCHASE, state_changed_at=Now(), **changes)
    live.publish(purchase.topic, "state", state=state)


def settle_quietly(purchase_id: uuid.UUID) -> bool:
    """`settle`, with a gateway that does not answer told as not settled yet."""
    try:
        return settle(purchase_id)
    except GatewayError as error:
        log.warning("purchase %s is not settled yet: %s", purchase_id, error)
        return False
