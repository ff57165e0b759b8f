"""Every cent: append-only double entry. The invariants live in the database (migrations/0002)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Account(models.Model):
    """Something that money is counted in. `code` names it, such as `creator:42:payable` or `platform:fees`."""

    class Kind(models.TextChoices):
        ASSET = "asset"
        LIABILITY = "liability"
        INCOME = "income"
        EXPENSE = "expense"

    code = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    currency = models.CharField(max_length=3)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="ledger_accounts"
    )
    # Debits minus credits, in minor units; kept by a trigger and never written by hand.
    balance_minor = models.BigIntegerField(default=0, editable=False)
    # The balance may not pass zero on the wrong side: a creator cannot be paid more than is owed to them.
    guarded = models.BooleanField(default=False)


class Transaction(models.Model):
    """One event of money. `key` makes posting it again do nothing; `reference` names what it explains."""

    key = models.CharField(max_length=160, unique=True)
    kind = models.CharField(max_length=40)
    reference = models.CharField(max_length=160, db_index=True)
    memo = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())
    # The database transaction that wrote it; later ones may not add entries. Filled by the database (xid8).
    sealed_by = models.CharField(max_length=24, editable=False, default="")


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
