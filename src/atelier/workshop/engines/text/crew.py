"""Computes on several cores, one thread a piece of work, while the caller's thread keeps reporting.

Pieces side by side, each on one core, beat one piece spread over all cores: nothing waits at barriers, which on a busy
machine made a training step ten times slower (measured), and a result does not depend on how many cores there are.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

BEAT = 0.25
"""Seconds between two calls of `beat` at most."""


class Crew:
    """Threads to hand pieces of work to. `beat` is called meanwhile; what it raises, as Cancelled, ends the wait."""

    def __init__(self, pool: ThreadPoolExecutor, cores: int, beat: Callable[[], None]) -> None:
        self._pool, self.cores, self._beat = pool, cores, beat

    def map(self, work: Callable[[Task], Result], tasks: Iterable[Task]) -> list[Result]:
        """Do the work for every task; results in the order of the tasks. Errors: the first that a task raised."""
        futures = [self._pool.submit(work, task) for task in tasks]
        try:
            open_ones = set(futures)
            while open_ones:
                done, open_ones = wait(open_ones, timeout=BEAT)
                for future in done:
                    future.result()
                self._beat()
        finally:
            for future in futures:
                future.cancel()
        return [future.result() for future in futures]


@contextmanager
def crew(cores: int, beat: Callable[[], None]) -> Iterator[Crew]:
    """A crew of so many threads. On the way out through an error, nobody waits for pieces still in work."""
    hold()
    pool = ThreadPoolExecutor(max_workers=cores, thread_name_prefix="text", initializer=_alone)
    try:
        yield Crew(pool, cores, beat)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _alone() -> None:
    """One thread computes on one core. Importing torch takes seconds: it is done here, where somebody reports."""
    import torch

    torch.set_num_threads(1)


def hold() -> None:
    """Use memory that was freed again in place of asking the system for fresh, where the C library may be told (glibc).

    Else every large tensor comes in new pages, which the system must clear first: a third of a step (measured).
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            library = ctypes.CDLL(None)
            for setting, value in _HELD.items():
                library.mallopt(setting, value)


_HELD = {-8: 1, -3: 1 << 30, -1: (1 << 31) - 1, -2: 64 << 20}
"""glibc's M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD: one pool of memory for all threads, from which
tensors up to 1 GB come and to which they go back. man 3 mallopt."""


def release() -> None:
    """Give memory that was freed back to the system, where the C library keeps it (glibc), else it piles up."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
