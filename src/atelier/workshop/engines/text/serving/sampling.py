"""Chooses the next token of one text, by its own random numbers and nobody else's."""

from __future__ import annotations

import ctypes
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.marks.text import Mark


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. Temperature 0 takes the likeliest. `repetition` above 1 makes used tokens less likely
    (Keskar et al. 2019, “CTRL”, section 4.1)."""

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    repetition: float = 1.1


class Sampler:
    """Draws tokens for one text; the same seed, mark and logits give the same tokens. What is drawn at temperature 0
    leaves no choice, and so carries no mark."""

    def __init__(self, seed: int, sampling: Sampling, mark: Mark | None = None) -> None:
        self._random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed & (2**64 - 1))))
        self._how = sampling
        self._mark = mark

    def choose(self, logits: NDArray[np.float32], used: Sequence[int], banned: Collection[int]) -> int:
        """A token by its logits (vocab,), which are left as they are, after the tokens of the text so far (`used`).
        Ties go to the lower token."""
        most = 1 if self._how.temperature <= 0 else self._how.top_k
        tokens, scores = top(logits, used, self._how.repetition, banned, most)
        if most == 1:
            return int(tokens[0])
        weights = np.exp((scores.astype(np.float64) - scores[0]) / self._how.temperature)
        heaped = np.cumsum(weights / weights.sum())
        heaped = heaped[: int(np.searchsorted(heaped, self._how.top_p)) + 1]
        if self._mark is not None:
            chances = weights[: heaped.size]
            heaped = np.cumsum(self._mark.lean(used, tokens[: heaped.size], chances / chances.sum()))
        drawn = self._random.random() * heaped[-1]
        return int(tokens[min(int(np.searchsorted(heaped, drawn, side="right")), heaped.size - 1)])


def top(
    logits: NDArray[np.float32], used: Collection[int], repetition: float, banned: Collection[int], most: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The likeliest tokens and their scores, best first, after used ones were made less likely and banned ones
    impossible. The logits are written to while it runs, and as before when it returns."""
    from .native.library import library

    repeated = np.array(sorted(set(used)) if repetition != 1 else [], np.int32)
    never = np.array(sorted(set(banned)), np.int32)
    tokens, scores = np.empty(most, np.int32), np.empty(most, np.float32)
    kept = np.empty(len(repeated) + len(never), np.float32)
    at = [ctypes.c_void_p(each.ctypes.data) for each in (logits, repeated, never, tokens, scores, kept)]
    found = library().choose_top(
        at[0], len(logits), at[1], len(repeated), ctypes.c_float(repetition), at[2], len(never), most, *at[3:]
    )
    return tokens[:found], scores[:found]
