"""Jobs that find out what became of a payment."""

from __future__ import annotations

import logging
import uuid

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from . import settling

log = logging.getLogger(__name__)

SLOWEST_SECONDS = 60


def settle_soon(purchase_id: uuid.UUID, asked: int = 0) -> None:
    """Have a purchase settled once the surrounding transaction commits: at once, then ever less often."""
    wait = 0 if asked == 0 else min(2**asked, SLOWEST_SECONDS)
    job = settle.configure(schedule_in={"seconds": wait}, queueing_lock=f"settle:{purchase_id}")
    try:
        with transaction.atomic():
            job.defer(purchase_id=str(purchase_id), asked=asked)
    except AlreadyEnqueued:
        log.debug("purchase %s is to be settled already", purchase_id)


@app.task(queue="quick")
def settle(*, purchase_id: str, asked: int = 0) -> None:
    """Ask the gateway about one purchase; ask again later while it is not known."""
    if not settling.settle_quietly(uuid.UUID(purchase_id)):
        settle_soon(uuid.UUID(purchase_id), asked + 1)


@app.periodic(cron="* * * * * */10")
@app.task(queue="quick", queueing_lock="settle_purchases")
def settle_purchases(timestamp: int) -> None:
    """Take up purchases whose process was lost in between, also right after the worker starts."""
    for purchase_id in settling.waiting():
        settle_soon(purchase_id)
