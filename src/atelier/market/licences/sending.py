"""Sending a file that was bought."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response

from atelier.market.core import blobs
from atelier.market.core.downloads import streamed

from .models import LicensedFile


def send(request: HttpRequest, file: LicensedFile) -> HttpResponseBase:
    """The file as a download under its own name; its ETag is its SHA-256, and who has it already gets 304."""
    assert file.blob is not None
    etag = f'"{file.blob_id}"'
    unchanged = get_conditional_response(request, etag=etag)
    response = unchanged or streamed(
        request, blobs.chunks(file.blob), file.blob.media_type, file.filename, file.blob.bytes
    )
    response["ETag"] = etag
    response["Cache-Control"] = "private, max-age=0, must-revalidate"
    response["X-Content-Type-Options"] = "nosniff"
    return response
