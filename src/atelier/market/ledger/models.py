"""Every cent: append-only double entry. The invariants live in the database (migrations/0002)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from .fields import CurrentTransactionId, TransactionIdField


class Account(models.Model):
    """Something that money is counted in. `code` names it, such as `creator:42:payable` or `platform:fees`."""

    class Kind(models.TextChoices):
        ASSET = "asset"
        LIABILITY = "liability"
        INCOME = "income"
        EXPENSE = "expense"

    code = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)
    currency = models.CharField(max_length=3)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="ledger_accounts"
    )
    # Debits minus credits, in minor units; kept by a trigger and never written by hand.
    balance_minor = models.BigIntegerField(default=0, editable=False)
    # The balance may not pass zero on the wrong side: a creator cannot be paid more than is owed to them.
    guarded = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "currency"], name="one_account_a_code_and_currency"),
            models.CheckConstraint(
                condition=Q(guarded=False)
                | Q(kind__in=["asset", "expense"], balance_minor__gte=0)
                | Q(kind__in=["liability", "income"], balance_minor__lte=0),
                name="guarded_account_on_its_side_of_zero",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["asset", "liability", "income", "expense"]), name="account_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.currency}"

    @property
    def due_minor(self) -> int:
        """The balance as its side reads it: what is owed for a liability or income, what is held otherwise."""
        credit_side = self.kind in {self.Kind.LIABILITY, self.Kind.INCOME}
        return -self.balance_minor if credit_side else self.balance_minor


class Transaction(models.Model):
    """One event of money. `key` makes posting it again do nothing; `reference` names what it explains."""

    key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=40)
    reference = models.CharField(max_length=160, db_index=True)
    memo = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())
    # The database transaction that wrote it; no later one may add entries. Always filled by the database.
    sealed_by = TransactionIdField(db_default=CurrentTransactionId(), editable=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class Entry(models.Model):
    """One side of a transaction, in minor units of the account's currency."""

    class Direction(models.TextChoices):
        DEBIT = "debit"
        CREDIT = "credit"

    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="entries")
    direction = models.CharField(max_length=6, choices=Direction)
    amount_minor = models.BigIntegerField()
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="entry_amount_positive"),
            models.CheckConstraint(condition=Q(direction__in=["debit", "credit"]), name="entry_direction_known"),
        ]
        indexes = [models.Index(fields=["account", "id"])]

    @property
    def signed_minor(self) -> int:
        """The amount as it moves the balance: debits up, credits down."""
        return self.amount_minor if self.direction == self.Direction.DEBIT else -self.amount_minor
