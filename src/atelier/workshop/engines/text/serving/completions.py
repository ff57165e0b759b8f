"""A server that speaks OpenAI's completions, as a client sees it: texts as they are written, adapters by their names.

https://platform.openai.com/docs/api-reference/completions; adapters are loaded as vLLM does,
https://docs.vllm.ai/en/latest/features/lora/
"""

from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from atelier.workshop.contract import AdapterInvalid, Busy, Cancelled, EngineUnavailable, OverTime

log = logging.getLogger(__name__)

TRIES = 3
"""How often a text is asked for while the server breaks before its first word."""

_LINE_BYTES = 1 << 20
_WORDS_BYTES = 2000


@dataclass(frozen=True)
class Waits:
    """Seconds: until there is a connection, until the first word, between words, before asking again (doubled)."""

    connect: float = 5.0
    first: float = 120.0
    between: float = 30.0
    again: float = 0.5


@dataclass(frozen=True)
class Piece:
    """What came; with the last piece, why it is the last (“stop” or “length”)."""

    text: str
    finish: str | None


class NoSuchAdapter(Exception):
    """The server knows no model of that name."""


class _Broken(Exception):
    """The connection or the server failed; asking again may help."""


class Line:
    """The connection on which a text comes, so that any thread can cut it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = threading.Event()

    def hold(self, connected: socket.socket) -> None:
        """Errors: Cancelled when it was cut before."""
        with self._lock:
            self._socket = connected
            self.check()

    def patience(self, seconds: float) -> None:
        """How long whoever reads from it waits from now on."""
        if self._socket is not None:
            self._socket.settimeout(seconds)

    def check(self) -> None:
        """Errors: Cancelled when it was cut."""
        if self._is_cut.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> None:
        """Errors: Cancelled, at once, when it is cut meanwhile."""
        self._is_cut.wait(seconds)
        self.check()

    def cut(self) -> None:
        """End the connection now, whoever reads from it."""
        with self._lock:
            self._is_cut.set()
            if self._socket is not None:
                try:
                    # Not an encrypted connection's own way, which would wait for the other side.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
                except OSError:
                    log.debug("the connection had ended")


class Server:
    """One server by its address, such as http://host:8000/v1. Any thread may use it; each call has its connection."""

    def __init__(self, address: str, key: str = "", waits: Waits | None = None) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EngineUnavailable(
                "The address of the server that writes is none.",
                remedy="Set ATELIER_TEXT_REMOTE to an address such as http://host:8000/v1.",
            )
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path.rstrip("/")
        self._headers = {"Content-Type": "application/json", "Connection": "close"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._waits = waits or Waits()

    def write(self, wanted: dict[str, Any], line: Line) -> Generator[Piece, None, None]:
        """The pieces of one completion. Asks again while the server breaks before the first; closing the iterator ends
        the writing there. Errors: NoSuchAdapter, Busy, OverTime, EngineUnavailable, Cancelled when the line is cut."""
        for tried in range(1, TRIES + 1):
            begun = False
            try:
                for piece in self._pieces({**wanted, "stream": True}, line):
                    begun = True
                    yield piece
                return
            except _Broken as error:
                line.check()
                log.warning("the server at %s:%s failed: %s", self._host, self._port, error)
                if begun:
                    raise EngineUnavailable("The server that writes broke off.", remedy="Ask again.") from error
                if tried == TRIES:
                    raise EngineUnavailable(
                        "The server that writes cannot be reached or fails.",
                        remedy="See that it runs at the address in ATELIER_TEXT_REMOTE.",
                    ) from error
            line.wait(self._waits.again * 2 ** (tried - 1))

    def load(self, name: str, folder: Path, line: Line) -> None:
        """Have the server load an adapter from a folder that it sees under the same path.

        Errors: AdapterInvalid, EngineUnavailable, Busy, Cancelled.
        """
        status, words = self._told("/load_lora_adapter", {"lora_name": name, "lora_path": str(folder)}, line)
        if status == 200 or "already" in words:
            return
        log.warning("the server at %s:%s did not load %s: %s %s", self._host, self._port, folder, status, words)
        if status in (404, 405, 501):
            raise EngineUnavailable(
                "The server that writes does not know this adapter, and loads none.",
                remedy="Start vLLM with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, or correct the "
                "address in ATELIER_TEXT_REMOTE.",
            )
        raise AdapterInvalid(
            "The server that writes refused this adapter.",
            remedy="See that it serves the base that the adapter was trained for, takes its rank, and sees the "
            "adapter's folder under the same path.",
        )

    def forget(self, name: str) -> None:
        """Have the server let go of an adapter; that it could not is only logged."""
        try:
            status, words = self._told("/unload_lora_adapter", {"lora_name": name}, Line())
        except (Busy, EngineUnavailable) as error:
            status, words = 0, str(error)
        if status not in (200, 404):
            log.warning("the server at %s:%s did not unload %s: %s %s", self._host, self._port, name, status, words)

    def _told(self, path: str, said: dict[str, Any], line: Line) -> tuple[int, str]:
        """A status with the words that came with it. Errors: Busy, EngineUnavailable, Cancelled."""
        connection = self._connection()
        try:
            response = self._answer(connection, path, said, line)
            return response.status, _words(response)
        except (_Broken, OverTime) as error:
            line.check()
            raise EngineUnavailable(
                "The server that writes cannot be reached or fails.",
                remedy="See that it runs at the address in ATELIER_TEXT_REMOTE.",
            ) from error
        finally:
            connection.close()

    def _pieces(self, wanted: dict[str, Any], line: Line) -> Iterator[Piece]:
        """Errors: as `write`, and _Broken."""
        connection = self._connection()
        response = None
        try:
            response = self._answer(connection, "/completions", wanted, line)
            if response.status == 404:
                raise NoSuchAdapter
            if response.status >= 500:
                raise _Broken(f"{response.status} {_words(response)}")
            if response.status != 200:
                log.warning(
                    "the server at %s:%s said %s: %s", self._host, self._port, response.status, _words(response)
                )
                raise EngineUnavailable(
                    "The server that writes refused the request.", remedy="Its words are in this machine's log."
                )
            yield from self._events(response, line)
        finally:
            connection.close()
            if response is not None:
                response.close()

    def _connection(self) -> http.client.HTTPConnection:
        return self._kind(self._host, self._port, timeout=self._waits.connect)

    def _answer(
        self, connection: http.client.HTTPConnection, path: str, said: dict[str, Any], line: Line
    ) -> http.client.HTTPResponse:
        """Errors: _Broken, OverTime, Cancelled; Busy and EngineUnavailable for what concerns every request."""
        try:
            connection.connect()
            line.hold(connection.sock)
            line.patience(self._waits.first)
            connection.request("POST", self._path + path, json.dumps(said).encode(), self._headers)
            response = connection.getresponse()
        except TimeoutError as error:
            if connection.sock is None:
                raise _Broken("no connection in time") from error
            raise _over_time() from error
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(repr(error)) from error
        if response.status in (429, 503):
            raise Busy("The server that writes has no room just now.")
        if response.status in (401, 403):
            raise EngineUnavailable(
                "The server that writes does not take the key.", remedy="Correct ATELIER_TEXT_REMOTE_KEY."
            )
        return response

    def _events(self, response: http.client.HTTPResponse, line: Line) -> Iterator[Piece]:
        """The pieces in a stream of server-sent events. Errors: _Broken, OverTime."""
        allowed, heard, over = self._waits.first, time.monotonic(), False
        for event in _data(response):
            if time.monotonic() - heard > allowed:  # signs of life are no words
                raise _over_time()
            if event == "[DONE]":
                break
            piece = _piece(event)
            if piece is None:
                continue
            line.check()
            allowed, heard, over = self._waits.between, time.monotonic(), piece.finish is not None
            line.patience(allowed)
            yield piece
            if over:
                return
        raise _Broken("it ended in the middle")


def _data(response: http.client.HTTPResponse) -> Iterator[str]:
    """Errors: _Broken, OverTime. A line that is no data comes as "" so that whoever waits can look at the clock."""
    while True:
        try:
            line = response.readline(_LINE_BYTES)
        except TimeoutError as error:
            raise _over_time() from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _Broken(repr(error)) from error
        if not line:
            return
        yield line[5:].decode("utf-8", "replace").strip() if line.startswith(b"data:") else ""


def _piece(event: str) -> Piece | None:
    """What an event says of the text, if anything. Errors: _Broken."""
    if not event:
        return None
    try:
        said = json.loads(event)
        if "error" in said:
            raise _Broken(str(said["error"])[:_WORDS_BYTES])
        choice = (said.get("choices") or [{}])[0]
        text, finish = choice.get("text") or "", choice.get("finish_reason")
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise _Broken("what it said is no completion") from error
    return Piece(str(text), None if finish is None else str(finish)) if text or finish else None


def _words(response: http.client.HTTPResponse) -> str:
    try:
        return response.read(_WORDS_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return ""


def _over_time() -> OverTime:
    return OverTime("The server that writes said nothing for too long.", remedy="Ask again, or see to the server.")
