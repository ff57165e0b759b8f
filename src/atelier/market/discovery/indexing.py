"""What search knows of a creation model: its text, weighted, and the words in it."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import reduce

from django.contrib.postgres.search import SearchVector
from django.db.models import Func, TextField, Value
from django.db.models.expressions import Combinable

from atelier.market.generation.queries import showcased
from atelier.market.studio.models import CreationModel

from .queries import categories, schema_of

EXAMPLES = 12
# A model is found by stems of English words and by every word just as it is written, whatever its language.
CONFIGURATIONS = ("english", "simple")


def parts(model: CreationModel) -> dict[str, str]:
    """The text of a model by weight, A (its name) to D (what its shown pieces were briefed with)."""
    craft = next((found.title for found in categories() if found.slug == model.category), model.category)
    people = f"{model.creator.user.name} {model.creator.handle} {model.creator.headline}"
    return {
        "A": model.name,
        "B": " ".join([craft, people, *model.tags]),
        "C": model.about,
        "D": " ".join(_subjects(model)),
    }


def _subjects(model: CreationModel) -> Iterable[str]:
    """What people wrote into free fields of the briefs behind the pieces that the creator shows."""
    free = {
        name
        for name, field in schema_of(model).get("properties", {}).items()
        if field.get("type") == "string" and "enum" not in field and "format" not in field
    }
    for output in showcased(model)[:EXAMPLES]:
        for name, value in output.generation.brief_told.items():
            if name in free and isinstance(value, str):
                yield value


def plain(text: str) -> Func:
    """A text in SQL without its accents."""
    return Func(Value(text, TextField()), function="unaccent", output_field=TextField())


def weighted_words(texts: dict[str, str]) -> Combinable:
    """The tsvector of a model's text, as an expression."""
    vectors = [
        SearchVector(plain(text), config=configuration, weight=weight)
        for weight, text in texts.items()
        for configuration in CONFIGURATIONS
    ]
    return reduce(operator.add, vectors)
