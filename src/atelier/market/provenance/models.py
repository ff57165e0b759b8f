"""What each output is and where it came from, found again by the hash of the file. A sink: it points at nothing."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class Record(models.Model):
    """The birth record of a file. Append-only. `origin` names the record of the master an export was made from.

    `facts` is JSON: engine, base, version and adapter hashes, dataset hash, brief hash, seed, creator, time; never a
    buyer's name nor the brief itself. `manifest_sha256` will name the signed manifest once outputs are signed.
    """

    class Kind(models.TextChoices):
        OUTPUT = "output"
        EXPORT = "export"
        CERTIFICATE = "certificate"

    sha256 = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=12, choices=Kind)
    origin = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="exports")
    media_type = models.CharField(max_length=200)
    facts = models.JSONField(default=dict)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(db_default=Now())
