"""Progress that a person can trust: one plan for the whole job, made at its start, that never goes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from atelier.workshop.contract import Progress, Report

QUIET = 0.2
"""Seconds between two reports at most as frequent as this; a change of stage is always reported."""


class Plan:
    """Knows how much of each stage is done and how long the rest takes.

    Effort is in whatever an engine counts, such as tokens read forward once. A stage that ends early, as by early
    stopping, counts as done.
    """

    def __init__(self, report: Report, efforts: Mapping[str, float], unit: float = 256) -> None:
        self._report, self._efforts = report, dict(efforts)
        self._planned = max(1, round(sum(efforts.values()) / unit))
        self._begin = self._told = time.monotonic()
        self._before, self._in_stage = 0.0, 0.0
        self._stage, self._reason, self._note = "", "", ""
        self._metrics: dict[str, float] = {}
        self._highest = 0
        self._settled: tuple[float, float] = (0.0, 0.0)
        self._lock = threading.Lock()

    def add(self, efforts: Mapping[str, float]) -> None:
        """Stages that nobody could foresee, to come right after the present one, which is over. What is left of the
        plan, in the same units as before, is then shared by more effort: so it still never goes back."""
        effort = self._before + self._efforts[self._stage]
        self._settled = (effort, self._share(effort))
        names = list(self._efforts)
        place = names.index(self._stage) + 1
        items = list(self._efforts.items())
        self._efforts = dict([*items[:place], *efforts.items(), *items[place:]])
        self._in_stage = self._efforts[self._stage]

    def enter(self, stage: str, note: str = "", *, reason: str = "") -> None:
        """Begin a stage of the plan, the ones before it being done; the reason stays with all its notes. Reports."""
        names = list(self._efforts)
        self._before = sum(self._efforts[name] for name in names[: names.index(stage)])
        self._stage, self._in_stage, self._reason, self._note = stage, 0.0, reason, note
        self.tell()

    def because(self, reason: str) -> None:
        """Another reason for the rest of the stage."""
        self._reason = reason

    def count(self, effort: float) -> None:
        """Count effort as done without a report. Any thread may call it."""
        with self._lock:
            self._in_stage = min(self._in_stage + effort, self._efforts[self._stage])

    def advance(self, effort: float = 0.0, note: str | None = None, **metrics: float) -> None:
        """Count effort as done. Reports, unless it did so a moment ago. Errors: whatever the report raises."""
        self.count(effort)
        self._metrics.update(metrics)
        self._note = self._note if note is None else note
        if metrics or time.monotonic() - self._told >= QUIET:
            self.tell()

    def finish(self, note: str = "") -> None:
        """Everything is done."""
        self._before, self._in_stage = sum(self._efforts.values()), 0.0
        self._reason, self._note = "", note
        self._highest = self._planned
        self.tell()

    def tell(self) -> None:
        """Report where things stand now."""
        self._told = time.monotonic()
        effort = self._before + self._in_stage
        self._highest = max(self._highest, min(self._planned, int(self._share(effort) * self._planned + 1e-9)))
        spent, total = self._told - self._begin, sum(self._efforts.values())
        left = spent / effort * (total - effort) if effort > 0.02 * total else None
        self._report(
            Progress(
                stage=self._stage,
                done=self._highest,
                planned=self._planned,
                seconds_left=None if left is None else round(max(0.0, left), 1),
                note=": ".join(part for part in (self._reason, self._note) if part),
                metrics=dict(self._metrics),
            )
        )

    def _share(self, effort: float) -> float:
        """How much of the plan is done once so much effort was spent: 0 to 1."""
        begin, done = self._settled
        total = sum(self._efforts.values())
        return done + (1 - done) * (effort - begin) / (total - begin) if total > begin else 1.0
