"""News between rooms: an event row in the deed's own transaction, then the handlers that config/subscriptions.py names.

A subscription is either `inline` (runs in the same transaction: both happen or neither) or a job (runs soon, once,
after the commit). Handlers are functions of the event's data; a job handler's own writes and its Delivery row share a
transaction, so a job that is run twice acts once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from .models import Delivery, Event

Handler = Callable[..., None]


@dataclass(frozen=True)
class Subscription:
    """That `handler` (a dotted path) hears the event `name`; inline ones share its transaction."""

    name: str
    handler: str
    inline: bool = False


@cache
def _table() -> tuple[Subscription, ...]:
    table: tuple[Subscription, ...] = import_string(
        getattr(settings, "SUBSCRIPTIONS", "atelier.config.subscriptions.SUBSCRIPTIONS")
    )
    return table


def emit(name: str, **data: Any) -> Event:
    """Tell that something happened. `data` is JSON; handlers get it as keyword arguments.

    Must be called inside the transaction of what it tells of.
    """
    from .tasks import deliver

    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An event belongs in the transaction of what it tells of.")
    event = Event.objects.create(name=name, data=data)
    for subscription in _table():
        if subscription.name != name:
            continue
        if subscription.inline:
            _run(event, subscription.handler)
        else:
            deliver.defer(event=event.pk, handler=subscription.handler)
    return event


def hand_over(event_id: int, handler: str) -> None:
    """Run a job handler for an event unless it was run before."""
    with transaction.atomic():
        # The row lock makes two workers that took the same job take turns.
        event = Event.objects.select_for_update().get(pk=event_id)
        _run(event, handler)


def _run(event: Event, handler: str) -> None:
    _, first_time = Delivery.objects.get_or_create(event=event, handler=handler)
    if first_time:
        call: Handler = import_string(handler)
        call(**event.data)
