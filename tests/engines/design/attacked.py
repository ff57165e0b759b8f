"""Inspects every file of a folder, watched: told in JSON lines are what came of each, and all that it reached for.

Run by `test_hostile` as a process of its own, so that what a file breaks is not the tests.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

from atelier.workshop.contract import Unreadable, Upload
from atelier.workshop.engines.design.reading import inspect

SECONDS = 10
MEMORY = 3 << 30
"""Addresses, not memory: libraries reserve far more than they use."""
FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "urllib.")


class Watch:
    """Notes each file that is opened outside some folders, and each try to reach anything else."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.allowed: tuple[str, ...] | None = None
        sys.addaudithook(self._heard)

    def _heard(self, event: str, told: tuple[Any, ...]) -> None:
        if self.allowed is None:
            return
        if event.startswith(FORBIDDEN):
            self.reached.append(event)
        elif event == "open" and isinstance(told[0], str | bytes) and not os.fsdecode(told[0]).startswith(self.allowed):
            self.reached.append(f"open {os.fsdecode(told[0])}")


def inspected(path: Path, workspace: Path, watch: Watch) -> dict[str, Any]:
    data = path.read_bytes()
    upload = Upload(path=str(path), filename=path.name, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    found: dict[str, Any] = {"name": path.name}
    # What a library loads the first time it is used (modules, its own data) is not the file's doing.
    watch.reached, watch.allowed = [], (str(path), str(workspace), sys.prefix, sys.base_prefix, str(SOURCE))
    began = time.process_time()
    try:
        found["inspection"] = inspect(upload, workspace, bytes_max=20_000_000).model_dump(mode="json")
    except Unreadable as error:
        found["refused"] = [error.where, error.message, error.remedy]
    except BaseException as error:  # everything else is what the test looks for
        found["broken"] = repr(error)[:300]
    watch.allowed = None
    found["seconds"] = time.process_time() - began
    found["reached"] = watch.reached
    found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


SOURCE = Path(inspect.__code__.co_filename).parents[5]


def main(folder: Path, workspace: Path) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    watch = Watch()
    for number, path in enumerate(sorted(folder.iterdir())):
        signal.alarm(12 * SECONDS)  # of the clock; a file that hangs ends the process, and the test names it
        print(json.dumps({"begun": path.name}), flush=True)
        print(json.dumps(inspected(path, workspace / str(number), watch)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
