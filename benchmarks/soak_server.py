"""The process that the soak kills: this project's runtime behind a Unix socket, one request a connection.

A request is one JSON line; the answers are JSON lines: news while it is written, then texts or a named error. A client
that closes its end, or reads nothing for five seconds, has left.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socketserver
import sys
import tempfile
from pathlib import Path
from typing import Any

from atelier.workshop.contract import Cancelled, GenerateSpec, Preview, Progress, WorkshopError
from atelier.workshop.runtime import limits
from atelier.workshop.runtime.local import LocalRuntime
from atelier.workshop.runtime.wire import error_to_wire

PATIENCE_SECONDS = 5.0
RUNTIME = LocalRuntime()


class Broken(Exception):
    """What an `emit` raises that fails in a way nobody foresaw."""


class Handler(socketserver.StreamRequestHandler):
    """One request."""

    timeout = PATIENCE_SECONDS
    news = 0

    def handle(self) -> None:
        asked = json.loads(self.rfile.readline())
        try:
            with tempfile.TemporaryDirectory() as folder:
                spec = GenerateSpec.model_validate(asked["spec"])
                made = RUNTIME.generate(
                    "text", Path(asked["adapter"]), spec, Path(folder), lambda news: self._emit(news, asked)
                )
                answer: dict[str, Any] = {
                    "texts": [(Path(folder) / each.file.path).read_text("utf-8") for each in made]
                }
        except WorkshopError as error:
            answer = {"error": error_to_wire(error)}
        except Broken:
            answer = {"error": {"codes": ["broken"]}}
        self._send(answer)

    def _emit(self, news: Preview | Progress, asked: dict[str, Any]) -> None:
        self.news += 1
        if self.news == asked.get("after"):
            raise Broken if asked["way"] == "breaks" else Cancelled
        told = news.model_dump(mode="json")
        self._send({"preview": told} if isinstance(news, Preview) else {"progress": told})

    def _send(self, answer: dict[str, Any]) -> None:
        try:
            self.wfile.write(json.dumps(answer).encode() + b"\n")
        except OSError as error:  # closed, or not read for too long
            raise Cancelled from error

    def finish(self) -> None:
        """Also where the other end is closed."""
        try:
            super().finish()
        except (OSError, ValueError):
            return


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """One thread a connection."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is no news; anything else is."""
        if not isinstance(sys.exc_info()[1], Cancelled):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("socket", type=Path)
    words = parser.parse_args()
    limits.die_with(os.getppid())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    RUNTIME.warm("text")
    with Server(str(words.socket), Handler) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
