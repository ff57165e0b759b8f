"""What the person at the terminal sees: news as lines, the present state in one line that stays at the bottom."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from typing import TextIO

_ROUTINE = re.compile(r"^(INFO|DEBUG)\b")


class Console:
    """Lines and one status line on `stream`; where that is no terminal, the status is a line when it changes."""

    def __init__(self, stream: TextIO | None = None, *, verbose: bool = False) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._verbose = verbose
        self._status = ""

    def say(self, words: str) -> None:
        """News: a line that stays."""
        self._write(f"\r\033[K{words}\n{self._fitted()}" if self._live else f"{words}\n")

    def status(self, words: str) -> None:
        """The present state; said only when it differs from what stands there."""
        if words != self._status:
            self._status = words
            self._write(f"\r\033[K{self._fitted()}" if self._live else f"{words}\n")

    def quote(self, name: str, line: str) -> None:
        """What a child says, marked with its name; routine lines are left to the log file unless verbose."""
        if self._verbose or not _ROUTINE.match(line):
            self.say(f"{name:>8} │ {line}")

    def end(self) -> None:
        """Removes the status line."""
        if self._live and self._status:
            self._write("\r\033[K")
        self._status = ""

    def _fitted(self) -> str:
        return self._status[: shutil.get_terminal_size().columns - 1]

    def _write(self, text: str) -> None:
        # A closed terminal is no reason to stop serving.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()
