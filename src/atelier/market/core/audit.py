"""The audit trail: who did what, in the same transaction as the deed."""

from __future__ import annotations

from typing import Any

from django.db import models, transaction

from .models import AuditEntry


def record(actor: Any, verb: str, subject: models.Model, **data: Any) -> AuditEntry:
    """Note that `actor` (a User, or None for the house itself) did `verb` to `subject`.

    Must be called inside the transaction of the deed, so that neither exists without the other.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An audit entry belongs in the transaction of the deed it tells of.")
    return AuditEntry.objects.create(
        actor=actor, verb=verb, subject_type=subject._meta.label_lower, subject_id=str(subject.pk), data=data
    )
