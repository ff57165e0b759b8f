"""Near copies of pictures by PDQ: 256 bits of how light lies over a picture.

Dalins, Wilson, Boudry 2019, https://arxiv.org/abs/1912.07745; the steps and their sizes are those of Meta's reference,
https://github.com/facebook/ThreatExchange/tree/main/pdq, whose bindings come as source that wants a C++ compiler.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import Fingerprint

SCHEME = "pdq-1"
SIDE = 512
"""Pixels a side of which a fingerprint is taken at most: more tell nothing more."""
NEAR_BITS = 31
"""Pictures that differ in no more bits are near copies; the bound is PDQ's own. 0 of 174 strangers were as near."""
NEAR_AT = 1 - NEAR_BITS / 128
_GRID, _WAVES = 64, 16
Array = NDArray[np.float64]


def fingerprint(pixels: NDArray[np.uint8]) -> Fingerprint:
    """Of an opaque picture (height, width, 3 or 4)."""
    packed = _packed(_waves(pixels))
    # 32 bands of a byte each: two hashes with 31 or fewer different bits have at least one in common.
    bands = tuple(number << 8 | byte for number, byte in enumerate(packed))
    return Fingerprint(scheme=SCHEME, value=packed.hex(), bands=bands)


def turned(pixels: NDArray[np.uint8]) -> list[str]:
    """The values of a picture's eight turns and mirrors, itself first: a copy is often mirrored."""
    plain = _waves(pixels)
    # A wave of odd number changes its sign when it is mirrored, one of even number is its own mirror.
    signs = np.where(np.arange(1, _WAVES + 1) % 2, -1.0, 1.0)
    mirrored = (plain, plain * signs, plain * signs[:, None], plain * signs * signs[:, None])
    return [_packed(each).hex() for waves in mirrored for each in (waves, waves.T)]


def similarity(left: Fingerprint, right: Fingerprint) -> float:
    """1 for the same picture, 0 for two that have nothing in common (half of the bits differ)."""
    if left.scheme != SCHEME or right.scheme != SCHEME:
        return 0.0
    return max(0.0, 1 - distance(left.value, right.value) / 128)


def distance(left: str, right: str) -> int:
    """How many of the 256 bits differ."""
    return (int(left, 16) ^ int(right, 16)).bit_count()


def _waves(pixels: NDArray[np.uint8]) -> Array:
    """The 16 by 16 slowest waves of light over a picture, without the even light (a discrete cosine transform)."""
    light = pixels[..., :3].astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    rows, columns = (((np.arange(_GRID) + 0.5) * size / _GRID).astype(int) for size in light.shape)
    light = _blurred(_blurred(light, 1), 0)
    light = _blurred(_blurred(light, 1, columns), 0, rows)  # the second time only where it is looked at
    matrix = _cosines()
    return np.asarray(matrix @ light @ matrix.T)


def _blurred(light: Array, axis: int, places: NDArray[np.intp] | None = None) -> Array:
    """Along an axis each is averaged over a window as wide as half a place of the grid; at edges over what there is.
    With `places` there, only these are told."""
    width = light.shape[axis]
    window = (width + 2 * _GRID - 1) // (2 * _GRID)
    after = (window + 2) // 2
    places = np.arange(width) if places is None else places
    start, end = np.maximum(0, places - (window - after)), np.minimum(width, places + after)
    sums = np.zeros((light.shape[0] + (axis == 0), light.shape[1] + (axis == 1)))
    np.cumsum(light, axis=axis, out=sums[1:] if axis == 0 else sums[:, 1:])
    count = (end - start)[:, None] if axis == 0 else end - start
    return np.asarray((sums.take(end, axis) - sums.take(start, axis)) / count)


@lru_cache(1)
def _cosines() -> Array:
    waves, places = np.arange(1, _WAVES + 1)[:, None], np.arange(_GRID)[None]
    return np.asarray(np.sqrt(2 / _GRID) * np.cos(np.pi / (2 * _GRID) * waves * (2 * places + 1)))


def _packed(waves: Array) -> bytes:
    """A bit for each wave, whether it is stronger than half of them; the last first, as PDQ is written."""
    flat = waves.ravel()[::-1]
    return np.packbits(flat > np.partition(flat, flat.size // 2 - 1)[flat.size // 2 - 1]).tobytes()
