"""Jobs: reading what texts mean, in the worker, where the encoder lives."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from atelier.workshop.runtime import runtime

from .models import Listing, SearchMeaning

RETRY = RetryStrategy(max_attempts=5, exponential_wait=3)
KEPT_DAYS = 30


@app.task(queue="quick", retry=RETRY)
def read_listing(*, creation_model_id: int) -> None:
    """Give a listing the vector of its text, unless the text changed while it was read."""
    listing = Listing.objects.filter(creation_model_id=creation_model_id, meaning=None).first()
    if listing is None:
        return
    (meaning,) = runtime().sentence_vectors([listing.text])
    Listing.objects.filter(pk=listing.pk, text=listing.text).update(meaning=meaning)


@app.task(queue="quick")
def read_query(*, query: str) -> None:
    """Give a search text its vector."""
    if SearchMeaning.objects.filter(query=query, meaning=None).exists():
        (meaning,) = runtime().sentence_vectors([query])
        SearchMeaning.objects.filter(query=query).update(meaning=meaning)


@app.periodic(cron="41 3 * * *")
@app.task(queue="quick", queueing_lock="forget_old_searches")
def forget_old_searches(timestamp: int) -> None:
    """What was searched for is not kept longer than it is useful."""
    SearchMeaning.objects.filter(asked_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).delete()
