"""A small server that speaks vLLM's part of OpenAI's interface and does what a test says: streams, fails, stalls."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STOP, LENGTH = {"finish": "stop"}, {"finish": "length"}
BREAK, END, STALL, PINGS = "<break>", "<end>", "<stall>", "<pings>"
"""The connection breaks; the stream ends without a last piece; nothing more comes; signs of life come but no words."""

Answer = Sequence[Any]
"""What is said to one completion: a status, or pieces of text, objects and the words above."""


class Elsewhere(ThreadingHTTPServer):
    """Notes every call as (path, what was sent, headers). `answers` are given in turn, the last again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.adapters: set[str] = set()
        self.answers: list[Answer] | Callable[[dict[str, Any]], Answer] = []
        self.load: tuple[int, str, bool] = (200, "Success", True)  # status, words, whether it is known afterwards
        self.key = ""
        self.calls: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.left = threading.Event()
        """Set when a client ended a connection on which the server still spoke or stalled."""
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def asked(self, path: str = "/v1/completions") -> list[dict[str, Any]]:
        return [sent for where, sent, _ in self.calls if where == path]

    def answer_to(self, sent: dict[str, Any]) -> Answer:
        if callable(self.answers):
            return self.answers(sent)
        with self._lock:
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Elsewhere

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append((self.path, sent, dict(self.headers)))
        if self.server.key and self.headers["Authorization"] != f"Bearer {self.server.key}":
            self._say(401, "Unauthorized")
        elif self.path == "/v1/load_lora_adapter":
            status, words, known = self.server.load
            if known:
                self.server.adapters.add(sent["lora_name"])
            self._say(status, words)
        elif self.path == "/v1/unload_lora_adapter":
            self.server.adapters.discard(sent["lora_name"])
            self._say(200, "Success")
        elif self.path != "/v1/completions" or sent["model"] not in self.server.adapters:
            self._say(404, json.dumps({"error": {"message": "The model does not exist.", "code": 404}}))
        else:
            self._complete(self.server.answer_to(sent))

    def _complete(self, answer: Answer) -> None:
        if isinstance(answer[0], int):
            self._say(answer[0], "no")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with self._noting_who_leaves():
            for item in answer:
                if item in (STALL, PINGS):
                    self._wait(pinging=item == PINGS)
                    return
                if item == BREAK:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if item == END:
                    break
                self._event(item)
            else:
                self._chunk(b"data: [DONE]\n\n")
            self._chunk(b"")

    @contextlib.contextmanager
    def _noting_who_leaves(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            self.server.left.set()

    def _event(self, item: str | dict[str, Any]) -> None:
        if isinstance(item, str):
            said: dict[str, Any] = {"choices": [{"index": 0, "text": item, "finish_reason": None}]}
        elif "finish" in item:
            said = {"choices": [{"index": 0, "text": "", "finish_reason": item["finish"]}]}
        else:
            said = item
        self._chunk(b"data: " + json.dumps(said).encode() + b"\n\n")

    def _wait(self, *, pinging: bool) -> None:
        """Until the client goes."""
        for _ in range(200):
            if select.select([self.connection], [], [], 0.05)[0] and not self.connection.recv(1):
                self.server.left.set()
                return
            if pinging:
                self._chunk(b": still here\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _say(self, status: int, words: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(words.encode())))
        self.end_headers()
        self.wfile.write(words.encode())

    def log_message(self, *_arguments: object) -> None:
        """Nothing: what a test wants to know is in `calls`."""
