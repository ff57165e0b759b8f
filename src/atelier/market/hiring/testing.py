"""Factories for tests: a conversation about a finished piece."""

from __future__ import annotations

import uuid

from atelier.market.accounts.models import User
from atelier.market.core.testing import make_user
from atelier.market.generation.models import Output
from atelier.market.generation.testing import make_output

from . import actions
from .models import Conversation


def make_conversation(buyer: User | None = None, output: Output | None = None, body: str = "Hello.") -> Conversation:
    """A conversation that a buyer began about a piece of theirs."""
    buyer = buyer or (output.generation.viewer if output else make_user())
    piece = output or make_output(viewer=buyer)
    return actions.start_conversation(actor=buyer, output_id=piece.pk, body=body, client_key=uuid.uuid4().hex)
