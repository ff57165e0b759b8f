"""What the market needs of a payment gateway, whoever runs it.

A gateway remembers each charge under a key of ours. Asking twice under one key does it once. Because a call may be
lost on the way there or back, `find` and `void` exist: with them every outcome can be told for certain afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from django.utils.functional import Promise


class State(StrEnum):
    """How a charge stands at the gateway."""

    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    PENDING = "pending"
    VOIDED = "voided"
    REFUNDED = "refunded"


@dataclass(frozen=True)
class Card:
    """A card as the market may know it: the gateway's token, and a label such as “Visa •••• 4242”."""

    token: str
    label: str


@dataclass(frozen=True)
class TestCard:
    """A card that a sandbox offers, and what happens to it."""

    number: str
    outcome: str | Promise


@dataclass(frozen=True)
class Charge:
    """A wish to take money. `key` is ours and unique; the amount is in minor units."""

    key: str
    amount_minor: int
    currency: str
    card_token: str
    description: str


@dataclass(frozen=True)
class Result:
    """How a charge stands. `code` is stable; `message` is the gateway's own; `confirm_url` where its buyer goes."""

    state: State
    reference: str = ""
    code: str = ""
    message: str = ""
    confirm_url: str = ""


class GatewayError(Exception):
    """Base of what may go wrong between us and a gateway."""


class CardInvalid(GatewayError):
    """What was entered is no card this gateway takes."""


class GatewayTimeout(GatewayError):
    """No answer came. What was asked for may have happened or not."""


class GatewayUnavailable(GatewayError):
    """The gateway cannot be reached now."""


class Gateway(Protocol):
    """Takes money and gives it back. Every method may raise GatewayTimeout and GatewayUnavailable."""

    name: str
    test_cards: tuple[TestCard, ...]

    def card(self, entered: str) -> Card:
        """The card for what was entered in the payment form. Errors: CardInvalid."""
        ...

    def charge(self, charge: Charge) -> Result:
        """Take money once a key. A key that was voided before is declined."""
        ...

    def confirm(self, key: str, passed: bool) -> Result:
        """Tell how the buyer's confirmation went. What is already decided stays as it is."""
        ...

    def find(self, key: str) -> Result | None:
        """How the charge under a key stands; None when the gateway never heard of it."""
        ...

    def void(self, key: str) -> Result:
        """Make sure that the charge under this key never happens, also when it is asked for later.

        The result says VOIDED, or how the charge stands when it was decided before.
        """
        ...

    def refund(self, key: str) -> Result:
        """Give back all that was taken under a key, once. Errors: GatewayError when nothing was taken."""
        ...
