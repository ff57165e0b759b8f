"""Children that end with their parent, come back when they are killed, and whose output is kept.

Everything here runs in one thread: the death signal of a child is tied to the thread that started it, and a fork is
only safe for `preexec_fn` while no second thread holds a lock.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import logging.handlers
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .identity import Identity

BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_AFTER = 30.0
LOG_BYTES, LOG_FILES = 5_000_000, 3
_PR_SET_PDEATHSIG = 1
# Resolved before any fork: a child between fork and exec may not load a library.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Program:
    """How one child is run. Times in seconds; `death_signal` is what it gets when this process dies without a word."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path = Path("/")
    identity: Identity | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 5.0
    death_signal: signal.Signals = signal.SIGKILL
    takes_group_along: bool = True
    echo: bool = True


def spawn(program: Program, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """The program started in a session of its own, with the identity it names and its death tied to ours (Linux).

    Errors: OSError when the command cannot be run.
    """
    parent = os.getpid()
    death = int(program.death_signal)

    def tie_to_parent() -> None:
        # After setuid, which clears the setting. A parent that died before this line is no longer our parent.
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, death, 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    who = program.identity
    return subprocess.Popen(
        program.command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(program.env),
        cwd=program.cwd,
        start_new_session=True,
        user=who.uid if who else None,
        group=who.gid if who else None,
        extra_groups=[] if who else None,
        umask=0o077,
        preexec_fn=tie_to_parent,
    )


class _Log(logging.handlers.RotatingFileHandler):
    """A log that is left out when it cannot be written: a full disk is said on the console, and stops nothing."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


@dataclass
class Child:
    """One program kept running: start it, pump its output, let `attend` bring it back when it ends."""

    program: Program
    log_file: Path
    hear: Callable[[str, str], None]
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    _started: float = 0.0
    _not_before: float = 0.0
    _failures: int = 0
    _rest: bytes = b""
    _last: deque[str] = field(default_factory=lambda: deque(maxlen=12))
    _log: logging.Handler | None = None

    @property
    def running(self) -> bool:
        """Whether the process lives now (a zombie is reaped here)."""
        return self.process is not None and self.process.poll() is None

    @property
    def last_lines(self) -> list[str]:
        """The last lines it said, oldest first."""
        return list(self._last)

    def start(self) -> None:
        """Runs the program now. Errors: OSError."""
        if self._log is None:
            self.log_file.parent.mkdir(parents=True, exist_ok=True)
            self._log = _Log(self.log_file, maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
        self._started = time.monotonic()
        self.process = spawn(self.program, subprocess.PIPE)
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)

    def pump(self) -> None:
        """Reads what the child has said since, without waiting: into its log file, and line by line to `hear`."""
        if self.process is None or self.process.stdout is None or self.process.stdout.closed:
            return
        while True:
            try:
                piece = os.read(self.process.stdout.fileno(), 65536)
            except BlockingIOError:
                return
            except OSError:
                break
            if not piece:
                break
            *lines, self._rest = (self._rest + piece).split(b"\n")
            for line in lines:
                self._take(line)
        if self._rest:
            self._take(self._rest)
            self._rest = b""
        self.process.stdout.close()

    def _take(self, raw: bytes) -> None:
        line = raw.decode("utf-8", "replace").rstrip("\r")
        self._last.append(line)
        if self._log is not None:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
            record = logging.LogRecord(self.program.name, logging.INFO, "", 0, f"{stamp} {line}", None, None)
            self._log.emit(record)
        self.hear(self.program.name, line)

    def attend(self) -> int | None:
        """Brings the child back when it has ended, after a pause that grows with quick failures.

        Returns the exit code when it was seen to end in this call, else None.
        """
        self.pump()
        if self.running:
            return None
        now = time.monotonic()
        ended: int | None = None
        if self.process is not None:
            ended = self.process.returncode
            self._clear_group()
            # What it said between the look at its pipe and its end is most likely why it ended.
            self.pump()
            self.process = None
            self._failures = 0 if now - self._started > STEADY_AFTER else self._failures + 1
            self._not_before = now + BACK_OFF[min(self._failures, len(BACK_OFF) - 1)]
        elif now >= self._not_before:
            self.restarts += 1
            self.start()
        return ended

    def _clear_group(self) -> None:
        """What the child itself had started goes with it, so that its successor finds nobody in its place."""
        if self.process is not None and self.program.takes_group_along:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def ask_to_stop(self) -> None:
        """Sends the stop signal; returns at once."""
        if self.running:
            assert self.process is not None
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(self.program.stop_signal)

    def finish(self) -> None:
        """Ends what is left of it, without mercy."""
        if self.running:
            assert self.process is not None
            self.process.kill()
            self.process.wait()
        self._clear_group()
        self.pump()
        if self._log is not None:
            with contextlib.suppress(OSError):
                self._log.close()


def stop_all(children: list[Child], *, hurry: Callable[[], bool] = lambda: False) -> None:
    """Asks every child to stop, waits for each at most its own grace, then kills. `hurry` cuts the waiting short."""
    begun = time.monotonic()
    for child in children:
        child.ask_to_stop()
    waiting = list(children)
    while waiting and not hurry():
        waiting = [c for c in waiting if c.running and time.monotonic() - begun < c.program.grace]
        for child in children:
            child.pump()
        time.sleep(0.02)
    for child in children:
        child.finish()
