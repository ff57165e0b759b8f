"""Gradients of an adapter, folded into a few thousand numbers that keep the angles between them.

A count sketch: inner products stay what they were, on average. Charikar, Chen & Farach-Colton 2002,
https://doi.org/10.1007/3-540-45465-9_59
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from .lora import Lora

BITS = 13
SIZE = 1 << BITS
"""Numbers kept of a gradient. The cosine of two unlike gradients is off by about one in the square root of these."""
Array = NDArray[np.float32]


class Folds:
    """Where each weight of an adapter goes, and with which sign, when its gradient is folded."""

    def __init__(self, lora: Lora) -> None:
        self.places: dict[tuple[str, str], tuple[NDArray[np.int64], Array]] = {}
        begin = 0
        for side, tensors in (("down", lora.down), ("up", lora.up)):
            for name, values in tensors.items():
                mixed = _mixed(np.arange(begin, begin + values.numel(), dtype=np.uint64))
                signs = 1 - 2 * (mixed & np.uint64(1)).astype(np.float32)
                self.places[side, name] = ((mixed >> np.uint64(64 - BITS)).astype(np.int64), signs)
                begin += values.numel()

    def all_of(self, gradients: Sequence[Tensor]) -> Array:
        """Fold gradients that lie as `Lora.parameters` does: (SIZE,)."""
        found = np.zeros(SIZE, np.float32)
        for (side, name), gradient in zip(self.places, gradients, strict=True):
            self.add(found, side, name, gradient)
        return found

    def add(self, folded: Array, side: str, name: str, gradient: Tensor) -> None:
        """Fold the gradient of one of the adapter's tensors into (SIZE,) numbers."""
        buckets, signs = self.places[side, name]
        folded += np.bincount(buckets, gradient.float().cpu().numpy().ravel() * signs, SIZE).astype(np.float32)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """As good as random 64 bits of each number, the same on every machine. Steele, Lea & Flood 2014 (SplitMix64),
    https://doi.org/10.1145/2660193.2660195"""
    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def unit(rows: Array) -> Array:
    """Each row at length one; a row of zeros stays."""
    found: Array = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-30)
    return found
