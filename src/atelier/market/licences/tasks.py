"""The job that makes a licence's files."""

from __future__ import annotations

import uuid

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

# Without an end: whoever paid gets their files, however long a full disk or a lost database kept them back.
RETRY = RetryStrategy(wait=3, linear_wait=10)


@app.task(queue="quick", retry=RETRY)
def make_files(*, licence_id: str) -> None:
    """Make whatever of a licence's files is still missing."""
    from .making import make

    make(uuid.UUID(licence_id))
