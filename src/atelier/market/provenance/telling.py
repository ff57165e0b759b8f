"""What a record tells, as data and as words: the same to everyone."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from .models import Record


def readings() -> dict[str, str]:
    """How a pasted text had to be read before it was known, in words."""
    return {
        "line ends": _("apart from how its lines end"),
        "blanks around": _("apart from blanks before and after it"),
        "final newline": _("apart from the line end after its last word"),
        "blanks in lines": _("apart from blanks at the ends of its lines"),
        "one Unicode form": _("apart from how its accents are stored"),
    }


def as_json(sha256: str, record: Record | None) -> dict[str, Any]:
    """The whole answer as JSON. `known` false proves nothing: a changed letter makes another hash."""
    if record is None:
        return {"sha256": sha256, "known": False, "record": None}
    return {"sha256": sha256, "known": True, "record": record_json(record)}


def record_json(record: Record) -> dict[str, Any]:
    """A record with every time its bytes came into being; `signature` is null until outputs are signed."""
    return {
        "sha256": record.sha256,
        "kind": record.kind,
        "media_type": record.media_type,
        "facts": record.facts,
        "at": record.at,
        "made_from": record.origin.sha256 if record.origin and record.origin_id != record.pk else None,
        "made_from_facts": record.origin.facts if record.origin else None,
        "occurrences": [{"kind": time.kind, "at": time.at, "facts": time.facts} for time in record.occurrences.all()],
        "signature": None,
    }
