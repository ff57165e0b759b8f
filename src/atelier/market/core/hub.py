"""Hears NOTIFY on one connection a web process and hands news to the open streams.

NOTIFY can lose messages when the connection breaks and carries less than 8 kB, so it is only the bell: rows in
LiveEvent are the truth. A stream replays rows after its Last-Event-ID first, and again whenever the hub reconnects.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from typing import Any

import psycopg
from django.db import connections

log = logging.getLogger(__name__)

CHANNEL = "atelier_live"
RECONNECT_SECONDS = 0.5

News = dict[str, Any] | None
"""A live event as {id, kind, data}, or None: something may have been missed, look in the table."""


class Hub:
    """The streams of one event loop, by topic."""

    def __init__(self) -> None:
        self._streams: dict[str, set[asyncio.Queue[News]]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None
        self._heard = asyncio.Event()

    async def join(self, topic: str) -> asyncio.Queue[News]:
        """A queue that gets the topic's news from now on; returns once the hub is listening (or after a second)."""
        queue: asyncio.Queue[News] = asyncio.Queue(maxsize=1000)
        self._streams[topic].add(queue)
        if self._listener is None or self._listener.done():
            self._heard.clear()
            self._listener = asyncio.create_task(self._listen())
        try:
            await asyncio.wait_for(self._heard.wait(), 1)
        except TimeoutError:
            log.warning("the live hub is not connected yet; streams will catch up")
        return queue

    def leave(self, topic: str, queue: asyncio.Queue[News]) -> None:
        """Forget a stream."""
        self._streams[topic].discard(queue)
        if not self._streams[topic]:
            del self._streams[topic]

    async def _listen(self) -> None:
        while self._streams:
            try:
                params = connections["default"].get_connection_params()
                params.pop("cursor_factory", None)
                params.pop("context", None)
                async with await psycopg.AsyncConnection.connect(**params, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._heard.set()
                    self._ring_all()
                    async for notice in connection.notifies():
                        self._hand_out(notice.payload)
            except (psycopg.Error, OSError) as error:
                self._heard.clear()
                log.warning("the live hub lost the database (%s); reconnecting", error)
                await asyncio.sleep(RECONNECT_SECONDS)

    def _hand_out(self, payload: str) -> None:
        news = json.loads(payload)
        for queue in self._streams.get(news.pop("topic"), ()):
            self._put(queue, news if "data" in news else None)

    def _ring_all(self) -> None:
        for queues in self._streams.values():
            for queue in queues:
                self._put(queue, None)

    @staticmethod
    def _put(queue: asyncio.Queue[News], news: News) -> None:
        if queue.full():
            # A reader that slow reads the table instead.
            while not queue.empty():
                queue.get_nowait()
            news = None
        queue.put_nowait(news)


_hubs: dict[int, Hub] = {}


def hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(id(asyncio.get_running_loop()), Hub())
