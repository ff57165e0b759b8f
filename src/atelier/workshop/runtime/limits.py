"""What a process may use, and that it dies with its parent. Works fully on Linux, as far as it goes elsewhere."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import resource
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
# The interpreter, the system's libraries, and our own; the last is the mark by which the supervisor finds orphans.
_NEEDED = (
    r"PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|LD_\w+|DYLD_\w+|PYTHON\w+|VIRTUAL_ENV|XDG_\w+"
    r"|ATELIER_(?:CACHE|EXTRA_ENGINES|SUPERVISED)"
)
# Threads, memory and accelerators of the libraries that compute.
_COMPUTING = r"(?:OMP|KMP|GOMP|MKL|OPENBLAS|MALLOC|CUDA|CUBLAS|NVIDIA|HIP|ROCR|HSA|TORCH|TORCHINDUCTOR|PYTORCH)_\w+"


def die_with(parent: int) -> None:
    """Be killed by the kernel when the thread that started this process ends, and at once if it ended already.

    Source: prctl(2), PR_SET_PDEATHSIG. Where there is no prctl, the end of standard input has to do.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def no_core_dumps() -> None:
    """A crash writes no memory to disk: it may hold a stranger's work."""
    _limit(resource.RLIMIT_CORE, 0)


def confine(memory_bytes: int, cpu_seconds: float, file_bytes: int) -> None:
    """Bound this process for good: address space, processor time, and the size of any file it writes."""
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CPU, int(cpu_seconds) + 1)
    _limit(resource.RLIMIT_FSIZE, file_bytes)


def step_back() -> None:
    """Leave processor, disk and, when memory runs out, life itself to the processes that answer people."""
    os.nice(15)
    with contextlib.suppress(Exception):
        import psutil

        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def peak_memory() -> int:
    """The most memory this process ever held, in bytes.

    VmHWM, because ru_maxrss also counts what the parent held when it started this process.
    """
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def bare_environment(engines: Iterable[str]) -> dict[str, str]:
    """Of this process's environment what engines need and nothing else: none of the site's secrets is among it.

    The settings of an engine itself are the variables that begin with `ATELIER_<NAME>_`; those that end in `_KEY` are
    secrets of its own, and hostile files are read where no secret is.
    """
    own = "|".join(re.sub(r"\W", "_", name).upper() for name in engines)
    needed = re.compile(rf"{_NEEDED}|{_COMPUTING}|ATELIER_(?:{own})_(?!(?:\w*_)?KEY$)\w+")
    return {name: value for name, value in os.environ.items() if needed.fullmatch(name)}


def _limit(kind: int, value: int) -> None:
    """Lower a limit; where the system knows none of the kind, or has a lower one already, leave it."""
    _, hard = resource.getrlimit(kind)
    if hard == resource.RLIM_INFINITY or value < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (value, value))
