"""The e-mail that tells of a first unread message."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from . import queries
from .models import Message

RETRY = RetryStrategy(max_attempts=6, exponential_wait=4)


@app.task(queue="quick", retry=RETRY)
def tell_by_mail(*, message_id: int) -> None:
    """Tell the other side that a message waits, unless they have read it by now or were told before.

    The mark is written in the transaction in which the letter goes out: a letter that failed is tried again.
    """
    with transaction.atomic():
        message = (
            Message.objects.select_for_update(of=("self",))
            .select_related("author", "conversation__buyer", "conversation__creator__user")
            .get(pk=message_id)
        )
        conversation = message.conversation
        reader = conversation.other_than(message.author)
        if message.noticed_at or not queries.unread_in(conversation, reader).filter(pk=message.pk).exists():
            return
        Message.objects.filter(pk=message.pk).update(noticed_at=timezone.now())
        where = settings.SITE_URL + reverse("hiring:conversation", args=[conversation.pk])
        send_mail(
            subject=_("%(name)s wrote to you") % {"name": _one_line(message.author.get_full_name())},
            message=_("%(name)s wrote to you about a piece. Read and answer it here:\n\n%(where)s\n")
            % {"name": _one_line(message.author.get_full_name()), "where": where},
            from_email=settings.DEFAULT_FROM_EMAIL,
            recipient_list=[reader.email],
        )


def _one_line(name: str) -> str:
    """A name that cannot break a mail's head."""
    return " ".join(name.split())
