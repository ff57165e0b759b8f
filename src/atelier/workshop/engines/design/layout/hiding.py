"""Motifs that would be lost before a colour because they have that colour themselves."""

from __future__ import annotations

from collections.abc import Sequence

from atelier.workshop.engines.design.colour import distance
from atelier.workshop.engines.design.learning.motifs import Motif

NEAR = 0.12
"""Colours that differ by less than this run into each other."""
MOST = 0.34
"""A motif of which more than this share is hidden cannot be told any more."""
FEW = 3


def hidden(colours: Sequence[tuple[str, float]], behind: str) -> float:
    """The share of what is seen that has the colour of what is behind it."""
    total = sum(share for _, share in colours)
    return sum(share for colour, share in colours if distance(colour, behind) < NEAR) / max(total, 1e-9)


def told(motifs: Sequence[Motif], behind: str) -> list[Motif]:
    """Those that can be told before a colour; where they are too few, the few that can best."""
    found = [motif for motif in motifs if hidden(motif.colours, behind) <= MOST]
    return found if len(found) >= FEW else sorted(motifs, key=lambda motif: hidden(motif.colours, behind))[:FEW]
