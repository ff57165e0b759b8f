"""Writing birth records, keeping the keys of marks, and asking for marks to be looked for.

Callers record in the transaction in which the file itself is born.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from atelier.market.accounts.models import Creator
from atelier.market.core import live
from atelier.market.core.errors import Invalid, TooMany

from .models import Kind, MarkKey, MarkSearch, Occurrence, Record
from .queries import sha256_of

HASH = re.compile(r"[0-9a-f]{64}")
MARK_KEY_BYTES = 32
MARKED_CHARACTERS_MOST = 20_000
SEARCHES_WAITING_MOST = 50


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


def mark_key_of(creator: Creator) -> str:
    """The key, in hexadecimal, by which what a creator's models make is marked: made at the first call, then always
    the same. For engines only; it is never shown."""
    kept = MarkKey.objects.filter(creator=creator).first()
    if kept is None:
        # Of two that come at once, the second finds the key of the first.
        kept, _new = MarkKey.objects.get_or_create(
            creator=creator, defaults={"key": secrets.token_bytes(MARK_KEY_BYTES)}
        )
    return bytes(kept.key).hex()


@transaction.atomic
def look_for_marks(*, text: str) -> MarkSearch:
    """Queue a text in which the marks of all creators are looked for; anyone may ask.

    Only so many characters from its beginning are read. Errors: Invalid without a text; TooMany while too many wait.
    """
    from .tasks import find_marks

    plain = text.replace("\0", "").strip("\r\n")
    if not plain.strip():
        raise Invalid(_("There is no text."), field="text", remedy=_("Paste the text."))
    if MarkSearch.objects.filter(state=MarkSearch.State.WAITING).count() >= SEARCHES_WAITING_MOST:
        raise TooMany(_("Many texts are being read just now."), remedy=_("Try it again in a minute."), code="busy")
    search = MarkSearch.objects.create(
        text=plain[:MARKED_CHARACTERS_MOST], cut=len(plain) > MARKED_CHARACTERS_MOST, sha256=sha256_of(text)
    )
    find_marks.defer(search_id=str(search.pk))
    return search


@transaction.atomic
def end_search(search: MarkSearch, **outcome: Any) -> bool:
    """Keep what a search found and remove the text; False when another hand has ended it."""
    waiting = MarkSearch.objects.filter(pk=search.pk, state=MarkSearch.State.WAITING)
    if not waiting.update(text="", **{"state": MarkSearch.State.DONE, **outcome}):
        return False
    live.publish(search.topic, "read")
    return True
