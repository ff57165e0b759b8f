"""The settings of a training run, each with the bounds inside which it makes sense."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from atelier.workshop.recipes import overridden

STEPS_LEAST, STEPS_MOST = 7, 400
"""With fewer nothing is learned even from few works; the most take about twenty minutes on two cores."""


@dataclass(frozen=True)
class Recipe:
    """How an adapter is trained and tried out. `longest` is in tokens, `batch` in examples; with `house` 1 it
    begins from the house skill where that fits the base and the rank.

    No `epochs` means as many as suit the number of works: each once and seven batches more. Few works are so seen
    more often; of a hundred, a second look taught nothing (measured: best at the end of the first).
    """

    rank: int = 16
    alpha: float = 32.0
    learning_rate: float = 2e-3
    warmup: float = 0.1
    clip: float = 1.0
    batch: int = 4
    epochs: float = 0.0
    checks: int = 6
    longest: int = 512
    temperature: float = 0.8
    top_p: float = 0.95
    samples: int = 12
    words: int = 120
    threads: int = 0
    house: int = 1

    def cores(self) -> int:
        """Threads to compute on: as set, else all cores of the machine up to eight."""
        return self.threads or min(8, os.cpu_count() or 1)

    def steps(self, count: int) -> int:
        """Optimiser steps for so many examples."""
        if self.epochs:
            return math.ceil(count * self.epochs / self.batch)
        return min(STEPS_MOST, math.ceil(count / self.batch) + STEPS_LEAST)

    def as_dict(self) -> dict[str, float | int]:
        return asdict(self)


_BOUNDS: dict[str, tuple[float, float]] = {
    "rank": (1, 16),
    "alpha": (0.1, 256),
    "learning_rate": (1e-6, 0.1),
    "warmup": (0, 0.5),
    "clip": (0.01, 100),
    "batch": (1, 64),
    "epochs": (0, 50),
    "checks": (1, 50),
    "longest": (64, 2048),
    "temperature": (0.05, 2),
    "top_p": (0.05, 1),
    "samples": (1, 32),
    "words": (8, 400),
    "threads": (0, 256),
    "house": (0, 1),
}


def recipe(overrides: Mapping[str, float | int | str | bool]) -> Recipe:
    """The engine's own recipe with these settings instead. Errors: RecipeInvalid naming the setting."""
    return overridden(Recipe(), _BOUNDS, overrides)
