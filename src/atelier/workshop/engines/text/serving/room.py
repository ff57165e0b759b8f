"""Who may wait: a bounded number of texts, of which nobody can have so many that others find no room."""

from __future__ import annotations

from collections.abc import Sequence

from atelier.workshop.contract import Busy

WAITING_MAX = 64
"""Texts that may wait for a slot before a request is turned away."""

WIDE_MAX = 48
"""Of these at most so many for one creator, whoever asks."""

FIRST = 4
"""So many texts, which is what one request asks for at most, always find room for whoever has none waiting, while there
is any."""

Waiting = tuple[Sequence[str], int]
"""The flows of a request, widest first (creator, viewer), and how many of its texts wait."""


def check_room(flows: Sequence[str], texts: int, waiting: Sequence[Waiting]) -> None:
    """Errors: Busy when no room is left for so many more texts; when one creator would have too many waiting; and when
    the narrowest flow (the viewer) would have more waiting than room is left beside all. So one viewer alone has half
    of the room at most, a second a half of what that one leaves, and so on: some is left for the next.

    Choudhury, Hahne 1998, “Dynamic queue length thresholds for shared-memory packet switches”,
    https://doi.org/10.1109/90.664262
    """
    left = WAITING_MAX - texts - sum(count for _, count in waiting)
    if left < 0:
        raise Busy("Too many texts are being written just now.", ahead=len(waiting))
    for place, flow in enumerate(flows):
        own = [count for others, count in waiting if flow in others]
        if place < len(flows) - 1:
            full, whose = sum(own) + texts > WIDE_MAX, "this creator's model"
        else:
            full, whose = sum(own) + texts > left and (bool(own) or texts > FIRST), "the same person"
        if full:
            raise Busy(f"Too many texts of {whose} are waiting already.", ahead=len(own))
