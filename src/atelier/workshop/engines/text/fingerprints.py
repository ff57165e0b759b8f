"""Fingerprints by which copies of a text are found: the exact letters, and MinHash for near copies.

Source: A. Broder, "On the resemblance and containment of documents" (1997); banding as in Leskovec, Rajaraman and
Ullman, "Mining of Massive Datasets", chapter 3.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from atelier.workshop.contract import Fingerprint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT = "text-exact"
MINHASH = "text-minhash"
LANES = 128
# Three words a shingle and three rows a band: with every tenth word replaced at random, two texts still share half of
# their shingles and meet in at least one of 42 bands more than 99.9 % of the time; unrelated texts meet in under 1 %.
SHINGLE_WORDS = 3
BAND_ROWS = 3
BANDS = LANES // BAND_ROWS
NEAR_AT = 0.4

_WORD = re.compile(r"[^\W_]+")
_BAND_BITS = (1 << 63) - 1


def fingerprints(text: str) -> tuple[Fingerprint, ...]:
    """Both fingerprints of a text; none for a text without a letter or digit."""
    words = normal_words(text)
    if not words:
        return ()
    lanes = _minhash(words)
    return (
        Fingerprint(scheme=EXACT, value=hashlib.sha256("".join(words).encode()).hexdigest()),
        Fingerprint(
            scheme=MINHASH, value=base64.b64encode(lanes.astype("<u8").tobytes()).decode("ascii"), bands=_bands(lanes)
        ),
    )


def similarity(left: Fingerprint, right: Fingerprint) -> float:
    """How alike two texts are, 0..1: for MinHash an estimate of the share of shingles they have in common.

    Fingerprints of different schemes or sizes have nothing in common.
    """
    if left.scheme != right.scheme:
        return 0.0
    if left.scheme != MINHASH:
        return float(left.value == right.value)
    import numpy as np

    one, other = (np.frombuffer(base64.b64decode(print_.value), "<u8") for print_ in (left, right))
    if one.shape != other.shape:
        return 0.0
    return float(np.mean(one == other))


def normal_words(text: str) -> list[str]:
    """The words of a text without case, accents and punctuation: what two copies have in common."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(c for c in folded if not unicodedata.combining(c)))


def _minhash(words: list[str]) -> NDArray[np.uint64]:
    import numpy as np

    n = min(SHINGLE_WORDS, len(words))
    shingles = {" ".join(words[i : i + n]) for i in range(len(words) - n + 1)}
    hashes = np.frombuffer(
        b"".join(hashlib.blake2b(s.encode(), digest_size=8).digest() for s in sorted(shingles)), "<u8"
    ).astype(np.uint64)
    multiply, add = _permutations()
    lanes: NDArray[np.uint64] = np.full(LANES, np.iinfo(np.uint64).max, np.uint64)
    for start in range(0, hashes.size, 1024):  # a bounded block keeps a long text from needing 128 times its size
        block = hashes[start : start + 1024, None] * multiply + add
        lanes = np.minimum(lanes, block.min(axis=0))
    return lanes


@cache
def _permutations() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Bijections of 64-bit integers, x → a·x + b with odd a: the same on every machine and in every release."""
    import numpy as np

    stream = hashlib.shake_256(b"atelier text-minhash 1").digest(LANES * 16)
    numbers = np.frombuffer(stream, "<u8").astype(np.uint64).reshape(2, LANES)
    return numbers[0] | np.uint64(1), numbers[1]


def _bands(lanes: NDArray[np.uint64]) -> tuple[int, ...]:
    values = []
    for band in range(BANDS):
        rows = lanes[band * BAND_ROWS : (band + 1) * BAND_ROWS].astype("<u8").tobytes()
        digest = hashlib.blake2b(bytes([band]) + rows, digest_size=8).digest()
        values.append(int.from_bytes(digest, "big") & _BAND_BITS)
    return tuple(values)
