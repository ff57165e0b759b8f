"""Where strangers' files are read: processes with little memory, little time, no secrets and no future."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from pathlib import Path
from typing import Any

from atelier.workshop.contract import Busy, OverTime, Unreadable, engines

from .limits import bare_environment
from .processes import Child, Gone
from .wire import error_from_wire

log = logging.getLogger(__name__)

MEMORY_BYTES = 2 << 30
FILE_BYTES = 512 << 20
_START_SECONDS = 30
_IDLE_SECONDS = 30.0
_CHILD_CALLS = 500
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Sandbox:
    """Runs `inspect` and `export` requests, each in a fork of its own, at most one a processor at a time.

    The process that forks is kept for the next request and started anew after a failure, after many requests, and
    after it stood idle for half a minute.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES) -> None:
        self._memory_bytes = memory_bytes
        self._room = threading.BoundedSemaphore(os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._idle: list[tuple[Child, int]] = []
        self._busy: set[Child] = set()
        self._timer: threading.Timer | None = None
        self._closed = False

    def call(self, request: dict[str, Any], seconds: float, where: str) -> dict[str, Any]:
        """The result of a request. `where` names the file to a person.

        Errors: OverTime; Unreadable when the reader crashed or wanted too much memory; Busy when no process can be
        kept running; all of the contract.
        """
        request = {**request, "seconds": seconds, "memory_bytes": self._memory_bytes, "file_bytes": FILE_BYTES}
        with self._room:
            with contextlib.suppress(Gone):
                return self._attempt(request, seconds, where)
            # The process was killed while it waited, before it saw the file: that is not the file's fault.
            try:
                return self._attempt(request, seconds, where)
            except Gone as error:
                raise Busy(f"No process could be started to read “{where}”.") from error

    def close(self) -> None:
        """Kill every process, busy or not."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
            if self._timer:
                self._timer.cancel()
        for child, _ in idle:
            child.close()
        for child in busy:
            child.kill()

    def _attempt(self, request: dict[str, Any], seconds: float, where: str) -> dict[str, Any]:
        """The result of a request. Errors: Gone when the process ended before it began to read; those of `call`."""
        child, calls = self._take()
        healthy = False
        try:
            child.send(request)
            if child.receive(_START_SECONDS) != {"started": True}:
                raise Gone("it does not start")
            answer = self._read(child, seconds, where)
            healthy = "crash" not in answer
            return self._result(child, answer, where)
        finally:
            self._give_back(child, calls + 1, healthy)

    def _read(self, child: Child, seconds: float, where: str) -> dict[str, Any]:
        """The answer as it came; `{"crash": …}` when there is none."""
        try:
            answer = child.receive(seconds)
        except Gone:
            return {"crash": "gone"}
        if answer is None or answer.get("crash") == -signal.SIGXCPU:
            raise OverTime(
                f"It took longer than {seconds:g} seconds.", where=where, remedy="Try a smaller or simpler file."
            )
        return answer

    def _result(self, child: Child, answer: dict[str, Any], where: str) -> dict[str, Any]:
        if isinstance(answer.get("result"), dict):
            return dict(answer["result"])
        if isinstance(answer.get("error"), dict):
            raise error_from_wire(answer["error"])
        log.error("the process that read %r failed (%s): %s", where, answer.get("crash"), child.last_words())
        if answer.get("crash") == "memory":
            raise Unreadable("Reading it needs too much memory.", where=where, remedy="Try a smaller or simpler file.")
        raise Unreadable(
            "The file could not be read: the reader failed on it.",
            where=where,
            remedy="Save it anew, in another format if you can, and upload that.",
        )

    def _take(self) -> tuple[Child, int]:
        with self._lock:
            if self._closed:
                raise Gone("the sandbox is closed")
            child, calls = self._idle.pop() if self._idle else (None, 0)
        if child is None:
            child = Child("sandbox", bare_environment(engines()) | ONE_THREAD)
        with self._lock:
            self._busy.add(child)
        return child, calls

    def _give_back(self, child: Child, calls: int, healthy: bool) -> None:
        with self._lock:
            self._busy.discard(child)
            keep = healthy and not self._closed and calls < _CHILD_CALLS
            if keep:
                self._idle.append((child, calls))
                if self._timer:
                    self._timer.cancel()
                self._timer = threading.Timer(_IDLE_SECONDS, self._drop_idle)
                self._timer.daemon = True
                self._timer.start()
        if not keep:
            child.close()

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for child, _ in idle:
            child.close()


def upload_name(filename: str) -> str:
    """The last part of a name a person sent, for use in messages."""
    return Path(filename.replace("\\", "/")).name or "file"
