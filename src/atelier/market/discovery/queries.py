"""Reads: what anyone may find, and who is behind it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import CharField, Count, F, Func, Prefetch, QuerySet
from django.utils.translation import gettext as _

from atelier.market.accounts.models import Creator
from atelier.market.core.errors import Missing
from atelier.market.generation.cards import Card, cards
from atelier.market.generation.models import Output
from atelier.market.generation.queries import showcased
from atelier.market.studio.answers import Question, questions_of
from atelier.market.studio.models import CreationModel, TrainingRun
from atelier.market.studio.queries import heavy_of, published_models
from atelier.workshop.contract import Category, WorkshopError, engine, engines

SHOWN = 12


@cache
def categories() -> tuple[Category, ...]:
    """All crafts of the engines installed, once each, in order of title."""
    found: dict[str, Category] = {}
    for each in engines().values():
        for category in each.capabilities().categories:
            found.setdefault(category.slug, category)
    return tuple(sorted(found.values(), key=lambda category: category.title))


def category_of(slug: str) -> Category:
    """The craft of that name. Errors: Missing."""
    for category in categories():
        if category.slug == slug:
            return category
    raise Missing(_("There is no such craft here."), remedy=_("Choose one from the front page."))


def schema_of(model: CreationModel) -> dict[str, Any]:
    """The brief schema of a model's engine; empty when that engine is not installed any more."""
    try:
        return engine(model.engine).capabilities().brief_schema
    except WorkshopError:
        return {}


def findable(*, category: str = "", language: str = "") -> QuerySet[CreationModel]:
    """Published models, newest first, of a craft and of creators who write a language, where given."""
    found = published_models().order_by(F("published_at").desc(nulls_last=True), "-pk")
    if category:
        found = found.filter(category=category)
    if language:
        found = found.filter(creator__languages__contains=[language])
    return found


@dataclass(frozen=True)
class Craft:
    """A category with how many published models it has."""

    category: Category
    models: int


def crafts() -> list[Craft]:
    """Every craft with the number of its published models."""
    counts = dict(published_models().order_by().values_list("category").annotate(Count("pk")))
    return [Craft(category, counts.get(category.slug, 0)) for category in categories()]


def languages() -> list[str]:
    """The languages of the creators of published models."""
    spoken = Func(F("creator__languages"), function="unnest", output_field=CharField())
    return sorted(published_models().annotate(language=spoken).values_list("language", flat=True).distinct())


@dataclass(frozen=True)
class Picture:
    """A model as a list shows it: with its craft's title and the newest piece its creator shows."""

    model: CreationModel
    craft: str
    card: Card | None = None

    @property
    def from_minor(self) -> int:
        """The lowest price of a licence."""
        return min(self.model.personal_minor, self.model.commercial_minor, self.model.exclusive_minor)


def pictures(models: Iterable[CreationModel], viewer: Any) -> list[Picture]:
    """Models with what lists show of them, in few queries however many they are."""
    found = list(models)
    titles = {category.slug: category.title for category in categories()}
    newest = (
        Output.objects.filter(
            generation__creation_model__in=[model.pk for model in found],
            showcased_at__isnull=False,
            state=Output.State.OFFERED,
        )
        .select_related("generation__creation_model__creator__user", "generation__version")
        .defer(*heavy_of("generation__version"), "generation__brief")
        .order_by("generation__creation_model", "-showcased_at")
        .distinct("generation__creation_model")
    )
    shown = {card.creation_model.pk: card for card in cards(newest, viewer)}
    return [Picture(model, titles.get(model.category, model.category), shown.get(model.pk)) for model in found]


def shown_pieces(model: CreationModel, viewer: Any) -> list[Card]:
    """The pieces that the creator chose to show, whole, newest choice first."""
    return cards(showcased(model)[:SHOWN], viewer)


def creator_page(handle: str) -> Creator:
    """A creator with `published`, the models anyone may brief. Errors: Missing.

    A creator who is not vetted and has nothing published has no public page.
    """
    found = (
        Creator.objects.select_related("user")
        .prefetch_related(Prefetch("creation_models", findable(), to_attr="published"))
        .filter(handle=handle, user__is_active=True)
        .first()
    )
    if found is None or not (found.is_vetted or found.published):
        raise Missing(_("There is no such creator here."), remedy=_("Search by name or craft."))
    return found


def model_page(handle: str, slug: str) -> CreationModel:
    """A published model by its address. Errors: Missing, for one that is not published too."""
    found = findable().filter(creator__handle=handle, slug=slug).first()
    if found is None:
        raise Missing(_("There is no such creation model here, or it is not offered now."), remedy=_("Search again."))
    return found


def findable_model(model_id: int) -> CreationModel:
    """A published model by its key. Errors: Missing."""
    found = findable().filter(pk=model_id).first()
    if found is None:
        raise Missing(_("There is no such creation model here, or it is not offered now."), remedy=_("Search again."))
    return found


def proof(model: CreationModel) -> tuple[str, list[Question]]:
    """What a model's version learned: the summary, and the answers with pictures, figures and 95 % intervals."""
    evaluation = model.version.evaluation if model.version else {}
    return evaluation.get("summary_public") or evaluation.get("summary", ""), questions_of(evaluation, to_creator=False)


def demo_training() -> list[TrainingRun]:
    """Trainings of the demo's own creators that are under way; anyone may watch them."""
    under_way = (TrainingRun.State.QUEUED, TrainingRun.State.RUNNING)
    return list(
        TrainingRun.objects.filter(creation_model__creator__user__is_demo=True, state__in=under_way)
        .select_related("creation_model__creator__user")
        .order_by("pk")
    )
