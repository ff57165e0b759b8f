"""What the sketching engine may be asked for, and the check of it."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from atelier.workshop.contract.errors import BriefInvalid

from .scene import KINDS, clean_picture

PICTURE_LETTERS = 400_000
FORMATS = {"any": "Any shape", "circle": "Circles", "square": "Squares", "triangle": "Triangles"}

BRIEF_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "subject": {
            "type": "string",
            "title": "Subject",
            "description": "What stands on the sheet in words.",
            "minLength": 1,
            "maxLength": 120,
        },
        "shape": {
            "type": "string",
            "title": "Shapes",
            "enum": list(FORMATS),
            "x-enum-titles": list(FORMATS.values()),
            "default": "any",
        },
        "picture": {
            "type": "string",
            "title": "Your own picture",
            "description": "Shown in the corner of the sheet.",
            "maxLength": PICTURE_LETTERS,
            "contentEncoding": "base64",
            "contentMediaType": "image/*",
        },
    },
    "required": ["subject"],
    "additionalProperties": False,
}


def checked_brief(brief: dict[str, Any]) -> dict[str, Any]:
    """The brief with its defaults; the picture as the bytes of a clean file. Errors: BriefInvalid naming the field."""
    properties = BRIEF_SCHEMA["properties"]
    for name in brief:
        if name not in properties:
            raise BriefInvalid("is not a field of this brief.", where=name, remedy=f"Fields: {', '.join(properties)}.")
    subject, shape = brief.get("subject"), brief.get("shape", "any")
    if not isinstance(subject, str) or not 1 <= len(subject.strip()) <= 120:
        raise BriefInvalid("must be a text of 1 to 120 characters.", where="subject", remedy="Say what it is about.")
    if not isinstance(shape, str) or shape not in FORMATS:
        raise BriefInvalid("is not known.", where="shape", remedy=f"Choose one of: {', '.join(FORMATS)}.")
    return {"subject": subject.strip(), "kinds": KINDS if shape == "any" else (shape,), "picture": _picture(brief)}


def _picture(brief: dict[str, Any]) -> bytes:
    sent = brief.get("picture", "")
    if not isinstance(sent, str) or len(sent) > PICTURE_LETTERS:
        raise BriefInvalid("must be a small picture in base64.", where="picture", remedy="Send a smaller one.")
    if not sent:
        return b""
    try:
        return clean_picture(base64.b64decode(sent, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BriefInvalid(
            "is no PNG, WebP or JPEG.", where="picture", remedy="Save the picture as PNG and choose it again."
        ) from error
