"""Finds what a supervisor that was killed without a word has left running on a data folder, and ends it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

MARK = "ATELIER_SUPERVISED"


def end_leftovers(data: Path) -> int:
    """Kills every process that carries our mark for this folder; how many there were.

    Only called while the folder's lock is held, so whoever carries the mark has lost its supervisor. Processes of
    other users cannot be read and are left alone.
    """
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid not in mine and process.environ().get(MARK) == str(data):
                process.kill()
                found.append(process)
    psutil.wait_procs(found, timeout=5)
    return len(found)


def reap_strangers(children: set[int]) -> None:
    """As process 1 of a container, collects the orphans that end here; children of ours are left to their owners."""
    if os.getpid() != 1:
        return
    with contextlib.suppress(ChildProcessError):
        while (seen := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and seen.si_pid not in children:
            os.waitpid(seen.si_pid, os.WNOHANG)
