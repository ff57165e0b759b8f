"""What the sampler's tournament must do, as plainly as it can be said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.marks.text import CONTEXT, LAYERS


def lean(
    key: bytes, written: Sequence[int], candidates: Sequence[int], chances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The chances (candidates,) after the tournament of this place; unchanged where it is not marked."""
    last = list(written[-CONTEXT:])
    before = [list(written[start : start + CONTEXT]) for start in range(len(written) - CONTEXT)]
    if len(candidates) < 2 or len(written) < CONTEXT or last in before:
        return chances
    return tournament(chances, signs(key, last, candidates))


def signs(key: bytes, context: Sequence[int], tokens: Sequence[int]) -> NDArray[np.uint8]:
    """The signs (LAYERS, tokens), each 0 or 1, that a key gives to tokens after a context."""
    rows = []
    for token in tokens:
        message = b"".join(int(each).to_bytes(4, "little") for each in (*context, token))
        digest = hashlib.blake2b(message, digest_size=4, key=key, person=b"atelier text 1").digest()
        rows.append(np.unpackbits(np.frombuffer(digest, np.uint8))[:LAYERS])
    return np.array(rows).T


def tournament(chances: NDArray[np.float64], signs: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The chances (tokens,) to win a knock-out of 2^LAYERS draws, in which the sign of a round decides and a tie is
    decided by lot. In each round p(x) becomes p(x)·(1 + sign(x) - the chance of a draw with sign 1)."""
    for layer in signs.astype(np.float64):
        chances = chances * (layer + 1 - chances.dot(layer))
    return np.maximum(chances, 0)
