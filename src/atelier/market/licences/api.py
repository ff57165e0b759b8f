"""Licences and their files, as JSON."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from ninja import Path, Router, Schema
from pydantic import Field

from atelier.market.core.schemas import ERRORS, Limit, Offset

from . import queries, shaping
from .models import Licence, LicensedFile
from .sending import send

router = Router()

FormatName = Annotated[str, Field(min_length=1, max_length=24, pattern=r"^[a-z0-9.]+$")]


class FileOut(Schema):
    """A file of a licence. `url` answers once `state` is ready."""

    format: str
    title: str
    filename: str
    state: str
    error: str
    sha256: str | None
    bytes: int | None
    media_type: str | None
    url: str

    @staticmethod
    def of(file: LicensedFile) -> dict[str, Any]:
        """The file as plain data."""
        return {
            "format": file.format,
            "title": file.title,
            "filename": file.filename,
            "state": file.state,
            "error": file.error,
            "sha256": file.blob_id,
            "bytes": file.blob.bytes if file.blob else None,
            "media_type": file.blob.media_type if file.blob else None,
            "url": reverse("api:licence_file", args=[file.licence_id, file.format]),
        }


class ShareOut(Schema):
    """What part of a piece one of your works shaped, 0 to 1, with the bounds of its 95 % interval."""

    work_id: int
    title: str
    removed: bool
    value: float
    low: float
    high: float


class AttributionOut(Schema):
    """Which of your works shaped a piece you sold. `state` is pending, told or untold; `sentence` says why.

    `told` is the sum of the shares; the rest is owed to no single work.
    """

    state: Literal["pending", "told", "untold"]
    sentence: str
    method: str
    told: float
    shares: list[ShareOut]

    @staticmethod
    def of(shaped: shaping.Shaping) -> dict[str, Any]:
        """What is known of a sale as plain data."""
        shares = [
            {
                "work_id": part.work.pk,
                "title": part.work.title,
                "removed": part.work.state == part.work.State.REMOVED,
                "value": part.value,
                "low": part.low,
                "high": part.high,
            }
            for part in shaped.parts
        ]
        return {
            "state": shaped.state,
            "sentence": shaped.sentence,
            "method": shaped.method,
            "told": shaped.told,
            "shares": shares,
        }


class LicenceOut(Schema):
    """A licence you hold or sold. `certificate` is its frozen content; `attribution` is there for who sold it only."""

    id: uuid.UUID
    number: str
    tier: str
    output_id: uuid.UUID
    purchase_id: uuid.UUID
    issued_at: datetime
    certificate: dict[str, Any]
    files: list[FileOut]
    attribution: AttributionOut | None


def _shown(person: Any, licence: Licence) -> dict[str, Any]:
    shaped = shaping.shaping_for(person, licence)
    return {
        "id": licence.pk,
        "number": licence.number,
        "tier": licence.tier,
        "output_id": licence.output_id,
        "purchase_id": licence.purchase_id,
        "issued_at": licence.issued_at,
        "certificate": licence.certificate,
        "files": [FileOut.of(file) for file in queries.files_for(person, licence)],
        "attribution": AttributionOut.of(shaped) if shaped else None,
    }


@router.get("/licences", response={200: list[LicenceOut], **ERRORS}, summary="Licences I hold")
def licences(request: HttpRequest, limit: Limit = 20, offset: Offset = 0) -> list[dict[str, Any]]:
    """Yours, the latest first."""
    found = queries.licences_of(request.user).prefetch_related("files__blob")[offset : offset + limit]
    return [_shown(request.user, licence) for licence in found]


@router.get("/licences/{licence_id}", response={200: LicenceOut, **ERRORS}, summary="One licence")
def licence(request: HttpRequest, licence_id: uuid.UUID) -> dict[str, Any]:
    """With the state of its files: ask again while one is pending."""
    return _shown(request.user, queries.licence_of(request.user, licence_id))


@router.get(
    "/licences/{licence_id}/files/{format_name}",
    response={**ERRORS},
    summary="Download a file",
    url_name="licence_file",
    openapi_extra={"responses": {200: {"description": "The file itself", "content": {"*/*": {}}}}},
)
def download(request: HttpRequest, licence_id: uuid.UUID, format_name: Path[FormatName]) -> HttpResponseBase:
    """The holder may have every file; the creator the certificates."""
    return send(request, queries.file_for(request.user, licence_id, format_name))
