"""The other writers: features of real authors' short texts, as numbers; `benchmarks/proof.py --background` makes them.

`background.npz` holds for each language: the pairs counted, mean and spread of each feature over the writers, and for
each text its features in so many spreads (times STEP, in 8 bits) and its writer. `background.json` beside it says who
the writers are, and where their words are from. Both files are dedicated to the public domain (CC0 1.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .features import measure, plain_names
from .words import TONGUES, tongue

Array = NDArray[np.float64]
FILE = Path(__file__).with_name("background.npz")
STEP = 24.0
"""Steps a spread; 8 bits so reach a little over five spreads either way."""
FAR = 4.0
"""Spreads beyond which a feature counts no more: one odd count must not decide."""


@dataclass(frozen=True)
class Background:
    """Other writers' texts as (texts, features) in spreads from their mean, and which writer's each is."""

    language: str
    pairs: tuple[str, ...]
    mean: Array
    spread: Array
    rows: Array
    writers: NDArray[np.int64]

    def place(self, texts: Sequence[str]) -> Array:
        """Texts as rows like those of the background."""
        return self.scaled(measure(texts, self.language, self.pairs))

    def scaled(self, features: Array) -> Array:
        """Features in spreads from the mean of all writers."""
        placed: Array = np.clip((features - self.mean) / self.spread, -FAR, FAR)
        return placed


@lru_cache(maxsize=8)
def background(language: str) -> Background:
    """The writers of a language; for one that has none, all writers by the features that every language has."""
    code = language[:2].lower()
    if code in TONGUES:
        return _stored(code)
    shared = plain_names(tongue(code))
    parts = [_stored(each) for each in TONGUES]
    rows: list[Array] = []
    writers: list[NDArray[np.int64]] = []
    for part in parts:
        names = plain_names(tongue(part.language))
        columns = [names.index(name) for name in shared]
        rows.append((part.rows * part.spread + part.mean)[:, columns])
        writers.append(part.writers + 1000 * len(writers))
    features = np.concatenate(rows)
    mean, spread = standards(features)
    scaled = np.clip((features - mean) / spread, -FAR, FAR)
    return Background(code, (), mean, spread, scaled, np.concatenate(writers))


def standards(features: Array) -> tuple[Array, Array]:
    """Mean and spread of each feature; what hardly varies is not blown up."""
    return features.mean(0), features.std(0) + 1e-3


def _stored(code: str) -> Background:
    with np.load(FILE, allow_pickle=False) as held:
        return Background(
            language=code,
            pairs=tuple(str(pair) for pair in held[f"{code}_pairs"]),
            mean=held[f"{code}_mean"].astype(np.float64),
            spread=held[f"{code}_spread"].astype(np.float64),
            rows=np.clip(held[f"{code}_rows"].astype(np.float64) / STEP, -FAR, FAR),
            writers=held[f"{code}_writers"].astype(np.int64),
        )


def store(file: Path, parts: dict[str, Background]) -> None:
    """Write the background; the same parts give the same file."""
    held: dict[str, NDArray[np.generic]] = {}
    for code, part in parts.items():
        held[f"{code}_pairs"] = np.array(part.pairs)
        held[f"{code}_mean"] = part.mean.astype(np.float32)
        held[f"{code}_spread"] = part.spread.astype(np.float32)
        held[f"{code}_rows"] = np.clip(np.rint(part.rows * STEP), -127, 127).astype(np.int8)
        held[f"{code}_writers"] = part.writers.astype(np.int16)
    np.savez_compressed(file, allow_pickle=False, **held)
