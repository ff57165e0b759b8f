"""Pictures that an engine or a stranger made, shown in pages.

They are PNG or WebP, told by their own bytes, and sent so that nothing in them can run.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

from . import blobs
from .models import Blob

FORMATS = {"PNG": "image/png", "WEBP": "image/webp"}
PIXELS_MOST = 16_000_000
URI_MOST = 400_000
"""Characters of the data URI of a sample."""
_URI = re.compile(r"data:(image/(?:png|webp));base64,([A-Za-z0-9+/]+={0,2})")


class BadPicture(ValueError):
    """What was given is no picture of the kind and size that may be shown."""


@dataclass(frozen=True)
class Picture:
    """The bytes of a picture with what they are, in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int


def sniffed(content: bytes) -> str:
    """`image/png` or `image/webp` by the first bytes of a file; empty for everything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""


def looked_at(content: bytes, *, bytes_most: int, side_most: int = 8000) -> Picture:
    """A picture, whatever name and type it came under; only its head is read. Errors: BadPicture."""
    from PIL import Image

    media_type = sniffed(content[:16])
    if not media_type:
        raise BadPicture("it is neither PNG nor WebP")
    if len(content) > bytes_most:
        raise BadPicture(f"it has {len(content)} bytes, more than {bytes_most}")
    try:
        with Image.open(io.BytesIO(content), formats=list(FORMATS)) as opened:
            (width, height), found = opened.size, FORMATS[str(opened.format)]
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadPicture("it cannot be opened") from error
    if found != media_type or max(width, height) > side_most or width * height > PIXELS_MOST:
        raise BadPicture(f"it has {width} by {height} pixels")
    return Picture(content, media_type, width, height)


def from_uri(uri: Any) -> Picture:
    """The picture in a data URI of PNG or WebP, as samples are shown. Errors: BadPicture."""
    if not isinstance(uri, str) or len(uri) > URI_MOST:
        raise BadPicture("it is no data URI, or a longer one than may be shown")
    parts = _URI.fullmatch(uri)
    if parts is None:
        raise BadPicture("it is no data URI of a PNG or WebP picture")
    try:
        content = base64.b64decode(parts.group(2), validate=True)
    except binascii.Error as error:
        raise BadPicture("it is not base64") from error
    found = looked_at(content, bytes_most=URI_MOST)
    if found.media_type != parts.group(1):
        raise BadPicture("it is not of the type that it names")
    return found


def keep_from(workspace: Path, named: Mapping[str, Any], *, bytes_most: int, side_most: int) -> Blob:
    """Store the picture that an engine names (a contract FileRef as plain data) in its workspace.

    Errors: BadPicture, also for a file outside the workspace or other bytes than those named.
    """
    path = (workspace / str(named["path"])).resolve()
    if not path.is_relative_to(workspace.resolve()) or not path.is_file():
        raise BadPicture("its file is not in the workspace")
    if path.stat().st_size > bytes_most:
        raise BadPicture(f"it has more than {bytes_most} bytes")
    found = looked_at(path.read_bytes(), bytes_most=bytes_most, side_most=side_most)
    if hashlib.sha256(found.content).hexdigest() != named["sha256"]:
        raise BadPicture("it is not the file that was named")
    return blobs.keep_bytes(found.content, found.media_type)


def send(request: HttpRequest, blob: Blob, *, cache: str = "private, max-age=3600") -> HttpResponse:
    """A stored picture, to be shown in a page. Its type is told by its bytes, and nothing in it can run.

    The caller has checked the viewer's right; who has the picture already gets 304. Errors: BadPicture for other bytes.
    """
    etag = f'"{blob.pk}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        content = blobs.read(blob)
        media_type = sniffed(content[:16])
        if not media_type:
            raise BadPicture("what is stored is neither PNG nor WebP")
        response = HttpResponse(content, content_type=media_type)
    response["ETag"] = etag
    response["Cache-Control"] = cache
    confine(response)
    response["Content-Disposition"] = "inline"
    return response


def confine(response: Any) -> None:
    """Let a browser take the answer as the type it names and run nothing of it, also when it is opened by itself."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
