"""Jobs of the core: delivering events, forgetting what open pages and browsers no longer need."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.core.management import call_command
from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from . import events
from .models import LiveEvent, Watch

log = logging.getLogger(__name__)

RETRY = RetryStrategy(max_attempts=8, exponential_wait=2)


@app.task(queue="quick", retry=RETRY)
def deliver(*, event: int, handler: str) -> None:
    """Hand an event to one of its handlers."""
    events.hand_over(event, handler)


@app.periodic(cron="17 * * * *")
@app.task(queue="quick", queueing_lock="prune_live_events")
def prune_live_events(timestamp: int) -> None:
    """Forget news for open pages after a day, and who watched what they told of."""
    day_ago = timezone.now() - timedelta(days=1)
    gone, _ = LiveEvent.objects.filter(at__lt=day_ago).delete()
    Watch.objects.filter(until__lt=day_ago).delete()
    log.info("pruned %s live events", gone)


@app.periodic(cron="23 4 * * *")
@app.task(queue="quick", queueing_lock="forget_old_sessions")
def forget_old_sessions(timestamp: int) -> None:
    """Remove the sessions that nobody can use any more."""
    call_command("clearsessions")
