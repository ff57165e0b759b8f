"""Notices files that are written where they must not be, through the interpreter's audit events (PEP 578)."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_EVENTS = ("os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "os.truncate")
_SYSTEM = ("/dev", "/proc", "/sys")


class _Watcher:
    """Holds the writes seen outside the folders that are allowed."""

    def __init__(self, allowed: list[Path]) -> None:
        self.allowed = [str(place) for folder in allowed for place in {folder.absolute(), folder.resolve()}]
        self.seen: list[str] = []

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            paths = [path] if (flags or 0) & _WRITING or set(mode or "") & set("wax+") else []
        else:
            paths = list(arguments[:2]) if event in ("os.rename", "os.link") else [arguments[0]]
        for path in paths:
            if isinstance(path, str | bytes | os.PathLike) and not self._may(
                os.path.normpath(Path(os.fsdecode(path)).absolute())
            ):
                self.seen.append(f"{event} {os.fsdecode(path)}")

    def _may(self, path: str) -> bool:
        if "__pycache__" in path:  # the interpreter's own
            return True
        return any(path == folder or path.startswith(f"{folder}{os.sep}") for folder in (*self.allowed, *_SYSTEM))


_watchers: list[_Watcher] = []
_lock = threading.Lock()
_hooked = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watchers and (event == "open" or event in _EVENTS):
        for watcher in list(_watchers):
            watcher.note(event, arguments)


@contextmanager
def writes_outside(allowed: list[Path]) -> Iterator[list[str]]:
    """A list that grows with each write of any thread outside the allowed folders while the block runs.

    Sees what goes through Python; writes by native code on its own are not seen.
    """
    global _hooked
    watcher = _Watcher(allowed)
    with _lock:
        if not _hooked:
            sys.addaudithook(_hook)
            _hooked = True
        _watchers.append(watcher)
    try:
        yield watcher.seen
    finally:
        with _lock:
            _watchers.remove(watcher)
