"""What each output is and where it came from, found again by the hash of the file. A sink: it points at nothing."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now


class Kind(models.TextChoices):
    """What a recorded file is: a piece as it was made, a licensed copy of one, or the certificate of a licence."""

    OUTPUT = "output"
    EXPORT = "export"
    CERTIFICATE = "certificate"


class Record(models.Model):
    """The birth record of a file. Append-only. `origin` names the record of the master an export was made from.

    `facts` is JSON: engine, base, version and adapter hashes, dataset hash, brief hash, seed, creator, time; never a
    buyer's name nor the brief itself. `manifest_sha256` will name the signed manifest once outputs are signed.
    """

    Kind = Kind

    sha256 = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    origin = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="exports")
    media_type = models.CharField(max_length=200)
    facts: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(db_default=Now())


class Occurrence(models.Model):
    """One time that a record's bytes came into being; the first is the record's own birth. Append-only.

    The same short text may be made twice, by two seeds or even by two people, and the plain copy of a text has the
    very bytes of its master. The record stays that of the first; every time is kept here, under the `source` that
    made it ("output:<id>", "file:<id>"), so that taking a job up again adds nothing.
    """

    record = models.ForeignKey(Record, on_delete=models.PROTECT, related_name="occurrences")
    source = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    facts: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
