"""Looking a file up by its hash, and a text by its hidden mark, for programs. Public: no token is needed."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import Field

from atelier.market.core.errors import Missing
from atelier.market.core.schemas import ErrorOut

from . import actions, queries
from .forms import TEXT_MOST
from .telling import record_json, search_json

router = Router()

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class OccurrenceOut(Schema):
    """One time that these bytes came into being."""

    kind: str
    at: datetime
    facts: dict[str, Any]


class RecordOut(Schema):
    """What is known of a file. `signature` is null: outputs are not signed yet."""

    sha256: str
    kind: str
    media_type: str
    facts: dict[str, Any]
    at: datetime
    made_from: str | None
    made_from_facts: dict[str, Any] | None
    occurrences: list[OccurrenceOut]
    signature: str | None


class TextIn(Schema):
    """A text in which marks are looked for; the first 20,000 characters are read."""

    text: str = Field(min_length=1, max_length=TEXT_MOST)


class MarkedByOut(Schema):
    """Whose creation model is named."""

    name: str
    handle: str


class FoundMarkOut(Schema):
    """A creator whose mark the text carries; `p_value` is how often a text without any mark would look so, corrected
    for all the marks that were tried, and `odds` says it in words."""

    creator: MarkedByOut
    p_value: float
    odds: str


class MarkSearchOut(Schema):
    """A search for marks. While `verdict` is "waiting", ask again; "short": too short to say; "none" proves nothing,
    since a text may have been rewritten. `places` counts the places of the text that were looked at."""

    id: uuid.UUID
    verdict: Literal["waiting", "failed", "found", "short", "none"]
    found: list[FoundMarkOut]
    sha256: str
    cut: bool
    places: int
    marks_tried: int
    error: str
    remedy: str


@router.post(
    "/records/marks",
    auth=None,
    response={202: MarkSearchOut, 400: ErrorOut, 422: ErrorOut, 429: ErrorOut},
    operation_id="look_for_marks",
)
def look_for_marks(request: HttpRequest, body: TextIn) -> Status[dict[str, Any]]:
    """Look for the hidden mark of any creator in a text. The text is removed as soon as it was read."""
    return Status(202, search_json(actions.look_for_marks(text=body.text)))


@router.get(
    "/records/marks/{search_id}",
    auth=None,
    response={200: MarkSearchOut, 404: ErrorOut, 422: ErrorOut},
    operation_id="mark_search",
)
def mark_search(request: HttpRequest, search_id: uuid.UUID) -> dict[str, Any]:
    """What a search for marks found; kept for a day."""
    found = queries.search_of(search_id)
    if found is None:
        raise Missing(_("There is no such search."), remedy=_("Searches are kept for a day. Send the text again."))
    return search_json(found)


@router.get(
    "/records/{sha256}", auth=None, response={200: RecordOut, 404: ErrorOut, 422: ErrorOut}, operation_id="record"
)
def record(request: HttpRequest, sha256: Sha256) -> dict[str, Any]:
    """The record of a file by its SHA-256. 404 says only that nothing is known under this hash."""
    found = queries.record_of(sha256)
    if found is None:
        raise Missing(
            _("Nothing is known of a file with this hash."),
            code="unknown_file",
            remedy=_("That is no proof that it was not made here: a changed byte makes another hash."),
        )
    return record_json(found)
