"""Writing money down. There is one way: a balanced transaction, posted once under its key."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from atelier.market.core.errors import Conflict, Invalid

from . import accounts
from .accounts import AccountName
from .models import Entry, Transaction


@dataclass(frozen=True)
class Leg:
    """One side of a transaction: a positive number of minor units of the account's currency."""

    account: AccountName
    direction: str
    amount_minor: int
    note: str = ""


def debit(account: AccountName, amount_minor: int, note: str = "") -> Leg:
    """A leg that raises debits."""
    return Leg(account, Entry.Direction.DEBIT, amount_minor, note)


def credit(account: AccountName, amount_minor: int, note: str = "") -> Leg:
    """A leg that raises credits."""
    return Leg(account, Entry.Direction.CREDIT, amount_minor, note)


INSERT = """
INSERT INTO ledger_transaction (key, kind, reference, memo) VALUES (%s, %s, %s, %s)
ON CONFLICT (key) DO NOTHING RETURNING id, at, sealed_by::text
"""


def post(
    *, key: str, kind: str, reference: str, legs: Sequence[Leg], memo: Mapping[str, Any] | None = None
) -> Transaction:
    """Write a balanced transaction, or return the one already written under this key.

    Accounts are locked in order of id, so transactions that post once cannot deadlock. Belongs in the database
    transaction of what it explains. Errors: Invalid when the legs do not balance per currency; Conflict when the key
    stands for other legs, or a guarded account would pass zero. Nothing is written then.
    """
    _check(legs)
    rows = accounts.rows(leg.account for leg in legs)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(INSERT, [key, kind, reference, json.dumps(dict(memo or {}))])
                new = cursor.fetchone()
            if new is not None:
                Entry.objects.bulk_create(
                    Entry(
                        transaction_id=new[0],
                        account=rows[leg.account],
                        direction=leg.direction,
                        amount_minor=leg.amount_minor,
                        note=leg.note,
                    )
                    for leg in legs
                )
    except IntegrityError as error:
        if "guarded_account_on_its_side_of_zero" not in str(error):
            raise
        raise Conflict(
            _("There is not enough in one of the accounts for this."), remedy=_("Nothing was booked."), code="overdrawn"
        ) from error
    if new is None:
        return _posted_before(key, kind, reference, legs)
    names = ["id", "key", "kind", "reference", "memo", "at", "sealed_by"]
    return Transaction.from_db("default", names, [new[0], key, kind, reference, dict(memo or {}), new[1], new[2]])


def _check(legs: Sequence[Leg]) -> None:
    over: dict[str, int] = defaultdict(int)
    for leg in legs:
        if leg.amount_minor <= 0:
            raise Invalid(_("Every leg of a transaction needs an amount above zero."), field="amount_minor")
        over[leg.account.currency] += leg.amount_minor if leg.direction == Entry.Direction.DEBIT else -leg.amount_minor
    if len(legs) < 2 or any(over.values()):
        raise Invalid(_("Debits and credits of a transaction must be equal in every currency."), field="legs")


def _posted_before(key: str, kind: str, reference: str, legs: Sequence[Leg]) -> Transaction:
    found = Transaction.objects.prefetch_related("entries__account").get(key=key)
    written = sorted((e.account.code, e.account.currency, e.direction, e.amount_minor) for e in found.entries.all())
    wished = sorted((g.account.code, g.account.currency, str(g.direction), g.amount_minor) for g in legs)
    if (found.kind, found.reference) != (kind, reference) or written != wished:
        raise Conflict(
            _("Something else was already booked under “%(key)s”.") % {"key": key}, remedy=_("Nothing was booked.")
        )
    return found
