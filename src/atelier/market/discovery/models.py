"""How models are found: one index row a published model, and vectors of what people searched for."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.functions import Now
from pgvector.django import HnswIndex, VectorField

from atelier.market.studio.models import CreationModel


class Listing(models.Model):
    """A published model as search sees it. `meaning` is null until the worker has read the text."""

    creation_model = models.OneToOneField(CreationModel, on_delete=models.CASCADE, related_name="listing")
    text = models.TextField()
    words = SearchVectorField(null=True)
    meaning = VectorField(dimensions=384, null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            GinIndex(fields=["words"]),
            HnswIndex(name="listing_meaning", fields=["meaning"], opclasses=["vector_cosine_ops"]),
        ]


class SearchMeaning(models.Model):
    """The vector of a search text, made in the worker while the page waits a moment, and kept for the next time."""

    query = models.CharField(max_length=200, unique=True)
    meaning = VectorField(dimensions=384, null=True)
    asked_at = models.DateTimeField(db_default=Now())
