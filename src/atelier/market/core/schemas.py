"""Shapes that every room's API shares."""

from __future__ import annotations

from typing import Annotated

from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

Limit = Annotated[int, Field(ge=1, le=100)]
Offset = Annotated[int, Field(ge=0, le=100_000)]
RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]


def _without_nul(text: str) -> str:
    if "\x00" in text:
        raise PydanticCustomError("nul", "{why}", {"why": _("The text holds a character that cannot be kept: NUL.")})
    return text


NO_NUL = AfterValidator(_without_nul)
"""For text that goes to the database, which cannot hold the character NUL."""

IdempotencyKey = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class ErrorOut(Schema):
    """What went wrong: a stable code, a sentence, the field it concerns, and what to do."""

    code: str
    message: str
    field: str = ""
    remedy: str = ""


ERRORS = dict.fromkeys((400, 401, 403, 404, 409, 422, 429), ErrorOut)
"""Every answer that is not the wished-for one, for `response=` of an operation."""

PICTURE = {"responses": {200: {"description": "The picture itself", "content": {"image/png": {}, "image/webp": {}}}}}
"""For `openapi_extra` of an operation that answers with a picture."""
