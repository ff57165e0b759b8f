"""Briefs and samples as JSON. An output never holds more than its asker may see."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from ninja import Header, Router, Schema, Status
from pydantic import Field

from atelier.market.accounts.auth import anybody, bearer_or_session
from atelier.market.accounts.queries import person
from atelier.market.core import live
from atelier.market.core.errors import Invalid
from atelier.market.core.schemas import ERRORS, NO_NUL, PICTURE, IdempotencyKey, Limit, Offset, RowId

from . import actions, queries, quota
from .cards import Card, cards, cards_by_generation, cards_of
from .engines import capabilities_of
from .lineage import make_another
from .models import Generation
from .sending import send_picture

router = Router()


class BriefFormOut(Schema):
    """What a creation model wants to know: a JSON Schema; and how many free samples are left today."""

    creation_model_id: int
    brief_schema: dict[str, Any]
    variations: list[VariationOut]
    samples_most: int
    samples_left: int
    samples_a_day: int
    again_at: datetime


class GenerationIn(Schema):
    """A brief for a published creation model, or (`version_id`) for one's own playground.

    With `source`, one of one's own generations, and `again`, its seeds are used once more.
    """

    creation_model_id: RowId | None = None
    version_id: RowId | None = None
    brief: dict[str, Any]
    samples: Annotated[int, Field(ge=1, le=100)] = 1
    source: uuid.UUID | None = None
    again: bool = False


class VariationOut(Schema):
    """One way to have a sample made anew. With `edits` the brief may be changed on the way."""

    name: str
    title: str
    description: str
    edits: bool


class AnotherIn(Schema):
    """How another is to be made from a sample: `way` is one of the variations; `brief` only where that one edits."""

    way: Annotated[str, Field(min_length=1, max_length=40), NO_NUL]
    brief: dict[str, Any] = {}
    samples: Annotated[int, Field(ge=1, le=100)] = 1


class OutputOut(Schema):
    """A piece. `shown` is what the asker may see of it: an opening, or (`whole`) all of it.

    Of a text it is {"text": str}; of a picture {"image": address, "width", "height" in pixels, "told": what is seen}.
    """

    id: uuid.UUID
    generation_id: uuid.UUID
    sample: int
    seed: int
    kind: str
    state: str
    extent: int
    extent_unit: str
    finish: str
    whole: bool
    licensed: bool
    shown: dict[str, Any] | None
    prices_minor: dict[str, int]
    currency: str
    showcased: bool
    record: str


class ProblemOut(Schema):
    """Why nothing was made, the field of the brief it concerns, and what to do."""

    code: str
    message: str
    field: str
    remedy: str


class GenerationOut(Schema):
    """A brief and its samples. `live` is a stream of server-sent events for a day; asking again works as well.

    A picture in `brief` is told as {"bytes": how many}. `parent` is the sample that this makes anew, by `way`. `ahead`
    counts those whose turn comes before this one's while it waits. `seconds_left` is until its turn comes while it
    waits, until it is done while it is made; null while unknown.
    """

    id: uuid.UUID
    creation_model_id: int
    version_id: int
    playground: bool
    brief: dict[str, Any]
    seeds: list[int]
    parent: uuid.UUID | None
    way: str
    state: str
    ahead: int
    done: int
    planned: int
    seconds_left: float | None
    problem: ProblemOut | None
    outputs: list[OutputOut]
    live: str
    created_at: datetime
    ended_at: datetime | None


class GenerationsOut(Schema):
    """A page of generations, newest first."""

    count: int
    items: list[GenerationOut]


@router.get("/models/{creation_model_id}/brief", response={200: BriefFormOut, **ERRORS}, operation_id="brief_form")
def brief_form(request: HttpRequest, creation_model_id: RowId) -> dict[str, Any]:
    """The schema that a brief for this creation model must fit, and how many samples are left today."""
    model = queries.published_model(creation_model_id)
    capabilities = capabilities_of(model)
    left = quota.left(person(request), model)
    return {
        "creation_model_id": model.pk,
        "brief_schema": capabilities.brief_schema,
        "variations": [way.model_dump() for way in capabilities.variations],
        "samples_most": capabilities.limits.samples_max,
        "samples_left": left.here,
        "samples_a_day": left.of,
        "again_at": left.again_at,
    }


@router.post("/generations", response={202: GenerationOut, **ERRORS}, operation_id="ask_for_samples")
def ask(
    request: HttpRequest,
    body: GenerationIn,
    key: Annotated[IdempotencyKey | None, Header(alias="Idempotency-Key")] = None,
) -> Status[dict[str, Any]]:
    """Ask for samples. With an `Idempotency-Key`, asking twice makes them once; look again until `state` is final."""
    if (body.creation_model_id is None) == (body.version_id is None):
        raise Invalid(
            _("A brief is for one creation model or for one version."),
            field="creation_model_id",
            remedy=_("Name either a creation_model_id or a version_id."),
        )
    actor = person(request)
    wish = actions.Wish(
        brief=body.brief,
        samples=body.samples,
        key=key or uuid.uuid4().hex,
        source=body.source,
        again=body.again,
        via_api=True,
    )
    if body.version_id is not None:
        made = actions.try_out(actor=actor, version=queries.version_of(actor, body.version_id), wish=wish)
    else:
        assert body.creation_model_id is not None
        model = queries.published_model(body.creation_model_id)
        made = actions.ask_for_samples(actor=actor, creation_model=model, wish=wish)
    return Status(202, get_generation(request, made.pk))


@router.get("/generations", response={200: GenerationsOut, **ERRORS}, operation_id="generations")
def list_generations(
    request: HttpRequest,
    limit: Limit = 20,
    offset: Offset = 0,
    q: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] = "",
) -> dict[str, Any]:
    """One's own generations, those with all words of `q` in brief, opening or name."""
    found = queries.search(queries.generations_of(request.user), q)
    rows = list(found[offset : offset + limit])
    of = cards_by_generation(rows, request.user)
    return {"count": found.count(), "items": [_generation(row, of[row.pk]) for row in rows]}


