"""Waits for work that cannot be asked to stop, without making whoever wants it stopped wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
BEAT_SECONDS = 0.25


def meanwhile(work: Callable[[], Result], tell: Callable[[], None]) -> Result:
    """What the work gives, done in a thread of its own; `tell` is called four times a second until then.

    What `tell` raises is raised at once, and the work goes on unheard; what the work raises is raised too.
    """
    given: list[Result] = []
    raised: list[BaseException] = []

    def run() -> None:
        try:
            given.append(work())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="meanwhile", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(BEAT_SECONDS)
        if thread.is_alive():
            tell()
    if raised:
        raise raised[0]
    return given[0]
