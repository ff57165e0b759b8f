"""Search: by words, by likeness of letters when words find nothing, and by meaning; merged by rank."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta

from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordSimilarity
from django.db.models import F, QuerySet
from django.utils import timezone
from pgvector.django import CosineDistance

from atelier.market.studio.models import CreationModel

from .indexing import CONFIGURATIONS, plain
from .models import Listing, SearchMeaning
from .queries import findable

LONGEST_QUERY = 200
BEST = 200
# Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009, whose k this is.
RANK_CONSTANT = 60
ALIKE_AT_LEAST = 0.45
FARTHEST_MEANING = 0.7
WAIT_SECONDS = 0.4
POLL_SECONDS = 0.02
MOST_WAITING = 40
ASKED_LATELY = timedelta(seconds=20)


def tidy(query: str) -> str:
    """A search text as it is looked up: one space between words, no control characters, not too long."""
    kept = "".join(letter if letter.isprintable() else " " for letter in query)
    return " ".join(kept.split())[:LONGEST_QUERY].strip()


def search(query: str, *, category: str = "", language: str = "") -> list[int]:
    """Keys of published models, best first; all of them, newest first, for an empty query."""
    allowed = findable(category=tidy(category), language=tidy(language))
    query = tidy(query)
    if not query:
        return list(allowed.values_list("pk", flat=True))
    listings = Listing.objects.filter(creation_model__in=allowed.order_by())
    by_words = _by_words(listings, query) or _by_letters(listings, query)
    return fused([by_words, _by_meaning(listings, query)])


def in_order(keys: Iterable[int]) -> list[CreationModel]:
    """The models of these keys, in their order; what was unpublished meanwhile is left out."""
    wanted = list(keys)
    found = {model.pk: model for model in findable().filter(pk__in=wanted)}
    return [found[key] for key in wanted if key in found]


def fused(rankings: Iterable[list[int]]) -> list[int]:
    """Several rankings as one: each gives 1/(60 + rank) to what it names; ties go to the lower key."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, key in enumerate(ranking, start=1):
            scores[key] = scores.get(key, 0.0) + 1 / (RANK_CONSTANT + rank)
    return sorted(scores, key=lambda key: (-scores[key], key))


def _by_words(listings: QuerySet[Listing], query: str) -> list[int]:
    english, simple = (SearchQuery(plain(query), config=c, search_type="websearch") for c in CONFIGURATIONS)
    either = english | simple
    ranked = listings.filter(words=either).annotate(rank=SearchRank(F("words"), either, normalization=1))
    return list(ranked.order_by("-rank", "-creation_model").values_list("creation_model", flat=True)[:BEST])


def _by_letters(listings: QuerySet[Listing], query: str) -> list[int]:
    ranked = listings.annotate(alike=TrigramWordSimilarity(query, "text")).filter(alike__gte=ALIKE_AT_LEAST)
    return list(ranked.order_by("-alike", "-creation_model").values_list("creation_model", flat=True)[:BEST])


def _by_meaning(listings: QuerySet[Listing], query: str) -> list[int]:
    vector = meaning_of(query)
    if vector is None:
        return []
    ranked = listings.filter(meaning__isnull=False).annotate(far=CosineDistance("meaning", vector))
    near = ranked.filter(far__lte=FARTHEST_MEANING).order_by("far", "creation_model")
    return list(near.values_list("creation_model", flat=True)[:BEST])


def meaning_of(query: str) -> list[float] | None:
    """The vector of a search text, or None when the worker does not give it soon enough.

    It is kept, so the same search finds by meaning a moment later. Letter case does not matter.
    """
    known, new = SearchMeaning.objects.get_or_create(query=query.casefold()[:LONGEST_QUERY])
    if known.meaning is not None:
        return list(known.meaning)
    if not _ask_for(known, new):
        return None
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        time.sleep(POLL_SECONDS)
        found = SearchMeaning.objects.filter(pk=known.pk).values_list("meaning", flat=True).first()
        if found is not None:
            return list(found)
    return None


def _ask_for(wanted: SearchMeaning, new: bool) -> bool:
    """Have the worker read a search text, unless too many wait already; one asked for lately is not asked for again."""
    from .tasks import read_query

    now = timezone.now()
    if SearchMeaning.objects.filter(meaning=None, asked_at__gt=now - ASKED_LATELY).count() > MOST_WAITING:
        return False
    stale = SearchMeaning.objects.filter(pk=wanted.pk, asked_at__lt=now - ASKED_LATELY)
    if new or stale.update(asked_at=now):
        read_query.defer(query=wanted.query)
    return True
