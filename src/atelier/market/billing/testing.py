"""Factories for tests: purchases as they are after the pages were used, at a sandbox gateway of the test's own."""

from __future__ import annotations

import uuid

from atelier.market.accounts.models import User
from atelier.market.generation.models import Output
from atelier.market.generation.testing import make_output

from . import actions
from .models import Purchase

GOOD = "4242 4242 4242 4242"
POOR = "4000 0000 0000 9995"
EXPIRED = "4000 0000 0000 0069"
CONFIRM = "4000 0000 0000 3220"
SLOW = "4000 0000 0000 0077"
LOST_ANSWER = "4000 0000 0000 4085"
LOST_REQUEST = "4000 0000 0000 5041"


def start(output: Output, tier: str = "personal", buyer: User | None = None, key: str = "") -> Purchase:
    """A purchase begun by the person who briefed the output, unless told otherwise."""
    return actions.start_purchase(
        actor=buyer or output.generation.viewer,
        output_id=output.pk,
        tier=tier,
        idempotency_key=key or str(uuid.uuid4()),
    )


def pay(purchase: Purchase, card: str = GOOD) -> Purchase:
    """Pay for a purchase with one of the test cards."""
    return actions.pay(actor=purchase.buyer, purchase_id=purchase.pk, card=actions.card_of(card))


def buy(output: Output | None = None, tier: str = "personal", card: str = GOOD) -> Purchase:
    """A whole purchase of an output, of a new one unless one is given."""
    return pay(start(output or make_output(), tier), card)
