"""Conversations as JSON."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Header, Router, Schema, Status
from pydantic import Field

from atelier.market.accounts.queries import person
from atelier.market.core.schemas import ERRORS, IdempotencyKey, Limit, Offset

from . import actions, queries
from .models import Conversation, Message

router = Router()

Body = Annotated[str, Field(min_length=1, max_length=actions.BODY_MOST)]
Key = Annotated[IdempotencyKey | None, Header(alias="Idempotency-Key")]


class StartIn(Schema):
    """A first message about a piece, to the person behind it."""

    output_id: uuid.UUID
    body: Body


class MessageIn(Schema):
    """Something to say."""

    body: Body


class MessageOut(Schema):
    """Something that was said; `mine` by the asker."""

    id: int
    author: str
    mine: bool
    body: str
    at: datetime


class ConversationOut(Schema):
    """A conversation about a piece; `role` is the asker's own: buyer or creator."""

    id: uuid.UUID
    output_id: uuid.UUID
    role: str
    other: str
    unread: int
    last_message_at: datetime


class ConversationsOut(Schema):
    """A page of conversations, latest first."""

    count: int
    unread: int
    items: list[ConversationOut]


class MessagesOut(Schema):
    """A page of messages, oldest first."""

    count: int
    items: list[MessageOut]


@router.get("/conversations", response={200: ConversationsOut, **ERRORS}, operation_id="conversations")
def list_conversations(request: HttpRequest, limit: Limit = 20, offset: Offset = 0) -> dict[str, Any]:
    """One's own conversations, on either side."""
    found = queries.conversations_of(request.user)
    items = [_conversation(request, row) for row in found[offset : offset + limit]]
    return {"count": found.count(), "unread": queries.unread_count(request.user), "items": items}


@router.post("/conversations", response={201: ConversationOut, **ERRORS}, operation_id="start_conversation")
def start(request: HttpRequest, body: StartIn, key: Key = None) -> Status[dict[str, Any]]:
    """Write to the person behind a piece. There is one conversation about a piece: a second start goes on in it."""
    begun = actions.start_conversation(
        actor=person(request), output_id=body.output_id, body=body.body, client_key=key or uuid.uuid4().hex
    )
    return Status(201, _conversation(request, queries.conversations_of(request.user).get(pk=begun.pk)))


@router.get("/conversations/{conversation_id}/messages", response={200: MessagesOut, **ERRORS}, operation_id="messages")
def list_messages(
    request: HttpRequest, conversation_id: uuid.UUID, limit: Limit = 50, offset: Offset = 0
) -> dict[str, Any]:
    """What was said. What is handed out counts as read."""
    actor = person(request)
    found = queries.conversation_of(actor, conversation_id)
    said = queries.messages_in(found)
    page = list(said[offset : offset + limit])
    if page:
        actions.mark_read(actor=actor, conversation=found, until=page[-1].at)
    return {"count": said.count(), "items": [_message(request, message) for message in page]}


@router.post(
    "/conversations/{conversation_id}/messages", response={201: MessageOut, **ERRORS}, operation_id="send_message"
)
def send(request: HttpRequest, conversation_id: uuid.UUID, body: MessageIn, key: Key = None) -> Status[dict[str, Any]]:
    """Say something. With an `Idempotency-Key`, sending twice says it once."""
    said = actions.send_message(
        actor=person(request), conversation_id=conversation_id, body=body.body, client_key=key or uuid.uuid4().hex
    )
    return Status(201, _message(request, said))


def _conversation(request: HttpRequest, found: Conversation) -> dict[str, Any]:
    return {
        "id": found.pk,
        "output_id": found.output_id,
        "role": "buyer" if found.is_buyer(request.user) else "creator",
        "other": str(found.other_than(request.user)),
        "unread": found.unread,  # type: ignore[attr-defined]
        "last_message_at": found.last_message_at,
    }


def _message(request: HttpRequest, message: Message) -> dict[str, Any]:
    return {
        "id": message.pk,
        "author": str(message.author),
        "mine": message.author_id == request.user.pk,
        "body": message.body,
        "at": message.at,
    }
