"""Child processes that answer JSON lines, die with this process, and leave the last they said when they crash."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# The kernel kills a child when the *thread* that started it ends, so children are started from a thread that stays.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")

_TAIL_BYTES = 4000
_LINE_BYTES = 64_000_000


class Gone(Exception):
    """The child ended, or said something that is not an answer."""


class Child:
    """One child process: `send` requests, `receive` answers. Used by one thread at a time; `kill` from any."""

    def __init__(self, mode: str, environment: dict[str, str]) -> None:
        # -P: the current folder is not searched for modules, since strangers' files may lie there.
        command = [sys.executable, "-P", "-m", "atelier.workshop.runtime.child", mode, str(os.getpid())]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the child)
        self._process = _spawner.submit(self._start, command, environment).result()
        self._buffer = b""
        self._killed = False

    def _start(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            env=environment,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, request: dict[str, Any]) -> None:
        """Errors: Gone when the child no longer listens."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise Gone("it no longer listens") from error

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """The next answer, or None when none came in time. Errors: Gone."""
        assert self._process.stdout is not None
        end = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        while b"\n" not in self._buffer:
            left = end - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                return None
            chunk = os.read(self._process.stdout.fileno(), 1 << 16)
            if not chunk or len(self._buffer) > _LINE_BYTES:
                raise Gone("it ended without an answer")
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise Gone("its answer is not JSON") from error
        if not isinstance(answer, dict):
            raise Gone("its answer is not an object")
        return answer

    def terminate(self, grace_seconds: float) -> None:
        """Ask the child to stop, and kill it when it has not after the grace."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        end = time.monotonic() + grace_seconds
        with contextlib.suppress(Gone):
            # What it still says is read, or it might wait for ever for room in the pipe.
            while (left := end - time.monotonic()) > 0:
                self.receive(left)
        self.kill()

    def kill(self) -> None:
        """End the child and everything it started, at once. May be called twice."""
        if not self._killed:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._killed = True
        self._process.wait()

    def close(self) -> None:
        """Kill the child and free what was held for it."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(OSError):
                assert pipe is not None
                pipe.close()

    def last_words(self) -> str:
        """The end of what the child wrote to standard error."""
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - _TAIL_BYTES))
        return self._errors.read().decode(errors="replace").strip()
