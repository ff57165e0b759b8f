"""Writing birth records. Callers record in the transaction in which the file itself is born."""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction

from .models import Kind, Occurrence, Record

HASH = re.compile(r"[0-9a-f]{64}")


def record_output(*, source: str, sha256: str, media_type: str, facts: dict[str, Any]) -> Record:
    """Record a piece as it was made, and return the record under its hash.

    `source` names the one thing these bytes came from ("output:<id>"): recording it again changes nothing. Bytes
    that are already known keep their first record; this time is noted beside it. `facts` is JSON without any buyer's
    name or words. Errors: ValueError for what is no SHA-256; RuntimeError outside a transaction.
    """
    return _record(source, sha256, Kind.OUTPUT, media_type, facts, None)


def record_export(
    *,
    origin: Record,
    source: str,
    sha256: str,
    media_type: str,
    facts: dict[str, Any] | None = None,
    kind: str = Kind.EXPORT,
) -> Record:
    """Record a file made from a recorded one: a licensed copy, or (`kind` "certificate") a certificate.

    `origin` is the record of the master; `source` ("file:<id>") as in `record_output`. A copy with the very bytes of
    its master has the master's record, and is noted beside it.
    """
    return _record(source, sha256, kind, media_type, facts or {}, origin)


def _record(
    source: str, sha256: str, kind: str, media_type: str, facts: dict[str, Any], origin: Record | None
) -> Record:
    if not HASH.fullmatch(sha256):
        raise ValueError(f"“{sha256[:80]}” is not a SHA-256 in lower-case hexadecimal.")
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A record belongs in the transaction in which its file is born.")
    new = Record(sha256=sha256, kind=kind, origin=origin, media_type=media_type, facts=facts)
    # ON CONFLICT DO NOTHING waits for another hand that is writing the same hash just now.
    Record.objects.bulk_create([new], ignore_conflicts=True)
    kept = Record.objects.get(sha256=sha256)
    Occurrence.objects.bulk_create(
        [Occurrence(record=kept, source=source, kind=kind, facts=facts)], ignore_conflicts=True
    )
    return kept
