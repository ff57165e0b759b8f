"""Money in: purchases of outputs, carried through a payment gateway that may fail at any moment."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from atelier.market.accounts.models import User
from atelier.market.generation.models import Output
from atelier.market.studio.models import Tier


class LicenceTerms(models.Model):
    """The text a tier is sold under. Append-only: a new text is a new row with the next number (see `terms`)."""

    tier = models.CharField(max_length=12, choices=Tier)
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=120)
    summary: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    body = models.TextField()
    in_force_from = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tier", "number"], name="one_number_a_tier")]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"

    @property
    def sha256(self) -> str:
        """The hash of the whole text, by which a certificate names exactly these words."""
        text = {"tier": self.tier, "number": self.number, "title": self.title, "body": self.body}
        return hashlib.sha256(json.dumps({**text, "summary": self.summary}, sort_keys=True).encode()).hexdigest()


class Purchase(models.Model):
    """A buyer's wish to license an output. Its `id` is the key under which the gateway knows the charge.

    `split` is frozen when the purchase starts: a list of {payee, name, role, works, amount_minor} that adds up to
    `price_minor`. `payee` is a user's id, or None for the market's fee; `works` lists the {title, parts,
    basis_points} that the payee is paid for (see `split`). The licence is issued under `terms`, as the buyer saw them.
    """

    class State(models.TextChoices):
        OPEN = "open"
        CHARGING = "charging"
        CONFIRMING = "confirming"
        UNKNOWN = "unknown"
        PAID = "paid"
        DECLINED = "declined"
        CANCELLED = "cancelled"
        # The money came in, but the piece had been withdrawn meanwhile: it goes back.
        REFUNDING = "refunding"
        REFUNDED = "refunded"

    LIVE = (State.OPEN, State.CHARGING, State.CONFIRMING, State.UNKNOWN)
    OVER_WITHOUT_A_LICENCE = (State.DECLINED, State.CANCELLED, State.REFUNDING, State.REFUNDED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="purchases")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="purchases")
    tier = models.CharField(max_length=12, choices=Tier)
    terms = models.ForeignKey(LicenceTerms, on_delete=models.PROTECT, related_name="+")
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
                condition=Q(tier="exclusive") & ~Q(state__in=["declined", "cancelled", "refunding", "refunded"]),
                name="one_exclusive_purchase",
            ),
        ]
        indexes = [models.Index(fields=["state", "state_changed_at"]), models.Index(fields=["buyer", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.tier} licence, {self.state}"

    @property
    def is_live(self) -> bool:
        """Whether it may still become paid."""
        return self.state in self.LIVE

    @property
    def fee_minor(self) -> int:
        """What the market keeps of the price."""
        return sum(part["amount_minor"] for part in self.split if part["role"] == "fee")

    @property
    def topic(self) -> str:
        """The live topic on which its news appears."""
        return f"purchase:{self.pk}"
