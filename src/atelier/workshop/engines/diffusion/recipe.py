"""The settings of a training run, each with the bounds inside which it makes sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from atelier.workshop.recipes import overridden

STEPS_A_WORK, STEPS_LEAST, STEPS_MOST = 30, 300, 1500


@dataclass(frozen=True)
class Recipe:
    """How an adapter is trained and tried out; the usual values are those that others report for LoRA on Stable
    Diffusion, not measured here. No `steps` means as many as suit the number of works.

    `words_dropped` is the share of looks without words, which guidance needs; `draws` how many noises each held-out
    work is measured under; `samples` how many pictures are made for the proof, in `sample_steps` steps.
    """

    rank: int = 16
    learning_rate: float = 1e-4
    warmup: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    batch: int = 2
    steps: int = 0
    checks: int = 10
    patience: int = 3
    words_dropped: float = 0.1
    draws: int = 8
    samples: int = 8
    sample_steps: int = 20

    def steps_for(self, works: int) -> int:
        return self.steps or min(STEPS_MOST, max(STEPS_LEAST, STEPS_A_WORK * works))

    def as_dict(self) -> dict[str, float | int]:
        return asdict(self)


_BOUNDS: dict[str, tuple[float, float]] = {
    "rank": (1, 64),
    "learning_rate": (1e-7, 0.1),
    "warmup": (0, 0.5),
    "weight_decay": (0, 1),
    "clip": (0.01, 100),
    "batch": (1, 64),
    "steps": (0, 20_000),
    "checks": (1, 100),
    "patience": (1, 100),
    "words_dropped": (0, 0.9),
    "draws": (1, 64),
    "samples": (2, 64),
    "sample_steps": (1, 100),
}


def recipe(overrides: Mapping[str, float | int | str | bool]) -> Recipe:
    """The engine's own recipe with these settings instead. Errors: RecipeInvalid naming the setting."""
    return overridden(Recipe(), _BOUNDS, overrides)
