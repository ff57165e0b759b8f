"""What every room leans on: stored files, the audit trail, news between rooms, and news for open pages."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Blob(models.Model):
    """Bytes in storage, named by their SHA-256 and kept once however often they are uploaded."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now())
    erased_at = models.DateTimeField(null=True, blank=True)

    @property
    def storage_name(self) -> str:
        """The name under which storage keeps it."""
        return f"{self.sha256[:2]}/{self.sha256[2:4]}/{self.sha256}"


class AuditEntry(models.Model):
    """Who did what to what, written in the same transaction as the deed. Append-only, enforced in the database."""

    at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", verbose_name="who"
    )
    verb = models.CharField(max_length=80)
    subject_type = models.CharField(max_length=80)
    subject_id = models.CharField(max_length=64)
    data = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["subject_type", "subject_id", "id"])]


class Event(models.Model):
    """News that travels right, written in the same transaction as what it tells of (see config/subscriptions.py)."""

    at = models.DateTimeField(db_default=Now())
    name = models.CharField(max_length=80, db_index=True)
    data = models.JSONField(default=dict)


class Delivery(models.Model):
    """That a handler has dealt with an event: the row is written in the handler's own transaction."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    handler = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "handler"], name="one_delivery_a_handler")]


class LiveEvent(models.Model):
    """News for open pages, kept so that a page that reconnects hears what it missed. Pruned after a day."""

    topic = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["topic", "id"]), models.Index(fields=["at"])]


class Watch(models.Model):
    """That someone has a page open on a topic, renewed every few seconds while it is so."""

    topic = models.CharField(max_length=120, primary_key=True)
    until = models.DateTimeField()
