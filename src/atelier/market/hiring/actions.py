"""Writing to the person behind a piece, and reading what they answered."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit, events, live
from atelier.market.core.errors import Conflict, Denied, Invalid
from atelier.market.generation.models import Output
from atelier.market.generation.queries import may_see_whole, output_seen_by

from . import queries
from .models import Conversation, Message

BODY_MOST = 4000
# Who has the conversation open reads it before that, and needs no letter.
MAIL_AFTER_SECONDS = 15


@transaction.atomic
def start_conversation(*, actor: User, output_id: uuid.UUID, body: str, client_key: str) -> Conversation:
    """Write to the creator of a piece; the first message opens the one conversation about it.

    Errors: Missing for a piece this person cannot see; Denied for one's own; Conflict for a piece that was sold
    exclusively to someone else; Invalid for an empty or too long message.
    """
    output = output_seen_by(actor, output_id)
    creator = output.generation.creation_model.creator
    if creator.user_id == actor.pk:
        raise Denied(_("This piece is your own."), remedy=_("Those who brief your models write to you."))
    begun = queries.conversation_about(actor, output.pk)
    if begun is None and output.state == Output.State.WITHDRAWN and not may_see_whole(actor, output):
        raise Conflict(
            _("This piece was sold exclusively to someone else."), remedy=_("Write to them about another piece.")
        )
    _check(body)
    # Two clicks at once: the second waits for the first and finds its conversation.
    Conversation.objects.bulk_create([Conversation(buyer=actor, creator=creator, output=output)], ignore_conflicts=True)
    conversation = Conversation.objects.get(buyer=actor, output=output)
    if not conversation.messages.exists():
        audit.record(actor, "hiring.conversation_started", conversation)
    send_message(actor=actor, conversation_id=conversation.pk, body=body, client_key=client_key)
    return conversation


@transaction.atomic
def send_message(*, actor: User, conversation_id: uuid.UUID, body: str, client_key: str) -> Message:
    """Say something in a conversation one is part of; the same key again says it once.

    Errors: Missing for anyone else; Invalid for an empty or too long message; Conflict for a key used otherwise.
    """
    from .tasks import tell_by_mail

    text = _check(body)
    conversation = queries.conversation_of(actor, conversation_id, lock=True)
    said = Message.objects.filter(conversation=conversation, author=actor, client_key=client_key).first()
    if said is not None:
        if said.body != text:
            raise Conflict(
                _("This key was used for another message."), field="client_key", remedy=_("Send it with a new key.")
            )
        return said
    first_unread = not queries.unread_in(conversation, conversation.other_than(actor)).exists()
    # Under the row's lock, so that times in a conversation only go up and “read until” misses nothing.
    at = _after(conversation.last_message_at)
    said = Message.objects.create(conversation=conversation, author=actor, body=text, client_key=client_key, at=at)
    own_side = "buyer_read_at" if conversation.is_buyer(actor) else "creator_read_at"
    Conversation.objects.filter(pk=conversation.pk).update(last_message_at=at, **{own_side: at})
    audit.record(actor, "hiring.message_sent", said)
    events.emit("hiring.message_sent", message_id=said.pk, conversation_id=str(conversation.pk))
    live.publish(conversation.topic, "message", message_id=said.pk)
    live.publish(f"inbox:{conversation.other_than(actor).pk}", "message", conversation_id=str(conversation.pk))
    if first_unread:
        tell_by_mail.configure(schedule_in={"seconds": MAIL_AFTER_SECONDS}).defer(message_id=said.pk)
    return said


@transaction.atomic
def mark_read(*, actor: User, conversation: Conversation, until: datetime) -> None:
    """Note that this side has seen everything up to a moment; never goes back."""
    side = "buyer_read_at" if conversation.is_buyer(actor) else "creator_read_at"
    Conversation.objects.filter(pk=conversation.pk).exclude(**{f"{side}__gte": until}).update(**{side: until})


def _check(body: str) -> str:
    text = body.replace("\r\n", "\n").strip()
    if not text:
        raise Invalid(_("The message is empty."), field="body", remedy=_("Write what you would like to ask."))
    if "\x00" in text:
        raise Invalid(_("The message holds a character that cannot be kept."), field="body", remedy=_("Remove it."))
    if len(text) > BODY_MOST:
        raise Invalid(
            _("The message has %(length)d characters; %(most)d fit.") % {"length": len(text), "most": BODY_MOST},
            field="body",
            remedy=_("Say it in two messages."),
        )
    return text


def _after(moment: datetime) -> datetime:
    return max(timezone.now(), moment + timedelta(microseconds=1))
