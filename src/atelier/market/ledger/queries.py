"""Reading money: what is owed to a person, and the whole book for the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, Case, F, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from atelier.market.core.errors import Denied, Missing

from .models import Account, Entry, Transaction

SIGNED = Case(When(direction=Entry.Direction.DEBIT, then=F("amount_minor")), default=-F("amount_minor"))


@dataclass(frozen=True)
class Total:
    """The sum of all balances in a currency, which is zero, and the same counted anew from the entries."""

    currency: str
    balances_minor: int
    entries_minor: int

    @property
    def is_zero(self) -> bool:
        """Whether the book is in balance."""
        return self.balances_minor == 0 == self.entries_minor


def statement(user: Any) -> QuerySet[Entry]:
    """Every entry on what is owed to this person, the latest first, with its transaction."""
    return (
        Entry.objects.filter(account__owner_id=user.pk, account__code__endswith=":payable")
        .select_related("transaction", "account")
        .order_by("-id")
    )


def owed(user: Any) -> dict[str, int]:
    """What is owed to this person now, in minor units by currency."""
    found = Account.objects.filter(owner_id=user.pk, code__endswith=":payable").order_by("currency")
    return {account.currency: account.due_minor for account in found}


def require_operator(user: Any) -> None:
    """Errors: Denied unless this person runs the market."""
    if not user.is_authenticated or not user.is_staff:
        raise Denied(_("Only operators see the book."), remedy=_("Sign in as an operator."))


def book(operator: Any) -> QuerySet[Account]:
    """All accounts, the market's own first. Errors: Denied to all but operators."""
    require_operator(operator)
    own_first = F("owner").asc(nulls_first=True)
    return Account.objects.select_related("owner").order_by("currency", own_first, "kind", "code")


def totals(operator: Any) -> list[Total]:
    """The sum of all accounts by currency, from balances and from entries. Errors: Denied to all but operators."""
    require_operator(operator)
    zero = Value(0, output_field=BigIntegerField())
    balances = Account.objects.values("currency").annotate(over=Sum("balance_minor")).order_by("currency")
    entries = {
        row["account__currency"]: row["over"]
        for row in Entry.objects.values("account__currency").annotate(over=Coalesce(Sum(SIGNED), zero))
    }
    return [Total(row["currency"], int(row["over"]), int(entries.get(row["currency"], 0))) for row in balances]


def drifted(operator: Any) -> list[Account]:
    """Accounts whose balance is not the sum of their entries: none, ever. Errors: Denied to all but operators."""
    require_operator(operator)
    zero = Value(0, output_field=BigIntegerField())
    signed = Case(
        When(entries__direction=Entry.Direction.DEBIT, then=F("entries__amount_minor")),
        default=-F("entries__amount_minor"),
    )
    counted = Account.objects.annotate(counted=Coalesce(Sum(signed), zero))
    return list(counted.exclude(balance_minor=F("counted")))


def transactions(operator: Any) -> QuerySet[Transaction]:
    """All transactions, the latest first, with their entries. Errors: Denied to all but operators."""
    require_operator(operator)
    return Transaction.objects.prefetch_related("entries__account").order_by("-id")


def transaction_of(operator: Any, pk: int) -> Transaction:
    """One transaction with its entries. Errors: Denied; Missing."""
    found = transactions(operator).filter(pk=pk).first()
    if found is None:
        raise Missing(_("There is no such transaction."))
    return found


def account_of(operator: Any, pk: int) -> tuple[Account, QuerySet[Entry]]:
    """One account and its entries, the latest first. Errors: Denied; Missing."""
    found = book(operator).filter(pk=pk).first()
    if found is None:
        raise Missing(_("There is no such account."))
    return found, found.entries.select_related("transaction").order_by("-id")
