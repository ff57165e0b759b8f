"""What accounts are called, and having them ready. The one place where codes are spelt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from .models import Account


@dataclass(frozen=True, order=True)
class AccountName:
    """An account as code speaks of it; its row is made when first posted to."""

    code: str
    currency: str
    kind: str
    owner_id: int | None = None
    guarded: bool = False


def platform_fees(currency: str) -> AccountName:
    """What the market has earned."""
    return AccountName("platform:fees", currency, Account.Kind.INCOME)


def gateway_clearing(gateway: str, currency: str) -> AccountName:
    """What a payment gateway holds for the market."""
    return AccountName(f"gateway:{gateway}:clearing", currency, Account.Kind.ASSET)


def payable(user_id: int, currency: str) -> AccountName:
    """What is owed to a person who earned it; never less than nothing."""
    return AccountName(f"creator:{user_id}:payable", currency, Account.Kind.LIABILITY, user_id, guarded=True)


def refundable(user_id: int, currency: str) -> AccountName:
    """What is to be given back to a buyer; never less than nothing."""
    return AccountName(f"buyer:{user_id}:refundable", currency, Account.Kind.LIABILITY, user_id, guarded=True)


def rows(names: Iterable[AccountName]) -> dict[AccountName, Account]:
    """The rows of these accounts, made where missing.

    They are made in order of name, so that two transactions that need the same new ones wait for each other in one
    direction only. Errors: ValueError when a code stands for an account of another kind or owner.
    """
    wanted = sorted(set(names), key=lambda name: (name.code, name.currency))
    found = _find(wanted)
    missing = [name for name in wanted if (name.code, name.currency) not in found]
    if missing:
        Account.objects.bulk_create(
            [
                Account(code=n.code, currency=n.currency, kind=n.kind, owner_id=n.owner_id, guarded=n.guarded)
                for n in missing
            ],
            ignore_conflicts=True,
        )
        found = _find(wanted)
    result = {name: found[name.code, name.currency] for name in wanted}
    for name, row in result.items():
        if (row.kind, row.owner_id, row.guarded) != (name.kind, name.owner_id, name.guarded):
            raise ValueError(f"The account {name.code} is of another kind or owner than it is named with.")
    return result


def _find(names: list[AccountName]) -> dict[tuple[str, str], Account]:
    either = Q(pk__in=[])
    for name in names:
        either |= Q(code=name.code, currency=name.currency)
    return {(row.code, row.currency): row for row in Account.objects.filter(either)}
