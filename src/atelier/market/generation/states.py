"""The states of a generation and what may follow each. A lost worker's generation is taken up again as running."""

from __future__ import annotations

from atelier.market.core.states import Transitions

from .models import Generation, Output

S = Generation.State

GENERATION: Transitions = {
    S.QUEUED: frozenset({S.RUNNING, S.FAILED, S.CANCELLED}),
    S.RUNNING: frozenset({S.RUNNING, S.QUEUED, S.SUCCEEDED, S.FAILED, S.CANCELLED}),
    S.SUCCEEDED: frozenset(),
    S.FAILED: frozenset(),
    S.CANCELLED: frozenset(),
}
"""Running falls back to queued when the engine has no room (it says Busy)."""

OUTPUT: Transitions = {
    Output.State.OFFERED: frozenset({Output.State.WITHDRAWN}),
    Output.State.WITHDRAWN: frozenset(),
}
"""What was withdrawn stays so for ever."""
