"""Looking a file up by its hash, for programs. Public: no token is needed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import Field

from atelier.market.core.errors import Missing
from atelier.market.core.schemas import ErrorOut

from . import queries
from .telling import record_json

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
