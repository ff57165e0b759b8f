"""Files streamed to whoever asked, never held whole and never blocking other requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from .pictures import confine


def streamed(
    request: HttpRequest, parts: Iterator[bytes], media_type: str, filename: str, length: int | None = None
) -> StreamingHttpResponse:
    """A download of parts of bytes under a file name. `length` in bytes, where known."""
    content = _awaited(parts) if isinstance(request, ASGIRequest) else parts
    response = StreamingHttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(True, filename) or "attachment"
    response["Cache-Control"] = "private, no-store"
    # A drawing is a document too: opened by itself it would run what stands in it, in this site's name.
    confine(response)
    if length is not None:
        response["Content-Length"] = str(length)
    return response


async def _awaited(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Each step of a blocking iterator in a thread: Django would otherwise read it whole first."""
    step = sync_to_async(lambda: next(parts, None))
    while (part := await step()) is not None:
        yield part
