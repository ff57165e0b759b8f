"""Whose hand is this? Pieces are compared with pieces, so that only the hand differs and not the kind of picture.

From works that a version never saw a second style is learned, and pieces are composed with it: they are what the
creator's hand looks like in composed pieces. The version's pieces for the same briefs are near to these or they are
not; how near is set beside pieces of other hands and of none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SHRINK = 0.3
"""How much the pooled covariance is drawn to its diagonal (Ledoit and Wolf 2004): few pieces, many features."""
KEPT = 24
"""Directions that are kept of the features: those along which the hands differ most (PCA of all pieces)."""


@dataclass(frozen=True)
class Judge:
    """A linear discriminant between hands."""

    mean: Array
    axes: Array
    centres: Array
    names: tuple[str, ...]
    metric: Array

    def distances(self, pieces: Array) -> Array:
        """(pieces, hands): squared Mahalanobis distance to the middle of each hand."""
        flat = (pieces - self.mean) @ self.axes
        away = flat[:, None] - self.centres[None]
        return np.asarray(np.einsum("phk,kl,phl->ph", away, self.metric, away))

    def told(self, pieces: Array) -> list[str]:
        """The hand that each piece is nearest to."""
        return [self.names[place] for place in self.distances(pieces).argmin(1)]

    def told_together(self, pieces: Array) -> str:
        """The hand that a set of pieces by one hand is nearest to."""
        return self.names[int(self.distances(pieces).sum(0).argmin())]


def judge(hands: Mapping[str, Array]) -> Judge:
    """Learn to tell hands by their pieces, (pieces, features) each. Errors: ValueError for fewer than two hands."""
    if len(hands) < 2:
        raise ValueError("one hand cannot be told from nobody's")
    names = tuple(sorted(hands))
    everything = np.concatenate([hands[name] for name in names])
    mean = everything.mean(0)
    _, _, rows = np.linalg.svd(everything - mean, full_matrices=False)
    axes = rows[: min(KEPT, len(everything) - len(names))].T
    flat = {name: (hands[name] - mean) @ axes for name in names}
    centres = np.stack([flat[name].mean(0) for name in names])
    within = np.concatenate([flat[name] - centre for name, centre in zip(names, centres, strict=True)])
    cover = within.T @ within / max(1, len(within) - len(names))
    cover = (1 - SHRINK) * cover + SHRINK * np.diag(np.diag(cover)) + 1e-6 * np.eye(len(cover))
    return Judge(mean, axes, centres, names, np.linalg.inv(cover))


def distances(one: Array, other: Array, seeds: int) -> Array:
    """(briefs,): how far two hands are apart in what they make for a brief: between the means over its seeds, so that
    the chance in a single layout counts less. Both are (briefs * seeds, features), the seeds of a brief in a row."""
    means = [each.reshape(-1, seeds, each.shape[1]).mean(1) for each in (one, other)]
    return np.asarray(np.linalg.norm(means[0] - means[1], axis=1))
