"""Perplexity as a figure that can be drawn again: over works, in nats a token."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from atelier.workshop.proof.statistics import Array


def perplexity(column: int) -> Callable[[Array], Array]:
    """Perplexity from columns (tokens, nats, nats, …): exp of the nats a token over all works drawn."""
    return lambda works: np.exp(works[..., column].sum(-1) / works[..., 0].sum(-1))


def drop(before: int, after: int) -> Callable[[Array], Array]:
    """By which share of it perplexity is lower in column `after` than in column `before`."""
    return lambda works: 1 - perplexity(after)(works) / perplexity(before)(works)
