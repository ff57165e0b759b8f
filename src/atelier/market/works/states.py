"""Which state of a work may follow which."""

from __future__ import annotations

from atelier.market.core.states import Transitions

from .models import Work

WORK: Transitions = {
    Work.State.READY: frozenset({Work.State.REMOVED}),
    Work.State.HELD: frozenset({Work.State.READY, Work.State.REFUSED, Work.State.REMOVED}),
    Work.State.REMOVED: frozenset({Work.State.READY, Work.State.HELD, Work.State.REFUSED}),
    Work.State.REFUSED: frozenset(),
}
