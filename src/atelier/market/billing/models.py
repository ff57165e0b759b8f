"""Money in: purchases of outputs, carried through a payment gateway that may fail at any moment."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from atelier.market.accounts.models import User
from atelier.market.generation.models import Output
from atelier.market.studio.models import Tier


class Purchase(models.Model):
    """A buyer's wish to license an output. Its `id` is the key under which the gateway knows the charge.

    `split` is the frozen list of {payee, role, work_parts, amount_minor} that adds up to `price_minor`.
    """

    class State(models.TextChoices):
        OPEN = "open"
        CHARGING = "charging"
        CONFIRMING = "confirming"
        UNKNOWN = "unknown"
        PAID = "paid"
        DECLINED = "declined"
        CANCELLED = "cancelled"

    LIVE = (State.OPEN, State.CHARGING, State.CONFIRMING, State.UNKNOWN)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="purchases")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="purchases")
    tier = models.CharField(max_length=12, choices=Tier)
    price_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    fee_basis_points = models.PositiveIntegerField()
    split: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    idempotency_key = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    gateway = models.CharField(max_length=40)
    gateway_reference = models.CharField(max_length=120, blank=True)
    card_label = models.CharField(max_length=40, blank=True)
    failure_code = models.CharField(max_length=60, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    state_changed_at = models.DateTimeField(db_default=Now())
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["buyer", "idempotency_key"], name="one_purchase_a_key"),
            # At most one exclusive purchase of an output is under way or paid.
            models.UniqueConstraint(
                fields=["output"],
                condition=Q(tier="exclusive") & ~Q(state__in=["declined", "cancelled"]),
                name="one_exclusive_purchase",
            ),
        ]
        indexes = [models.Index(fields=["state", "state_changed_at"]), models.Index(fields=["buyer", "-created_at"])]

    @property
    def topic(self) -> str:
        """The live topic on which its news appears."""
        return f"purchase:{self.pk}"
