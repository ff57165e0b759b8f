"""Reads: conversations one is part of, and what in them is new."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from atelier.market.core.errors import Missing

from .models import Conversation, Message

WITH_PEOPLE = (
    "buyer",
    "creator__user",
    "output__generation__creation_model__creator__user",
    "output__generation__version",
)


def _new_to(user: Any, conversation: str = "conversation__", message: str = "") -> Q:
    """Messages that this person has not seen, as a condition on a row from which these paths lead to the two."""

    def side(who: str, read_at: str) -> Q:
        unread = Q(**{f"{conversation}{read_at}": None}) | Q(**{f"{message}at__gt": F(f"{conversation}{read_at}")})
        return Q(**{f"{conversation}{who}": user.pk}) & unread

    return side("buyer_id", "buyer_read_at") | side("creator__user_id", "creator_read_at")


def conversations_of(user: Any) -> QuerySet[Conversation]:
    """The conversations of a person, on either side, latest first, with `unread` and `last_body`."""
    last = Message.objects.filter(conversation=OuterRef("pk")).order_by("-id")
    return (
        Conversation.objects.filter(Q(buyer_id=user.pk) | Q(creator__user_id=user.pk))
        .select_related(*WITH_PEOPLE)
        .defer("output__generation__brief")
        .annotate(
            unread=Count("messages", filter=_new_to(user, "", "messages__") & ~Q(messages__author_id=user.pk)),
            last_body=Subquery(last.values("body")[:1]),
            last_author=Subquery(last.values("author_id")[:1]),
        )
        .order_by("-last_message_at")
    )


def conversation_of(user: Any, conversation_id: uuid.UUID, *, lock: bool = False) -> Conversation:
    """One of them. Errors: Missing, for anyone else's too."""
    mine = Conversation.objects.filter(Q(buyer_id=user.pk) | Q(creator__user_id=user.pk))
    found = mine.select_related(*WITH_PEOPLE).defer("output__generation__brief")
    if lock:
        found = found.select_for_update(of=("self",))
    conversation = found.filter(pk=conversation_id).first()
    if conversation is None:
        raise Missing(_("There is no such conversation."), remedy=_("Open it from “Messages”."))
    return conversation


def conversation_about(user: Any, output_id: uuid.UUID) -> Conversation | None:
    """The conversation that this person began about a piece, if they did."""
    return Conversation.objects.filter(buyer_id=user.pk, output_id=output_id).first()


def messages_in(conversation: Conversation) -> QuerySet[Message]:
    """What was said, oldest first."""
    return conversation.messages.select_related("author").order_by("id")


def unread_in(conversation: Conversation, user: Any) -> QuerySet[Message]:
    """What this person has not seen of a conversation."""
    return conversation.messages.filter(_new_to(user)).exclude(author_id=user.pk)


def unread_count(user: Any) -> int:
    """How many messages wait for this person, for the way to them in the head of every page."""
    if user is None or not user.is_authenticated:
        return 0
    return Message.objects.filter(_new_to(user)).exclude(author_id=user.pk).count()
