"""Which states may follow which."""

from __future__ import annotations

from atelier.market.core.states import Transitions

from .models import VettingApplication

_S = VettingApplication.State

VETTING: Transitions = {_S.OPEN: frozenset({_S.APPROVED, _S.DECLINED, _S.WITHDRAWN})}
