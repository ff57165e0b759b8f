"""Whose turn it is: start-time fair queueing over everyone a piece of work counts for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Waiting = TypeVar("Waiting")


class Turns:
    """Hands out turns so that each flow gets an equal share of the work while it has any waiting, whatever the others
    ask for. A piece counts for several flows (its creator, its viewer) and waits for the busiest of them.

    Goyal, Vin, Cheng 1996, “Start-time Fair Queuing”, https://doi.org/10.1145/248156.248171
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._ends: dict[str, float] = {}

    def copy(self) -> Turns:
        """The same state, to try out what would follow."""
        other = Turns()
        other._now, other._ends = self._now, dict(self._ends)
        return other

    def next(self, waiting: Sequence[Waiting], flows: Callable[[Waiting], Sequence[str]]) -> Waiting:
        """The one whose turn is earliest; of several, the one whose other flows had less; then whoever came first."""
        return min(waiting, key=lambda each: self._starts(flows(each)))

    def took(self, flows: Sequence[str], work: float) -> None:
        """Note that a turn was taken, for so much work."""
        self._now = start = self._starts(flows)[0]
        for flow in flows:
            self._ends[flow] = start + work
        # A flow whose last turn is over in this time has nothing left to wait for.
        self._ends = {flow: end for flow, end in self._ends.items() if end > start}

    def _starts(self, flows: Sequence[str]) -> list[float]:
        """When each flow may have its next turn, the latest first."""
        return sorted([self._now, *(max(self._now, self._ends.get(flow, 0.0)) for flow in flows)], reverse=True)
