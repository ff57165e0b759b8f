"""What anyone may find, as JSON, without a token. A listing is a published model; its id is the model’s."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from atelier.market.accounts.models import Creator
from atelier.market.core.schemas import ERRORS, Limit, Offset, RowId
from atelier.market.generation.api import shown_of
from atelier.market.generation.cards import Card, offers
from atelier.market.studio.answers import Question
from atelier.market.studio.api import SheetOut
from atelier.market.studio.models import CreationModel
from atelier.market.studio.queries import public_sheets

from . import queries
from .search import in_order, search

router = Router(auth=None)

Handle = Annotated[str, Field(max_length=40)]
Slug = Annotated[str, Field(max_length=40)]


class CategoryOut(Schema):
    """A craft, with how many published models it has."""

    slug: str
    title: str
    models: int


class PersonOut(Schema):
    """Who is behind a model."""

    handle: str
    name: str
    headline: str
    languages: list[str]


class OfferOut(Schema):
    """What a licence tier costs and permits. `price_minor` is in minor units of `currency`."""

    tier: str
    name: str
    permits: str
    price_minor: int
    currency: str


class ModelOut(Schema):
    """A published model as lists show it."""

    id: int
    name: str
    slug: str
    path: str
    category: str
    about: str
    tags: list[str]
    creator: PersonOut
    from_minor: int
    currency: str
    published_at: datetime | None


class PieceOut(Schema):
    """A piece that the creator shows. `shown` belongs to its kind: {"text": str} of a text; of a picture {"image":
    address, "width", "height", "told": what is seen}."""

    id: str
    kind: str
    extent: int
    extent_unit: str
    shown: dict[str, Any]


class AnswerOut(Schema):
    """One of the four questions of the proof: a few plain words, a sentence, and figures with 95 % intervals.

    `picture` holds bars on one axis from `least` to `most`; null where nothing is compared.
    """

    question: str
    verdict: str
    headline: str
    sentence: str
    picture: dict[str, Any] | None
    measures: list[dict[str, Any]]


class ModelPageOut(ModelOut):
    """A published model with all that its page shows."""

    offers: list[OfferOut]
    subjects_refused: list[str]
    words_never: list[str]
    samples_a_day: int
    reveal_percent: int
    brief_schema: dict[str, Any]
    summary: str
    proof: list[AnswerOut]
    sheets: list[SheetOut]
    pieces: list[PieceOut]


class ModelsOut(Schema):
    """A page of models, best first, and how many there are in all."""

    items: list[ModelOut]
    count: int


class CreatorOut(PersonOut):
    """A creator with the models they offer."""

    about: str
    models: list[ModelOut]


class Search(Schema):
    """What to look for. All empty: everything, newest first."""

    q: Annotated[str, Field(max_length=200)] = ""
    category: Slug = ""
    language: Annotated[str, Field(max_length=8)] = ""
    limit: Limit = 20
    offset: Offset = 0


def _answer(question: Question) -> dict[str, Any]:
    return {
        "question": question.slug,
        "verdict": question.verdict,
        "headline": question.headline,
        "sentence": question.sentence,
        "picture": question.picture,
        "measures": question.rows,
    }


def _person(creator: Creator) -> dict[str, Any]:
    return {
        "handle": creator.handle,
        "name": creator.user.name,
        "headline": creator.headline,
        "languages": creator.languages,
    }


def _listed(model: CreationModel) -> dict[str, Any]:
    return {
        "id": model.pk,
        "name": model.name,
        "slug": model.slug,
        "path": f"/@{model.creator.handle}/{model.slug}/",
        "category": model.category,
        "about": model.about,
        "tags": model.tags,
        "creator": _person(model.creator),
        "from_minor": queries.Picture(model, "").from_minor,
        "currency": model.currency,
        "published_at": model.published_at,
    }


def _piece(card: Card) -> dict[str, Any]:
    assert card.output is not None
    return {
        "id": str(card.output.pk),
        "kind": card.kind,
        "extent": card.output.extent,
        "extent_unit": card.extent_unit,
        "shown": shown_of(card) or {},
    }


@router.get("/categories", response={200: list[CategoryOut], **ERRORS})
def list_categories(request: HttpRequest) -> list[dict[str, Any]]:
    """The crafts of this market."""
    return [
        {"slug": craft.category.slug, "title": craft.category.title, "models": craft.models}
        for craft in queries.crafts()
    ]


@router.get("/listings", response={200: ModelsOut, **ERRORS})
def list_listings(request: HttpRequest, wanted: Query[Search]) -> dict[str, Any]:
    """Published models found by words and by meaning."""
    keys = search(wanted.q, category=wanted.category, language=wanted.language)
    part = in_order(keys[wanted.offset : wanted.offset + wanted.limit])
    return {"items": [_listed(model) for model in part], "count": len(keys)}


@router.get("/listings/{model_id}", response={200: ModelPageOut, **ERRORS})
def get_listing(request: HttpRequest, model_id: RowId) -> dict[str, Any]:
    """One published model: offers, guardrails, the form of its briefs, its proof, the pieces its creator shows."""
    model = queries.findable_model(model_id)
    summary, questions = queries.proof(model)
    return {
        **_listed(model),
        "offers": offers(model),
        "subjects_refused": model.subjects_refused,
        "words_never": model.words_never,
        "samples_a_day": model.samples_a_day,
        "reveal_percent": model.reveal_percent,
        "brief_schema": queries.schema_of(model),
        "summary": summary,
        "proof": [_answer(question) for question in questions],
        "sheets": [SheetOut.of(sheet) for sheet in public_sheets(model)],
        "pieces": [_piece(card) for card in queries.shown_pieces(model, request.user)],
    }


@router.get("/creators/{handle}", response={200: CreatorOut, **ERRORS})
def get_creator(request: HttpRequest, handle: Handle) -> dict[str, Any]:
    """A creator and the models they offer."""
    person = queries.creator_page(handle)
    listed = [_listed(model) for model in person.published]  # type: ignore[attr-defined]
    return {**_person(person), "about": person.about, "models": listed}
