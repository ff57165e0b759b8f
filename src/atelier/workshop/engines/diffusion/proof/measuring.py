"""How well held-out works are foretold: by the base, by the version, and by the base that is told of the manner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atelier.workshop.engines.diffusion.captions import manners
from atelier.workshop.engines.diffusion.fitting import ADAPTER, Example, Losses
from atelier.workshop.engines.diffusion.network import Network, Words
from atelier.workshop.engines.diffusion.splits import Learned, Split
from atelier.workshop.proof.statistics import Array
from atelier.workshop.steps import Plan

TRIES = 3
"""Descriptions of the manner that are tried at most."""


def measure_effort(split: Split, draws: int) -> float:
    """In noises foretold."""
    return draws * (3.0 * len(split.test) + TRIES * len(split.stop))


def table(
    network: Network, split: Split, stop: Sequence[Example], test: Sequence[Example], draws: int, plan: Plan
) -> tuple[Array, str]:
    """(families of near copies, [works, base, version, base told of the manner]) of losses, all under the same noise;
    and the description that was told, the best of those tried on the works that said when to stop."""
    losses = Losses(network, draws)
    network.wear("")
    manner = _best_manner(network, losses, split, stop, plan)
    rows = np.zeros((len(test), 4))
    rows[:, 0] = 1
    for place, (work, learned) in enumerate(zip(test, split.test, strict=True)):
        rows[place, 1] = losses.of(work, plan=plan)
        rows[place, 3] = losses.of(work, _told(network, learned, manner), plan)
    network.wear(ADAPTER)
    for place, work in enumerate(test):
        rows[place, 2] = losses.of(work, plan=plan)
    found = np.zeros((max(split.families) + 1, 4))
    np.add.at(found, list(split.families), rows)
    return found, manner


def _best_manner(network: Network, losses: Losses, split: Split, stop: Sequence[Example], plan: Plan) -> str:
    tried = manners([each.work for each in split.train], (each.picture for each in split.train))[:TRIES]
    by_loss = {
        manner: sum(
            losses.of(work, _told(network, each, manner), plan) for work, each in zip(stop, split.stop, strict=True)
        )
        for manner in tried
    }
    return min(by_loss, key=lambda manner: by_loss[manner]) if by_loss else ""


def _told(network: Network, work: Learned, manner: str) -> Words:
    # The manner first: what does not fit falls off the end.
    return network.words(", ".join(part for part in (manner, work.caption) if part))
