"""A hidden mark in text: which of the likely words is taken leans on a secret key, and who has the key can see it.

Tournament sampling without distortion, Dathathri et al. 2024, “Scalable watermarking for identifying large language
model outputs”, Nature 634, 818–823 (SynthID-Text): over all keys, every token is drawn with the probability it had.
The key's signs for a token depend on the tokens before it; where the same tokens stood before in the same text, nothing
is marked and nothing is read, so that each place counts once and a text does not begin to turn in circles.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONTEXT = 4
"""How many tokens before a place decide its signs. A changed token blurs this many places and itself."""

LAYERS = 30
"""Rounds of a tournament, and signs a token."""

WEIGHTS = np.linspace(10, 1, LAYERS)
"""How much each round counts when a mark is read: the first rounds have more to choose from than the last."""

ENOUGH = 50
"""Places after which a text that carries a mark from end to end is as good as always recognised
(`benchmarks/marks.py`)."""

_DOMAIN = b"atelier text 1"
_TOKEN_BYTES = 4
_DIGEST_BYTES = -(-LAYERS // 8)
_LEAST_P = 1e-300


@dataclass(frozen=True)
class Mark:
    """The mark of one key (16 to 64 random bytes).

    Who draws the tokens of a text works it in (for the text engine `mark.h` beside its sampler). A token's sign in a
    round is a bit of BLAKE2b with the key over the `CONTEXT` tokens before it and itself (RFC 7693); nothing is marked
    after fewer tokens, nor after tokens that stood in the text before.
    """

    key: bytes

    def __post_init__(self) -> None:
        if not 16 <= len(self.key) <= 64:
            raise ValueError("a mark's key has 16 to 64 bytes")


@dataclass(frozen=True)
class Reading:
    """What a text shows of one key. `p_value`: the probability that a text written without that key shows as much or
    more, never below 1e-300; `places`: how many tokens were looked at."""

    places: int
    p_value: float


def read(tokens: Sequence[int], keys: Sequence[bytes]) -> list[Reading]:
    """What the tokens of a text show of each key, in the order of the keys.

    The signs of places not marked by a key are fair coins to it, so the weighted sum of all signs has a known
    distribution, and the p-value needs no model, no prompt and no calibration.
    """
    places = _places(tokens)
    return [Reading(len(places), _tail(_ones(places, key), len(places))) for key in keys]


def _places(tokens: Sequence[int]) -> list[bytes]:
    """Each token with its context, where that stands in the text for the first time."""
    packed = _packed(tokens)
    seen: set[bytes] = set()
    places = []
    for start in range(0, len(packed) - CONTEXT * _TOKEN_BYTES, _TOKEN_BYTES):
        end = start + CONTEXT * _TOKEN_BYTES
        if packed[start:end] not in seen:
            seen.add(packed[start:end])
            places.append(packed[start : end + _TOKEN_BYTES])
    return places


def _ones(places: Sequence[bytes], key: bytes) -> NDArray[np.int64]:
    """How many places have sign 1, by layer."""
    digests = [hashlib.blake2b(p, digest_size=_DIGEST_BYTES, key=key, person=_DOMAIN).digest() for p in places]
    ones: NDArray[np.int64] = _bits(b"".join(digests)).sum(axis=1, dtype=np.int64)
    return ones


def _packed(tokens: Sequence[int]) -> bytes:
    return np.asarray(tokens, f"<u{_TOKEN_BYTES}").tobytes()


def _bits(digests: bytes) -> NDArray[np.uint8]:
    rows = np.frombuffer(digests, np.uint8).reshape(-1, _DIGEST_BYTES)
    return np.unpackbits(rows, axis=1)[:, :LAYERS].T


def _tail(ones: NDArray[np.int64], places: int) -> float:
    """P(weighted sum of fair coins ≥ the one seen), by the saddlepoint approximation.

    Lugannani and Rice 1980, “Saddle point approximation for the distribution of the sum of independent random
    variables”, Advances in Applied Probability 12, 475–490.
    """
    excess = float(WEIGHTS @ (ones - places / 2))
    if not places or excess >= places * WEIGHTS.sum() / 2 * (1 - 1e-9):
        return max(_LEAST_P, 0.5 ** (places * LAYERS)) if places else 1.0
    deviation = excess / (math.sqrt(places * float((WEIGHTS**2).sum())) / 2)
    if deviation < 2:  # so near its middle the sum of so many signs is as good as normal
        return _normal_tail(deviation)
    tilt = _tilt(excess, places)
    spread = math.sqrt(places * float((WEIGHTS**2 / (4 * np.cosh(WEIGHTS * tilt / 2) ** 2)).sum()))
    cumulant = places * float(np.log(np.cosh(WEIGHTS * tilt / 2)).sum())
    root = math.sqrt(2 * (tilt * excess - cumulant))
    density = math.exp(-(root**2) / 2) / math.sqrt(2 * math.pi)
    return max(_LEAST_P, _normal_tail(root) + density * (1 / (tilt * spread) - 1 / root))


def _tilt(excess: float, places: int) -> float:
    """The exponential tilt under which the expected excess is the one seen; the expectation grows with the tilt."""
    low, high = 0.0, 60.0
    for _ in range(80):
        middle = (low + high) / 2
        if places * float((WEIGHTS * np.tanh(WEIGHTS * middle / 2)).sum()) / 2 < excess:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _normal_tail(deviation: float) -> float:
    return math.erfc(deviation / math.sqrt(2)) / 2
