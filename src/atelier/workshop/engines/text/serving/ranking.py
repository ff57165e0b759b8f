"""Which of a text's candidates is written to its end: judged by their beginnings, before anybody sees one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atelier.workshop.engines.text.following import LINES, following

from .drafts import Draft

CANDIDATES = 3
"""How many there are of each text, unless `ATELIER_TEXT_CANDIDATES` says otherwise."""

BEGINNING = 24
"""Tokens by which the candidates of a longer text are judged."""


@dataclass(frozen=True)
class Choice:
    """How one of `candidates` drafts is chosen once each has `tokens` tokens or is over, for a valid brief.

    Depends on the drafts only, so that the same seeds give the same choice whoever else is served.
    """

    brief: Mapping[str, str]
    candidates: int
    tokens: int

    def due(self, draft: Draft) -> bool:
        """Whether a draft has all that it is judged by."""
        return draft.finish is not None or len(draft.tokens) >= self.tokens

    def best(self, drafts: Sequence[Draft]) -> int:
        """The number of the draft that does most of what the brief asks so far; of equals, the first."""
        return max(range(len(drafts)), key=lambda number: (self._merit(drafts[number]), -number))

    def _merit(self, draft: Draft) -> float:
        cut = draft.finish == "length"
        return following(draft.text, self.brief, over=draft.finish is not None).score - cut


def choice_for(brief: Mapping[str, str], candidates: int, tokens_max: int, beginning: int = BEGINNING) -> Choice | None:
    """The choice among so many candidates for a valid brief: lines are judged whole, longer texts by their beginnings,
    since a reader must not wait for all of them. None where there is nothing to choose from."""
    if candidates < 2:
        return None
    return Choice(brief, candidates, tokens_max if brief["format"] in LINES else beginning)


def candidate_seeds(seed: int, candidates: int) -> list[int]:
    """The seeds of a sample's candidates, its own first; those of neighbouring seeds have none in common."""
    return [(seed + number * _APART) % 2**64 for number in range(candidates)]


_APART = 0x9E3779B97F4A7C15
"""Far from any difference of two seeds that a person would choose (the golden ratio of 2**64)."""
