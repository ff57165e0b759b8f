"""What was sold: licences, and the files delivered with them."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Now

from atelier.market.accounts.models import Creator, User
from atelier.market.billing.models import LicenceTerms, Purchase
from atelier.market.core.models import Blob
from atelier.market.generation.models import Output
from atelier.market.studio.models import Tier, Version

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
