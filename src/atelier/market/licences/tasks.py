"""The jobs of a licence: its files, and which works shaped what was sold."""

from __future__ import annotations

import logging
import uuid

from procrastinate import JobContext, RetryStrategy
from procrastinate.contrib.django import app

log = logging.getLogger(__name__)

# Without an end: whoever paid gets their files, however long a full disk or a lost database kept them back.
RETRY = RetryStrategy(wait=3, linear_wait=10)
ATTEMPTS = 5
"""How often it is tried to tell which works shaped a sale."""


@app.task(queue="quick", retry=RETRY)
def make_files(*, licence_id: str) -> None:
    """Make whatever of a licence's files is still missing."""
    from .making import make

    make(uuid.UUID(licence_id))


# One at a time: each takes a base model's worth of memory.
@app.task(
    queue="quick", lock="attribute_sale", retry=RetryStrategy(max_attempts=ATTEMPTS, linear_wait=60), pass_context=True
)
def attribute_sale(context: JobContext, *, licence_id: str) -> None:
    """Find out which works shaped a sold piece, once."""
    from .attributing import attribute

    attribute(uuid.UUID(licence_id), last=context.job.attempts >= ATTEMPTS)


@app.periodic(cron="37 * * * *")
@app.task(queue="quick", queueing_lock="attribute_forgotten_sales")
def attribute_forgotten_sales(timestamp: int) -> None:
    """Queue the sales of which nothing was written down: older than attribution, or their job was lost."""
    from .queries import sales_without_attribution

    for licence_id in sales_without_attribution():
        log.info("queueing the attribution of licence %s again", licence_id)
        attribute_sale.defer(licence_id=str(licence_id))
