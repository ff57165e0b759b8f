"""Factories for tests: published models that search knows of."""

from __future__ import annotations

from typing import Any

from atelier.market.accounts.models import Creator
from atelier.market.generation.testing import make_creation_model
from atelier.market.studio.models import CreationModel

from .actions import index_model
from .models import Listing


def make_listed(name: str, creator: Creator | None = None, **changes: Any) -> CreationModel:
    """A published model, indexed; `meaning` (384 numbers) stands in for what the worker would read."""
    meaning = changes.pop("meaning", None)
    values = {"name": name, "slug": name.lower().replace(" ", "-"), "works": 4, **changes}
    model = make_creation_model(creator, **values)
    index_model(model.pk)
    if meaning is not None:
        Listing.objects.filter(creation_model=model).update(meaning=meaning)
    return model


def direction(*at: int) -> list[float]:
    """A unit vector with equal parts in the dimensions named."""
    return [len(at) ** -0.5 if place in at else 0.0 for place in range(384)]
