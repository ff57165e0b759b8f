"""Live streams (server-sent events) and the health check."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse

from . import live
from .hub import hub
from .models import LiveEvent

# Renewing the watch is also the stream's heartbeat: a closed connection is noticed at the next write.
BEAT_SECONDS = 4.0
PORTION = 2000


def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the web process and its database answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"ok": True})


def _since(topic: str, last_id: int) -> list[dict[str, Any]]:
    rows = LiveEvent.objects.filter(topic=topic, id__gt=last_id).order_by("id")[:PORTION]
    return [{"id": row.pk, "kind": row.kind, "data": row.data} for row in rows]


def _frame(news: dict[str, Any]) -> bytes:
    return f"id: {news['id']}\nevent: {news['kind']}\ndata: {json.dumps(news['data'])}\n\n".encode()


async def _missed(topic: str, last_id: int) -> AsyncIterator[dict[str, Any]]:
    """Everything the table holds of a topic after `last_id`, a portion at a time."""
    while rows := await sync_to_async(_since)(topic, last_id):
        for row in rows:
            yield row
        last_id = rows[-1]["id"]


async def _stream(topic: str, last_id: int) -> AsyncIterator[bytes]:
    """Frames of a topic after `last_id`, for ever: what is in the table first, then what comes."""
    queue = await hub().join(topic)
    sent: set[int] = set()
    beat = 0.0

    def is_new(news: dict[str, Any]) -> bool:
        known = news["id"] <= last_id or news["id"] in sent
        sent.add(news["id"])
        return not known

    try:
        yield b"retry: 1000\n\n"
        came: dict[str, Any] | None = None
        rung = True
        while True:
            if rung:
                async for missed in _missed(topic, last_id):
                    if is_new(missed):
                        yield _frame(missed)
            elif came is not None and is_new(came):
                yield _frame(came)
            if time.monotonic() - beat >= BEAT_SECONDS:
                beat = time.monotonic()
                await sync_to_async(live.watch)(topic)
                yield b": beat\n\n"
            try:
                came = await asyncio.wait_for(queue.get(), BEAT_SECONDS)
                rung = came is None
            except TimeoutError:
                came, rung = None, False
    finally:
        hub().leave(topic, queue)


async def stream(request: HttpRequest, ticket: str) -> StreamingHttpResponse:
    """The live stream a ticket is for; honours Last-Event-ID, or `?since=` on the first connection."""
    topic = live.topic_of(ticket)
    last = request.headers.get("Last-Event-ID") or request.GET.get("since") or "0"
    response = StreamingHttpResponse(
        _stream(topic, int(last) if last.isdecimal() and len(last) < 19 else 0), content_type="text/event-stream"
    )
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response
