"""What a record tells, as data and as words: the same to everyone."""

from __future__ import annotations

from typing import Any, Literal

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _

from .models import MarkSearch, Record
from .queries import found_marks

Verdict = Literal["waiting", "failed", "found", "short", "none"]


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


def verdict(search: MarkSearch) -> Verdict:
    """What a search came to: still waiting; failed; a mark was found; too short to say; no mark was found."""
    if search.state == MarkSearch.State.WAITING:
        return "waiting"
    if search.state == MarkSearch.State.FAILED:
        return "failed"
    if search.found:
        return "found"
    return "short" if search.keys and not search.enough else "none"


def odds(p_value: float) -> str:
    """A small probability of a text, in words."""
    if p_value < 1e-9:
        return _("less than once in a billion texts")
    rough = round(1 / p_value)
    rough = round(rough, 1 - len(str(rough)))
    return _("about once in %(number)s texts") % {"number": intcomma(rough)}


def search_json(search: MarkSearch) -> dict[str, Any]:
    """A search for marks as JSON."""
    return {
        "id": search.pk,
        "verdict": verdict(search),
        "found": [
            {
                "creator": {"name": str(mark.creator.user), "handle": mark.creator.handle},
                "p_value": mark.p_value,
                "odds": odds(mark.p_value),
            }
            for mark in found_marks(search)
        ],
        "sha256": search.sha256,
        "cut": search.cut,
        "places": search.places,
        "marks_tried": search.keys,
        "error": search.error,
        "remedy": search.remedy,
    }
