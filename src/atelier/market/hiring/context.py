"""What the head of every page says of messages."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from . import queries


def unread(request: HttpRequest) -> dict[str, object]:
    """How many messages wait for the person; counted only where a template asks."""
    return {"unread_messages": SimpleLazyObject(lambda: queries.unread_count(getattr(request, "user", None)))}
