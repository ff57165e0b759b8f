"""The person behind the piece: conversations that start from an output."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Now

from atelier.market.accounts.models import Creator, User
from atelier.market.generation.models import Output


class Conversation(models.Model):
    """A buyer and a creator, with the piece that brought them together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    buyer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="conversations")
    creator = models.ForeignKey(Creator, on_delete=models.PROTECT, related_name="conversations")
    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="conversations")
    created_at = models.DateTimeField(db_default=Now())
    last_message_at = models.DateTimeField(db_default=Now())
    buyer_read_at = models.DateTimeField(null=True, blank=True)
    creator_read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["buyer", "output"], name="one_conversation_a_piece")]

    @property
    def topic(self) -> str:
        """The live topic on which its messages appear."""
        return f"conversation:{self.pk}"

    def is_buyer(self, user: Any) -> bool:
        """Whether this person is the buying side of the two."""
        return bool(self.buyer_id == user.pk)

    def other_than(self, user: Any) -> User:
        """The person at the other end."""
        return self.creator.user if self.is_buyer(user) else self.buyer


class Message(models.Model):
    """Something one of the two wrote. `client_key` makes sending it twice write it once."""

    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    body = models.TextField(max_length=8000)
    client_key = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=Now())
    # When the other side was told by e-mail, if it was.
    noticed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "author", "client_key"], name="one_message_a_key")
        ]
        ordering = ["id"]
