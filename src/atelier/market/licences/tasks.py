"""The job that makes a licence's files."""

from __future__ import annotations

import uuid

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

RETRY = RetryStrategy(max_attempts=6, exponential_wait=3)


@app.task(queue="quick", retry=RETRY)
def make_files(*, licence_id: str) -> None:
    """Make whatever of a licence's files is still missing."""
    from .making import make

    make(uuid.UUID(licence_id))
