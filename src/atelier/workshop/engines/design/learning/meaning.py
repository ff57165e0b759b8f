"""What words mean, as unit vectors: whatever means the same lies near."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .english import in_english

WORDS_MOST = 5
"""So many of a motif's words count."""


@lru_cache(maxsize=4096)
def meaning(text: str) -> NDArray[np.float32]:
    """The sentence vector of a text of many languages (384,), not to be written to; zero where nothing can be read.

    The same texts come again and again.
    """
    from atelier.workshop.encoders.sentence import DIMENSIONS, sentence_vectors

    english = in_english(text)
    vector = np.asarray(sentence_vectors([english])[0] if english else [0.0] * DIMENSIONS, dtype=np.float32)
    vector.flags.writeable = False
    return vector


@lru_cache(maxsize=4096)
def names_in(text: str) -> frozenset[str]:
    """The words of a text in English, each in the singular: two texts that share one speak of the same thing."""
    words = (word.strip(".;:!?'’").casefold() for word in in_english(text).replace(",", " ").split())
    return frozenset(word.removesuffix("s") for word in words if len(word) > 2)


def words_of(words: Sequence[str]) -> str:
    """A motif's words as one text."""
    return ", ".join(words[:WORDS_MOST]) or "ornament"
