"""Chooses the next token of one text, by its own random numbers and nobody else's."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.marks.text import Mark

TOP_MOST = 256
"""The likeliest tokens that may be drawn from, at most; `native/choice.c` has room for as many."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. Temperature 0 takes the likeliest. `repetition` above 1 makes used tokens less likely
    (Keskar et al. 2019, “CTRL”, section 4.1). Errors: ValueError for a `top_k` that is not from 1 to `TOP_MOST`."""

    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    repetition: float = 1.1

    def __post_init__(self) -> None:
        if not 1 <= self.top_k <= TOP_MOST:
            raise ValueError(f"top_k is {self.top_k}; choose from 1 to {TOP_MOST}")


class _Sampling(ctypes.Structure):
    _fields_ = [
        ("temperature", ctypes.c_double),
        ("top_p", ctypes.c_double),
        ("repetition", ctypes.c_float),
        ("top_k", ctypes.c_int32),
    ]


class Sampler:
    """Draws tokens for one text; the same seed, mark and logits give the same tokens. What is drawn at temperature 0
    leaves no choice, and so carries no mark."""

    def __init__(self, seed: int, sampling: Sampling, mark: Mark | None = None) -> None:
        self._random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed & (2**64 - 1))))
        self._how = _Sampling(sampling.temperature, sampling.top_p, sampling.repetition, sampling.top_k)
        self._key = mark.key if mark else None

    def choose(self, logits: NDArray[np.float32], used: Sequence[int], banned: Collection[int]) -> int:
        """A token by its logits (vocab,), which are left as they are, after the tokens of the text so far (`used`).
        Ties go to the lower token. `banned` are never chosen; errors: ValueError when that leaves none."""
        from .native.library import library

        written, never = array("i", used), array("i", set(banned))
        kept = array("f", bytes(4 * (len(written) + len(never))))
        token: int = library().choose_token(
            ctypes.c_void_p(logits.ctypes.data),
            len(logits),
            _at(written),
            len(written),
            _at(never),
            len(never),
            ctypes.byref(self._how),
            ctypes.c_double(0.0 if self._how.temperature <= 0 else self._random.random()),
            self._key,
            len(self._key or b""),
            _at(kept),
        )
        if token < 0:
            raise ValueError("every token is banned")
        return token


def _at(numbers: array[int] | array[float]) -> ctypes.c_void_p:
    return ctypes.c_void_p(numbers.buffer_info()[0])
