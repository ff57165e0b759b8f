"""What words mean, as unit vectors: whatever means the same lies near."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

WORDS_MOST = 5
"""So many of a motif's words count."""


@lru_cache(maxsize=4096)
def meaning(text: str) -> NDArray[np.float32]:
    """The sentence vector of a text (384,), not to be written to. The same texts come again and again."""
    from atelier.workshop.encoders.sentence import sentence_vectors

    vector = np.asarray(sentence_vectors([text])[0], dtype=np.float32)
    vector.flags.writeable = False
    return vector


def words_of(words: Sequence[str]) -> str:
    """A motif's words as one text."""
    return ", ".join(words[:WORDS_MOST]) or "ornament"
