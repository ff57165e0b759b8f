"""Chooses the next token of one text, by its own random numbers and nobody else's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. Temperature 0 takes the likeliest. `repetition` above 1 makes used tokens less likely
    (Keskar et al. 2019, “CTRL”, section 4.1)."""

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    repetition: float = 1.1


class Sampler:
    """Draws tokens for one text; the same seed and logits give the same tokens."""

    def __init__(self, seed: int, sampling: Sampling) -> None:
        self._random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed & (2**64 - 1))))
        self._how = sampling

    def choose(self, logits: NDArray[np.float32], used: Collection[int], banned: Collection[int]) -> int:
        """A token by its logits (vocab,), which are left as they are. Ties go to the lower token."""
        scores = logits.copy()
        if used and self._how.repetition != 1:
            places = np.fromiter(set(used), np.int64)
            held = scores[places]
            scores[places] = np.where(held > 0, held / self._how.repetition, held * self._how.repetition)
        if banned:
            scores[np.fromiter(banned, np.int64)] = -np.inf
        if self._how.temperature <= 0:
            return int(scores.argmax())
        likeliest = np.argpartition(-scores, self._how.top_k)[: self._how.top_k]
        order = likeliest[np.lexsort((likeliest, -scores[likeliest]))]
        weights = np.exp((scores[order].astype(np.float64) - scores[order[0]]) / self._how.temperature)
        heaped = np.cumsum(weights / weights.sum())
        kept = int(np.searchsorted(heaped, self._how.top_p)) + 1
        drawn = self._random.random() * heaped[min(kept, heaped.size) - 1]
        return int(order[min(int(np.searchsorted(heaped, drawn, side="right")), heaped.size - 1)])
