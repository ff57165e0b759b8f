"""What creators upload, what was found in it, and who said what it may be used for."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, HashIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from atelier.market.accounts.models import Creator, User
from atelier.market.core.models import Blob
from atelier.workshop.contract import Fingerprint

from .crafts import extent_unit


class Upload(models.Model):
    """A file as it came in, and what inspecting it told. `report` holds refusals and advice (contract.Inspection).

    Files sent together share a `batch`. A file refused at the door has no bytes.
    """

    class State(models.TextChoices):
        RECEIVED = "received"
        INSPECTED = "inspected"
        REFUSED = "refused"

    creator = models.ForeignKey(Creator, on_delete=models.PROTECT, related_name="uploads")
    batch = models.UUIDField(default=uuid.uuid4)
    position = models.PositiveIntegerField(default=0)
    engine = models.CharField(max_length=40)
    filename = models.CharField(max_length=255)
    blob = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=State, default=State.RECEIVED)
    # What the person said of the whole file before it was inspected: title, tags, description, consent, statement.
    wishes: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    report: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    inspected_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["creator", "batch", "position"], name="one_upload_a_position")]
        indexes = [models.Index(fields=["creator", "-id"])]

    def __str__(self) -> str:
        return self.filename


class Work(models.Model):
    """One piece by a creator. `held` works wait for an operator; only `ready` ones with consent are trained on."""

    class State(models.TextChoices):
        READY = "ready", _("Ready")
        HELD = "held", _("Held")
        REFUSED = "refused", _("Refused")
        REMOVED = "removed", _("Removed")

    creator = models.ForeignKey(Creator, on_delete=models.PROTECT, related_name="works")
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="works")
    position = models.PositiveIntegerField()
    engine = models.CharField(max_length=40)
    state = models.CharField(max_length=10, choices=State, default=State.READY)
    title = models.CharField(max_length=200)
    description = models.CharField(max_length=1000, blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    language = models.CharField(max_length=8, blank=True)
    extent = models.PositiveIntegerField()
    excerpt = models.CharField(max_length=400)
    advice = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    # A small picture of what was understood, for works that are looked at.
    preview = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "position"], name="one_work_a_position")]
        indexes = [models.Index(fields=["creator", "state", "-id"])]

    def __str__(self) -> str:
        return self.title

    @property
    def unit(self) -> str:
        """The noun that stands behind its extent."""
        return extent_unit(self.engine, self.extent)


class WorkFingerprint(models.Model):
    """By which near copies of a work are found: rows that share a band are candidates."""

    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="fingerprints")
    scheme = models.CharField(max_length=40)
    value = models.TextField()
    bands = ArrayField(models.BigIntegerField(), default=list)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["work", "scheme"], name="one_fingerprint_a_scheme")]
        # A hash index, because a value may be longer than a page of a tree.
        indexes = [GinIndex(fields=["bands"]), HashIndex(fields=["value"], name="fingerprint_exact")]

    def as_contract(self) -> Fingerprint:
        """The fingerprint as engines compare it."""
        return Fingerprint(scheme=self.scheme, value=self.value, bands=tuple(self.bands))


class Resemblance(models.Model):
    """That two works are copies or near copies, and what an operator said of it. `work` came later than `other`."""

    class State(models.TextChoices):
        OPEN = "open"
        CLEARED = "cleared"
        UPHELD = "upheld"

    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="resemblances")
    other = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="resembled_by")
    scheme = models.CharField(max_length=40)
    similarity = models.FloatField()
    same_creator = models.BooleanField()
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["work", "other"], name="one_resemblance_a_pair"),
            models.CheckConstraint(condition=~Q(work=F("other")), name="no_resemblance_to_itself"),
        ]


class Attestation(models.Model):
    """A person's statement that they made a work and may sell what is learned from it. Append-only."""

    work = models.ForeignKey(Work, on_delete=models.PROTECT, related_name="attestations")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    statement = models.TextField()
    at = models.DateTimeField(db_default=Now())


class Consent(models.Model):
    """Permits training on a work until revoked. Revoked rows stay; a new permission is a new row."""

    work = models.ForeignKey(Work, on_delete=models.PROTECT, related_name="consents")
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["work"], condition=Q(revoked_at__isnull=True), name="one_consent_in_force")
        ]


class Share(models.Model):
    """What part of a work's earnings belongs to a co-author, in basis points; the rest is the creator's."""

    work = models.ForeignKey(Work, on_delete=models.PROTECT, related_name="shares")
    holder = models.ForeignKey(User, on_delete=models.PROTECT, related_name="shares")
    basis_points = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["work", "holder"], name="one_share_a_holder"),
            models.CheckConstraint(condition=Q(basis_points__gte=1, basis_points__lte=10_000), name="share_in_bounds"),
        ]

    @property
    def percent(self) -> float:
        """The share in percent, as people read it."""
        return self.basis_points / 100
