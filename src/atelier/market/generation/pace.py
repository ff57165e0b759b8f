"""How long something will take, told from how fast it went so far."""

from __future__ import annotations

from atelier.workshop.contract import Progress

# Less than this tells nothing of what comes.
LEAST_SECONDS = 1.0


class Pace:
    """The time left of one generation: until its turn comes while it waits, until it is done while it is written.

    What the engine says goes before. Else the time since the first news is taken, and how many of those ahead, or of
    the steps planned, went by in it; None as long as nothing did.
    """

    def __init__(self) -> None:
        self._waits: bool | None = None
        self._since = 0.0
        self._at_first = 0

    def seconds_left(self, progress: Progress, now: float) -> float | None:
        """Seconds left at `now`, in seconds of any clock that never goes back."""
        waits = progress.ahead is not None
        left = progress.ahead + 1 if progress.ahead is not None else progress.planned - progress.done
        if waits is not self._waits:
            self._waits, self._since, self._at_first = waits, now, left
        if progress.seconds_left is not None:
            return progress.seconds_left
        passed, went_by = now - self._since, self._at_first - left
        if went_by <= 0 or passed < LEAST_SECONDS:
            return None
        return round(passed * left / went_by, 1)
