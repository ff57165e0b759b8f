"""Buying and the statement, as JSON."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from atelier.market.accounts.queries import person
from atelier.market.core.schemas import ERRORS, IdempotencyKey, Limit, Offset
from atelier.market.ledger import queries as ledger
from atelier.market.studio.models import Tier

from . import actions, queries
from .models import Purchase
from .reasons import reason_of

router = Router()


class PurchaseIn(Schema):
    """What to buy, and the card as the gateway in use wants it: for the sandbox, one of its test numbers."""

    output_id: uuid.UUID
    tier: Tier
    card: Annotated[str, Field(min_length=1, max_length=64)]
    idempotency_key: IdempotencyKey
    price_seen_minor: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None


class ConfirmIn(Schema):
    """Whether the buyer passed the bank's check."""

    passed: bool


class WorkOut(Schema):
    """A work that someone is paid for: its part of the piece in millionths, and their share in basis points."""

    title: str
    parts: int
    basis_points: int


class PartOut(Schema):
    """One part of a price. `role` is fee, creator or co-author."""

    role: str
    name: str
    amount_minor: int


class PurchaseOut(Schema):
    """How a purchase stands. `licence_id` is there once it is paid."""

    id: uuid.UUID
    output_id: uuid.UUID
    tier: str
    state: str
    price_minor: int
    currency: str
    split: list[PartOut]
    card_label: str
    failure_code: str
    failure: str
    licence_id: uuid.UUID | None
    created_at: datetime
    paid_at: datetime | None

    @staticmethod
    def resolve_licence_id(purchase: Purchase) -> uuid.UUID | None:
        licence = getattr(purchase, "licence", None)
        return licence.pk if licence else None

    @staticmethod
    def resolve_failure(purchase: Purchase) -> str:
        return reason_of(purchase).message if purchase.state in Purchase.OVER_WITHOUT_A_LICENCE else ""


class LineOut(Schema):
    """One line of the statement."""

    number: int
    at: datetime
    kind: str
    role: str
    amount_minor: int
    currency: str
    purchase_id: uuid.UUID | None
    piece: str
    tier: str
    price_minor: int | None
    fee_minor: int | None
    works: list[WorkOut]

    @staticmethod
    def of(line: queries.Line) -> dict[str, Any]:
        """The line as plain data."""
        sale = line.purchase
        return {
            "number": line.number,
            "at": line.at,
            "kind": line.kind,
            "role": line.role,
            "amount_minor": line.amount_minor,
            "currency": line.currency,
            "purchase_id": sale.pk if sale else None,
            "piece": str(sale.output.generation.creation_model) if sale else "",
            "tier": sale.tier if sale else "",
            "price_minor": sale.price_minor if sale else None,
            "fee_minor": sale.fee_minor if sale else None,
            "works": line.works,
        }


class TotalOut(Schema):
    """What was earned in a currency, and what of it is owed now."""

    currency: str
    earned_minor: int
    owed_minor: int


class StatementOut(Schema):
    """Totals, and the lines asked for, the latest first."""

    totals: list[TotalOut]
    lines: list[LineOut]


@router.post("/purchases", response={201: PurchaseOut, **ERRORS}, summary="Buy a licence")
def buy(request: HttpRequest, body: PurchaseIn) -> Status[Purchase]:
    """Start a purchase and charge the card. The same `idempotency_key` again returns the same purchase."""
    card = actions.card_of(body.card)
    purchase = actions.buy(
        actor=person(request),
        output_id=body.output_id,
        tier=body.tier,
        idempotency_key=body.idempotency_key,
        card=card,
        price_seen_minor=body.price_seen_minor,
    )
    return Status(201, queries.purchase_of(request.user, purchase.pk))


@router.get("/purchases", response={200: list[PurchaseOut], **ERRORS}, summary="My purchases")
def purchases(request: HttpRequest, limit: Limit = 20, offset: Offset = 0) -> list[Purchase]:
    """Yours, the latest first."""
    return list(queries.purchases_of(request.user)[offset : offset + limit])


@router.get("/purchases/{purchase_id}", response={200: PurchaseOut, **ERRORS}, summary="One purchase")
def purchase(request: HttpRequest, purchase_id: uuid.UUID) -> Purchase:
    """How it stands. While `state` is charging or unknown, ask again."""
    return queries.purchase_of(request.user, purchase_id)


@router.post("/purchases/{purchase_id}/confirm", response={200: PurchaseOut, **ERRORS}, summary="Confirm a payment")
def confirm(request: HttpRequest, purchase_id: uuid.UUID, body: ConfirmIn) -> Purchase:
    """For a purchase in state confirming."""
    actions.confirm(actor=person(request), purchase_id=purchase_id, passed=body.passed)
    return queries.purchase_of(request.user, purchase_id)


@router.post("/purchases/{purchase_id}/cancel", response={200: PurchaseOut, **ERRORS}, summary="Cancel a purchase")
def cancel(request: HttpRequest, purchase_id: uuid.UUID) -> Purchase:
    """For a purchase in state open or confirming."""
    actions.cancel(actor=person(request), purchase_id=purchase_id)
    return queries.purchase_of(request.user, purchase_id)


@router.get("/statement", response={200: StatementOut, **ERRORS}, summary="What I earned")
def statement(request: HttpRequest, limit: Limit = 50, offset: Offset = 0) -> dict[str, Any]:
    """Your earnings as creator or co-author, each line explained down to its sale."""
    entries = ledger.statement(request.user)[offset : offset + limit]
    return {
        "totals": queries.earned(request.user),
        "lines": [LineOut.of(line) for line in queries.explained(request.user, entries)],
    }
