"""Finds works that are the same or nearly the same.

Must run under `one_at_a_time`, so that of two copies that come in together the later one sees the earlier.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q, QuerySet

from atelier.workshop.contract import Fingerprint, engine

from .models import Work, WorkFingerprint

FOREIGN_MOST = 5
"""How many works of other creators are named for one work: enough for an operator to judge by."""


@dataclass(frozen=True)
class Match:
    """That an earlier work is alike, and how much (0..1). `exact` means the same, not only near."""

    other: Work
    scheme: str
    similarity: float
    exact: bool


def one_at_a_time(engine_name: str) -> None:
    """Make comparisons for an engine take turns until the end of the transaction (PostgreSQL advisory lock)."""
    key = int.from_bytes(hashlib.sha256(f"atelier.works.compare:{engine_name}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def same_by_creator(creator_id: int, engine_name: str, sha256: str, fingerprints: Iterable[Fingerprint]) -> Work | None:
    """The creator's own earlier work that is exactly this one, removed ones apart; upheld copies count."""
    own = Work.objects.filter(creator_id=creator_id, engine=engine_name).exclude(state=Work.State.REMOVED)
    found = own.filter(blob_id=sha256).order_by("pk").first()
    if found is not None:
        return found
    for exact in fingerprints:
        if not exact.bands:
            hit = own.filter(fingerprints__scheme=exact.scheme, fingerprints__value=exact.value).order_by("pk").first()
            if hit is not None:
                return hit
    return None


def alike(work: Work) -> list[Match]:
    """Works that this one copies: at most one of its own creator, and earlier ones of others, exact ones first.

    The first passing an engine's `near_duplicate_at` is taken, in order of age; refused works are not compared with.
    """
    own: Match | None = None
    foreign: dict[int, Match] = {}
    for match in _matches(work):
        if match.other.creator_id == work.creator_id:
            own = own or match
        else:
            foreign.setdefault(match.other.pk, match)
        if own is not None and len(foreign) >= FOREIGN_MOST:
            break
    return ([own] if own else []) + list(foreign.values())[:FOREIGN_MOST]


def _matches(work: Work) -> Iterator[Match]:
    """Matches, exact ones before near ones, older ones first."""
    known = engine(work.engine)
    near_at = known.capabilities().near_duplicate_at
    prints = [known_print.as_contract() for known_print in work.fingerprints.all()]
    for other in _others(work).filter(blob_id=work.blob_id).order_by("pk")[: 4 * FOREIGN_MOST]:
        yield Match(other, "bytes", 1.0, exact=True)
    for mine in sorted(prints, key=lambda each: bool(each.bands)):
        rows = WorkFingerprint.objects.filter(scheme=mine.scheme, work__in=_others(work)).select_related("work")
        rows = rows.filter(bands__overlap=list(mine.bands)) if mine.bands else rows.filter(value=mine.value)
        for row in rows.order_by("work_id").iterator(chunk_size=200):
            similarity = known.similarity(mine, row.as_contract())
            if similarity >= near_at:
                yield Match(row.work, mine.scheme, similarity, exact=not mine.bands)


def _others(work: Work) -> QuerySet[Work]:
    """Works this one may copy: those of its own creator that are in use, and earlier ones of others.

    A work that comes back after it was removed may have been replaced by a later one of the same creator; a later one
    of another creator is the copy, not the original.
    """
    own = Q(creator_id=work.creator_id, state__in=[Work.State.READY, Work.State.HELD])
    foreign = ~Q(creator_id=work.creator_id) & Q(pk__lt=work.pk) & ~Q(state=Work.State.REFUSED)
    return Work.objects.filter(own | foreign, engine=work.engine).exclude(pk=work.pk)
