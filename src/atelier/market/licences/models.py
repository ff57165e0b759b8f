"""What was sold: licences, and the files delivered with them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from atelier.market.accounts.models import Creator, User
from atelier.market.billing.models import LicenceTerms, Purchase
from atelier.market.core.models import Blob
from atelier.market.generation.models import Output
from atelier.market.studio.models import Tier, Version
from atelier.market.works.models import Work

CERTIFICATES = ("certificate.pdf", "certificate.json")
"""The formats of LicensedFile that tell of the licence itself; every other one is a copy of the piece."""


class Licence(models.Model):
    """The right to use an output, born in the same transaction as the payment that bought it.

    `certificate` is the frozen content of the certificate (JSON): work, creator, version hash, terms, buyer, date.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=24, unique=True)
    purchase = models.OneToOneField(Purchase, on_delete=models.PROTECT, related_name="licence")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="licences")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    creator = models.ForeignKey(Creator, on_delete=models.PROTECT, related_name="licences_sold")
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="licences")
    tier = models.CharField(max_length=12, choices=Tier)
    terms = models.ForeignKey(LicenceTerms, on_delete=models.PROTECT, related_name="+")
    certificate: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    issued_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["buyer", "-issued_at"])]

    def __str__(self) -> str:
        return self.number

    @property
    def topic(self) -> str:
        """The live topic on which news of its files appears."""
        return f"licence:{self.pk}"


class LicensedFile(models.Model):
    """A master in one format, or a certificate, made once for a licence in the worker."""

    class State(models.TextChoices):
        PENDING = "pending"
        READY = "ready"
        FAILED = "failed"

    licence = models.ForeignKey(Licence, on_delete=models.PROTECT, related_name="files")
    format = models.CharField(max_length=24)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    filename = models.CharField(max_length=160)
    # What the engine calls the format; empty for certificates.
    title = models.CharField(max_length=120, blank=True)
    blob = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["licence", "format"], name="one_file_a_format")]
        ordering = ["id"]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_certificate(self) -> bool:
        """Whether it tells of the licence, rather than being a copy of the piece."""
        return self.format in CERTIFICATES


class SaleAttribution(models.Model):
    """Which of the creator's works shaped a sold piece, as its engine told it once. Append-only.

    `told` is the sum of the shares, in parts per million like them; the rest is owed to no single work. Where nothing
    could be told, `untold` says why and there are no shares. Money is split by `generation.Attribution`, not by this.
    """

    class Untold(models.TextChoices):
        NOTHING_KEPT = "nothing kept"
        ERASED = "erased"
        FAILED = "failed"

    licence = models.OneToOneField(Licence, on_delete=models.PROTECT, related_name="attribution")
    method = models.CharField(max_length=80, blank=True)
    told = models.PositiveIntegerField(default=0)
    untold = models.CharField(max_length=16, choices=Untold, blank=True)
    at = models.DateTimeField(db_default=Now())


class SaleShare(models.Model):
    """What part of a sold piece one work shaped, with the bounds of its 95 % interval, in parts per million."""

    attribution = models.ForeignKey(SaleAttribution, on_delete=models.PROTECT, related_name="shares")
    work = models.ForeignKey(Work, on_delete=models.PROTECT, related_name="+")
    parts = models.PositiveIntegerField()
    low = models.PositiveIntegerField()
    high = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["attribution", "work"], name="one_sale_share_a_work"),
            models.CheckConstraint(
                condition=Q(low__lte=F("parts"), parts__lte=F("high"), high__lte=1_000_000),
                name="sale_share_in_bounds",
            ),
        ]
        ordering = ["-parts", "work_id"]
