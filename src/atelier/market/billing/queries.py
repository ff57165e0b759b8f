"""Reads: what a person bought, what they earned, and what each line of it is made of."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from atelier.market.core.errors import Missing
from atelier.market.ledger import queries as ledger
from atelier.market.ledger.models import Entry

from .models import LicenceTerms, Purchase

WITH_PIECE = (
    "output__generation__creation_model__creator__user",
    "output__generation__version",
    "licence",
    "terms",
    "buyer",
)


def purchases_of(buyer: Any) -> QuerySet[Purchase]:
    """Everything this person bought or tried to buy, the latest first, with the pieces."""
    return (
        Purchase.objects.filter(buyer_id=buyer.pk)
        .select_related(*WITH_PIECE)
        .defer("output__generation__brief")
        .order_by("-created_at")
    )


def purchase_of(buyer: Any, purchase_id: uuid.UUID) -> Purchase:
    """One of them. Errors: Missing, for anyone else's too."""
    found = purchases_of(buyer).filter(pk=purchase_id).first()
    if found is None:
        raise Missing(_("There is no such purchase."), remedy=_("Find yours under “Purchases”."))
    return found


def terms_of(tier: str, number: int) -> LicenceTerms:
    """One version of a tier's terms, for anyone to read. Errors: Missing."""
    found = LicenceTerms.objects.filter(tier=tier, number=number).first()
    if found is None:
        raise Missing(_("There are no such licence terms."))
    return found


@dataclass(frozen=True)
class Line:
    """One line of a statement: what came in or went out, and the sale it comes from, where it is one.

    `works` are those it was earned with, as {title, parts, basis_points} of `Purchase.split`.
    """

    number: int
    at: datetime
    kind: str
    amount_minor: int
    currency: str
    purchase: Purchase | None = None
    role: str = ""
    works: list[dict[str, Any]] = field(default_factory=list)


def explained(user: Any, entries: Iterable[Entry]) -> Iterable[Line]:
    """The entries as lines, with their purchases fetched at once."""
    entries = list(entries)
    references = {entry.pk: _purchase_id(entry.transaction.reference) for entry in entries}
    purchases = Purchase.objects.select_related(*WITH_PIECE[:3]).in_bulk(
        {reference for reference in references.values() if reference is not None}
    )
    for entry in entries:
        reference = references[entry.pk]
        purchase = purchases.get(reference) if reference is not None else None
        mine = next((part for part in purchase.split if part["payee"] == user.pk), {}) if purchase else {}
        yield Line(
            number=entry.transaction_id,
            at=entry.transaction.at,
            kind=entry.transaction.kind,
            amount_minor=-entry.signed_minor,
            currency=entry.account.currency,
            purchase=purchase,
            role=mine.get("role", ""),
            works=mine.get("works", []),
        )


@dataclass(frozen=True)
class Earned:
    """What was earned in a currency in all, what of it is still owed, and how it grew: (day, minor units so far)."""

    currency: str
    earned_minor: int
    owed_minor: int
    growth: list[tuple[date, int]]


def earned(user: Any) -> list[Earned]:
    """The totals of a statement by currency."""
    result = []
    for currency, owed_minor in ledger.owed(user).items():
        days = (
            ledger.statement(user)
            .filter(account__currency=currency, direction=Entry.Direction.CREDIT)
            .annotate(day=TruncDate("transaction__at"))
            .values("day")
            .annotate(amount=Sum("amount_minor"))
            .order_by("day")
        )
        growth, total = [], 0
        for row in days:
            total += int(row["amount"])
            growth.append((row["day"], total))
        result.append(Earned(currency, total, owed_minor, growth))
    return result


def _purchase_id(reference: str) -> uuid.UUID | None:
    kind, _colon, value = reference.partition(":")
    try:
        return uuid.UUID(value) if kind == "purchase" else None
    except ValueError:
        return None
