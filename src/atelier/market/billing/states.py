"""The states of a purchase and what may follow each.

CHARGING is committed before the gateway is called. From then on the gateway's word decides, asked again until known.
"""

from __future__ import annotations

from atelier.market.core.states import Transitions

from .models import Purchase

S = Purchase.State

PURCHASE: Transitions = {
    S.OPEN: frozenset({S.CHARGING, S.CANCELLED}),
    S.CHARGING: frozenset({S.CONFIRMING, S.UNKNOWN, S.PAID, S.DECLINED, S.REFUNDING}),
    S.CONFIRMING: frozenset({S.CHARGING, S.PAID, S.DECLINED, S.CANCELLED, S.REFUNDING}),
    S.UNKNOWN: frozenset({S.CONFIRMING, S.PAID, S.DECLINED, S.REFUNDING}),
    S.REFUNDING: frozenset({S.REFUNDED}),
    S.PAID: frozenset(),
    S.DECLINED: frozenset(),
    S.CANCELLED: frozenset(),
    S.REFUNDED: frozenset(),
}
