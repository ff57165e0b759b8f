"""Settings of a training run, taken from a spec only inside the bounds in which they make sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

from atelier.workshop.contract import WorkshopError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Recipe = TypeVar("Recipe", bound="DataclassInstance")


class RecipeInvalid(WorkshopError):
    """A setting of the recipe is unknown or out of bounds; `where` names it."""

    code = "recipe_invalid"


def overridden(
    recipe: Recipe, bounds: Mapping[str, tuple[float, float]], overrides: Mapping[str, float | int | str | bool]
) -> Recipe:
    """A recipe with other settings, whole numbers where its own are. Errors: RecipeInvalid naming the setting."""
    own = {field.name: getattr(recipe, field.name) for field in fields(recipe)}
    chosen: dict[str, float | int] = {}
    for name, value in overrides.items():
        if name not in own:
            raise RecipeInvalid("There is no such setting.", where=name, remedy=f"There are {', '.join(own)}.")
        (low, high), whole = bounds[name], isinstance(own[name], int)
        if isinstance(value, str | bool) or not low <= value <= high or (whole and value != int(value)):
            kind = "a whole number" if whole else "a number"
            raise RecipeInvalid(f"“{value}” will not do.", where=name, remedy=f"Give {kind} from {low:g} to {high:g}.")
        chosen[name] = int(value) if whole else float(value)
    return replace(recipe, **chosen)
