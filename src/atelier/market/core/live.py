"""News for open pages. A row in LiveEvent wakes every web process through NOTIFY (trigger in migrations/0002)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext as _

from .errors import Denied
from .models import LiveEvent, Watch

SALT = "atelier.live"
DAY = 86_400
WATCH_SECONDS = 10


def publish(topic: str, kind: str, **data: Any) -> LiveEvent:
    """Tell whoever watches `topic`; heard when the surrounding transaction commits."""
    return LiveEvent.objects.create(topic=topic, kind=kind, data=data)


def publish_anew(topic: str, kind: str, *, sample: int, **data: Any) -> LiveEvent:
    """Tell what takes the place of all that was told before of a sample: who comes later hears the latest only."""
    LiveEvent.objects.filter(topic=topic, kind=kind, data__sample=sample).delete()
    return publish(topic, kind, sample=sample, **data)


def latest(topic: str) -> int:
    """The number of a topic's last event. Taken before the state is read, a page misses nothing."""
    return LiveEvent.objects.filter(topic=topic).order_by("-pk").values_list("pk", flat=True).first() or 0


def ticket(topic: str) -> str:
    """A signed, day-long right to watch a topic. Only a page that checked the viewer's right hands one out."""
    return signing.dumps(topic, salt=SALT)


def topic_of(ticket: str) -> str:
    """The topic a ticket is for. Errors: Denied when it is forged or older than a day."""
    try:
        topic: str = signing.loads(ticket, salt=SALT, max_age=DAY)
    except signing.BadSignature:
        raise Denied(_("This live stream’s ticket has expired."), remedy=_("Reload the page.")) from None
    return topic


def watch(topic: str) -> None:
    """Note that someone watches a topic now; to be renewed before WATCH_SECONDS pass."""
    until = timezone.now() + timedelta(seconds=WATCH_SECONDS)
    Watch.objects.update_or_create(topic=topic, defaults={"until": until})


def abandoned(topic: str) -> bool:
    """Whether someone watched a topic and nobody does any more. False for what nobody ever watched."""
    return Watch.objects.filter(topic=topic, until__lt=timezone.now()).exists()
