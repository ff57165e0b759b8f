"""Jobs of the installation itself."""

from __future__ import annotations

from contextlib import suppress

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

STEP_SECONDS = 2


@app.task(queue="quick", retry=RetryStrategy(max_attempts=5, wait=3))
def grow(*, handle: str) -> None:
    """Take a demo creator's model one step further, and come back until it stands."""
    from atelier.config.demo.growth import next_step
    from atelier.market.accounts.models import Creator

    if next_step(Creator.objects.select_related("user").get(handle=handle, user__is_demo=True)):
        # The next start of the site may have put the same step in the queue already.
        with suppress(AlreadyEnqueued):
            grow.configure(queueing_lock=f"grow:{handle}", schedule_in={"seconds": STEP_SECONDS}).defer(handle=handle)
