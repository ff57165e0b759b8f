"""Near copies of pictures by PDQ (Meta, 2019): 256 bits of how light lies over a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import Fingerprint

SCHEME = "pdq-1"
SIDE = 512
NEAR_BITS = 31
"""Pictures that differ in no more bits are near copies; the bound is PDQ's own. 0 of 174 strangers were as near."""
NEAR_AT = 1 - NEAR_BITS / 128


def fingerprint(pixels: NDArray[np.uint8]) -> Fingerprint:
    """Of an opaque picture (height, width, 3 or 4)."""
    import pdqhash

    bits, _quality = pdqhash.compute(np.ascontiguousarray(pixels[..., :3]))
    packed = np.packbits(np.asarray(bits, dtype=np.uint8)).tobytes()
    # 32 bands of a byte each: two hashes with 31 or fewer different bits have at least one in common.
    bands = tuple(number << 8 | byte for number, byte in enumerate(packed))
    return Fingerprint(scheme=SCHEME, value=packed.hex(), bands=bands)


def turned(pixels: NDArray[np.uint8]) -> list[str]:
    """The values of a picture's eight turns and mirrors, itself first: a copy is often mirrored."""
    import pdqhash

    found, _quality = pdqhash.compute_dihedral(np.ascontiguousarray(pixels[..., :3]))
    return [np.packbits(np.asarray(bits, dtype=np.uint8)).tobytes().hex() for bits in found]


def similarity(left: Fingerprint, right: Fingerprint) -> float:
    """1 for the same picture, 0 for two that have nothing in common (half of the bits differ)."""
    if left.scheme != SCHEME or right.scheme != SCHEME:
        return 0.0
    return max(0.0, 1 - distance(left.value, right.value) / 128)


def distance(left: str, right: str) -> int:
    """How many of the 256 bits differ."""
    return (int(left, 16) ^ int(right, 16)).bit_count()