@router.get("/generations/{generation_id}", response={200: GenerationOut, **ERRORS}, operation_id="generation")
def get_generation(request: HttpRequest, generation_id: uuid.UUID) -> dict[str, Any]:
    """One of one's own generations."""
    found = queries.generation_of(request.user, generation_id)
    return _generation(found, cards_of(found, request.user))


@router.post(
    "/generations/{generation_id}/cancel", response={200: GenerationOut, **ERRORS}, operation_id="cancel_generation"
)
def cancel(request: HttpRequest, generation_id: uuid.UUID) -> dict[str, Any]:
    """Stop a generation. Twice is once."""
    actions.cancel(actor=person(request), generation_id=generation_id)
    return get_generation(request, generation_id)


@router.get("/outputs/{output_id}", response={200: OutputOut, **ERRORS}, operation_id="output")
def get_output(request: HttpRequest, output_id: uuid.UUID) -> dict[str, Any]:
    """A piece one may see: of one's own generations, licensed to one, or shown in public."""
    (card,) = cards([queries.output_seen_by(request.user, output_id)], request.user)
    return _output(card)


@router.post("/outputs/{output_id}/another", response={202: GenerationOut, **ERRORS}, operation_id="make_another")
def another(
    request: HttpRequest,
    output_id: uuid.UUID,
    body: AnotherIn,
    key: Annotated[IdempotencyKey | None, Header(alias="Idempotency-Key")] = None,
) -> Status[dict[str, Any]]:
    """Have samples made anew from one of one's own; counted as any others. With an `Idempotency-Key`, once."""
    wish = actions.Wish(brief=body.brief, samples=body.samples, key=key or uuid.uuid4().hex, via_api=True)
    made = make_another(actor=person(request), output_id=output_id, way=body.way, wish=wish)
    return Status(202, get_generation(request, made.pk))


@router.get(
    "/outputs/{output_id}/picture",
    response={**ERRORS},
    operation_id="output_picture",
    url_name="output_picture",
    auth=[*bearer_or_session, anybody],
    openapi_extra=PICTURE,
)
def get_picture(request: HttpRequest, output_id: uuid.UUID) -> HttpResponse:
    """The picture by which a piece is shown, as small as the asker may see it; what is shown in public, to anybody."""
    return send_picture(request, output_id)


@router.put("/outputs/{output_id}/showcase", response={200: OutputOut, **ERRORS}, operation_id="showcase_output")
def showcase(request: HttpRequest, output_id: uuid.UUID) -> dict[str, Any]:
    """Show a piece of one's own playground on the model's page, whole."""
    actions.showcase(actor=person(request), output_id=output_id)
    return get_output(request, output_id)


@router.delete(
    "/outputs/{output_id}/showcase", response={200: OutputOut, **ERRORS}, operation_id="take_output_from_showcase"
)
def take_from_showcase(request: HttpRequest, output_id: uuid.UUID) -> dict[str, Any]:
    """Undo it."""
    actions.take_from_showcase(actor=person(request), output_id=output_id)
    return get_output(request, output_id)


def _generation(generation: Generation, made: list[Card]) -> dict[str, Any]:
    problem = None
    if generation.error:
        problem = {
            "code": generation.error_code,
            "message": generation.error,
            "field": f"brief.{generation.error_where}" if generation.error_where else "",
            "remedy": generation.remedy,
        }
    return {
        "id": generation.pk,
        "creation_model_id": generation.creation_model_id,
        "version_id": generation.version_id,
        "playground": generation.is_playground,
        "brief": generation.brief_told,
        "seeds": generation.seeds,
        "parent": generation.parent_id,
        "way": generation.vary_way,
        "state": generation.state,
        "ahead": queries.place_in_queue(generation),
        "done": generation.done,
        "planned": generation.planned,
        "seconds_left": None if generation.is_over else generation.seconds_left,
        "problem": problem,
        "outputs": [_output(card) for card in made if card.output],
        "live": reverse("core:live", args=[live.ticket(generation.topic)]),
        "created_at": generation.created_at,
        "ended_at": generation.ended_at,
    }


def shown_of(card: Card) -> dict[str, Any] | None:
    """What a card shows as plain data; a picture by the address that sends it."""
    if card.shown is None or not card.picture_url:
        return card.shown
    assert card.output is not None
    return {"image": reverse("api:output_picture", args=[card.output.pk]), **card.shown}


def _output(card: Card) -> dict[str, Any]:
    output = card.output
    assert output is not None
    return {
        "id": output.pk,
        "generation_id": output.generation_id,
        "sample": output.sample,
        "seed": output.seed,
        "kind": output.kind,
        "state": output.state,
        "extent": output.extent,
        "extent_unit": card.extent_unit,
        "finish": output.finish,
        "whole": card.whole,
        "licensed": card.licensed,
        "shown": shown_of(card),
        "prices_minor": {offer.tier: offer.price_minor for offer in card.offers},
        "currency": card.creation_model.currency,
        "showcased": output.showcased_at is not None,
        "record": reverse("provenance:piece", args=[output.pk]),
    }
