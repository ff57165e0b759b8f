"""What each output is and where it came from, found again by the hash of the file, or by the mark hidden in it.

A sink: it points at nothing but the creators whose marks there are.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Now

from atelier.market.accounts.models import Creator


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


class MarkKey(models.Model):
    """The secret by which all that a creator's models make is marked. Append-only, and shown to nobody.

    It is random and kept here, not derived from the site's secret key: that may be exchanged, and a mark must be found
    for as long as there are texts that carry it. Whoever has a key can forge its mark, so it is in no page, no admin
    and no log; who can read the database, or a backup of it, has it.
    """

    creator = models.OneToOneField(Creator, on_delete=models.PROTECT, related_name="+")
    key = models.BinaryField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())


class MarkSearch(models.Model):
    """A pasted text in which marks are looked for. Nobody's: who has its random id may see what was found.

    The text is removed as soon as it was read, the row after a day. `found` is [{"creator": id, "p_value": number}],
    the surest first, corrected for how many keys were tried.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    text = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64)
    cut = models.BooleanField(default=False)
    keys = models.PositiveIntegerField(default=0)
    places = models.PositiveIntegerField(default=0)
    enough = models.BooleanField(default=False)
    found: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    error = models.CharField(max_length=1000, blank=True)
    remedy = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    @property
    def topic(self) -> str:
        """Where open pages hear that it is over."""
        return f"marks:{self.pk}"
