"""Jobs of the core: delivering events, pruning what open pages no longer need."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from . import events
from .models import LiveEvent

log = logging.getLogger(__name__)

RETRY = RetryStrategy(max_attempts=8, exponential_wait=2)


@app.task(queue="quick", retry=RETRY)
def deliver(*, event: int, handler: str) -> None:
    """Hand an event to one of its handlers."""
    events.hand_over(event, handler)


@app.periodic(cron="17 * * * *")
@app.task(queue="quick", queueing_lock="prune_live_events")
def prune_live_events(timestamp: int) -> None:
    """Forget news for open pages after a day."""
    gone, _ = LiveEvent.objects.filter(at__lt=timezone.now() - timedelta(days=1)).delete()
    log.info("pruned %s live events", gone)
