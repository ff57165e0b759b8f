"""Looking a file up by its hash, and a pasted text by the hashes of the ways it may have been stored."""

from __future__ import annotations

import hashlib
import unicodedata
import uuid
from dataclasses import dataclass

from django.db.models import Prefetch

from atelier.market.accounts.models import Creator

from .models import MarkSearch, Occurrence, Record


@dataclass(frozen=True)
class Finding:
    """What was looked for (`sha256` of the bytes as they came), what is known of it, and by which reading."""

    sha256: str
    record: Record | None
    reading: str = "exact"


def record_of(sha256: str) -> Record | None:
    """The record under a hash with its occurrences and its origin, or None."""
    times = Prefetch("occurrences", Occurrence.objects.order_by("id"))
    return Record.objects.select_related("origin").prefetch_related(times).filter(sha256=sha256).first()


def record_of_source(source: str) -> Record | None:
    """The record of the bytes that one source ("output:<id>") made, or None."""
    found = Occurrence.objects.filter(source=source).values_list("record__sha256", flat=True).first()
    return record_of(found) if found else None


def find_text(text: str) -> Finding:
    """Look a pasted text up: as it is, then with other line ends, without blanks around it, in one Unicode form."""
    hashes = [(name, sha256_of(form)) for name, form in _readings(text)]
    known = set(Record.objects.filter(sha256__in=[sha256 for _, sha256 in hashes]).values_list("sha256", flat=True))
    for name, sha256 in hashes:
        if sha256 in known:
            return Finding(sha256, record_of(sha256), name)
    return Finding(hashes[0][1], None)


def sha256_of(text: str) -> str:
    """The hash of a text's bytes in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def search_of(search_id: uuid.UUID) -> MarkSearch | None:
    """A search for marks, or None when there is none (any more)."""
    return MarkSearch.objects.filter(pk=search_id).first()


@dataclass(frozen=True)
class FoundMark:
    """A creator whose mark a text carries, and the probability that a text without any of the marks looks so."""

    creator: Creator
    p_value: float


def found_marks(search: MarkSearch) -> list[FoundMark]:
    """What a search found, the surest first."""
    creators = Creator.objects.select_related("user").in_bulk([row["creator"] for row in search.found])
    return [FoundMark(creators[row["creator"]], row["p_value"]) for row in search.found]


def _readings(text: str) -> list[tuple[str, str]]:
    """The text in the forms it may have been stored in, likeliest first, by name.

    A form field turns every line end into CRLF (HTML Standard, 4.10.21), so what was pasted is never quite exact.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    bare = lines.strip()
    tidy = "\n".join(line.rstrip() for line in bare.split("\n"))
    return [
        ("exact", text),
        ("line ends", lines),
        ("blanks around", bare),
        ("final newline", bare + "\n"),
        ("line ends", bare.replace("\n", "\r\n")),
        ("final newline", bare.replace("\n", "\r\n") + "\r\n"),
        ("blanks in lines", tidy),
        ("blanks in lines", tidy + "\n"),
        ("one Unicode form", unicodedata.normalize("NFC", tidy)),
        ("one Unicode form", unicodedata.normalize("NFC", tidy) + "\n"),
    ]
