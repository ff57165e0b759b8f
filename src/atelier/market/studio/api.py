"""The studio as JSON: creation models, trainings, versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from ninja import Header, Router, Schema, Status
from pydantic import Field

from atelier.market.accounts.auth import anybody, bearer_or_session
from atelier.market.accounts.queries import creator_of
from atelier.market.accounts.queries import person as person_of
from atelier.market.core import pictures
from atelier.market.core.downloads import streamed
from atelier.market.core.errors import Missing
from atelier.market.core.forms import fresh_key
from atelier.market.core.schemas import ERRORS, NO_NUL, PICTURE, IdempotencyKey, Limit, Offset, RowId

from . import actions, queries
from .exporting import archive, filename_of
from .models import TAG_LENGTH, TAGS_MOST, CreationModel, TrainingRun, Version, VersionPart, VersionSheet

router = Router()

Key = Annotated[IdempotencyKey | None, Header(alias="Idempotency-Key")]
Tag = Annotated[str, Field(min_length=1, max_length=TAG_LENGTH), NO_NUL]
Phrase = Annotated[str, Field(min_length=1, max_length=80), NO_NUL]
Minor = Annotated[int, Field(ge=0, le=2**31 - 1)]


class ModelIn(Schema):
    """Settings of a creation model. `craft` is a key of /crafts; prices are minor units of the market's currency."""

    name: Annotated[str, Field(min_length=1, max_length=80), NO_NUL] | None = None
    craft: Annotated[str, Field(min_length=1, max_length=90), NO_NUL] | None = None
    about: Annotated[str, Field(max_length=2000), NO_NUL] | None = None
    tags: Annotated[list[Phrase], Field(max_length=50)] | None = None
    palette: Annotated[list[Phrase], Field(max_length=20)] | None = None
    subjects_refused: Annotated[list[Phrase], Field(max_length=100)] | None = None
    words_never: Annotated[list[Phrase], Field(max_length=500)] | None = None
    samples_a_day: Minor | None = None
    reveal_percent: Minor | None = None
    floor_minor: Minor | None = None
    personal_minor: Minor | None = None
    commercial_minor: Minor | None = None
    exclusive_minor: Minor | None = None


class NewModelIn(ModelIn):
    """A new creation model needs a name and a craft."""

    name: Annotated[str, Field(min_length=1, max_length=80), NO_NUL]
    craft: Annotated[str, Field(min_length=1, max_length=90), NO_NUL]


class ModelOut(Schema):
    """A creation model of one's own. `version` is the id of the version that serves."""

    id: int
    name: str
    slug: str
    engine: str
    category: str
    about: str
    tags: list[str]
    palette: list[str]
    subjects_refused: list[str]
    words_never: list[str]
    samples_a_day: int
    reveal_percent: int
    currency: str
    floor_minor: int
    personal_minor: int
    commercial_minor: int
    exclusive_minor: int
    state: str
    version: int | None
    created_at: datetime
    published_at: datetime | None


class ModelsOut(Schema):
    """A page of creation models."""

    count: int
    items: list[ModelOut]


class RunIn(Schema):
    """Works to learn from; without any, all that may be trained on."""

    works: Annotated[list[RowId], Field(min_length=1, max_length=5000)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0


class RunOut(Schema):
    """A training. `ahead` counts those that come before a queued one; `version` is there once it succeeded."""

    id: int
    creation_model: int
    state: str
    stage: str
    note: str
    done: int
    planned: int
    seconds_left: float | None
    ahead: int
    cancel_requested: bool
    dataset_sha256: str
    curve: list[dict[str, float]]
    error_code: str
    error: str
    remedy: str
    version: int | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class SheetOut(Schema):
    """Pictures by which a version is judged by eye, and what is seen in words. `picture` is an address."""

    title: str
    told: str
    width: int
    height: int
    public: bool
    picture: str

    @staticmethod
    def of(sheet: VersionSheet) -> dict[str, Any]:
        """The sheet as plain data."""
        names = ("title", "told", "width", "height", "public")
        return {**{name: getattr(sheet, name) for name in names}, "picture": reverse("api:sheet", args=[sheet.pk])}


class PartOut(Schema):
    """A part of what a version learned. `vetoed`: it is used in nothing that is made; `work` is where it comes from.

    `tags` are the words by which a brief finds it, null where words do not; `guessed` those of its whole work, which
    nobody has confirmed.
    """

    name: str
    title: str
    group: str
    description: str
    work: int | None
    vetoed: bool
    tags: list[str] | None
    guessed: bool
    picture: str | None


class TagsIn(Schema):
    """By which words a part, by its name, is found: one's own, or null for the learned ones."""

    part: Annotated[str, Field(min_length=1, max_length=120), NO_NUL]
    tags: Annotated[list[Tag], Field(min_length=1, max_length=TAGS_MOST)] | None


class VetoIn(Schema):
    """Whether a part, by its name, is not to be used."""

    part: Annotated[str, Field(min_length=1, max_length=120), NO_NUL]
    vetoed: bool


class VersionOut(Schema):
    """A version with its proof. `evaluation` answers the four questions with figures and intervals."""

    id: int
    creation_model: int
    number: int
    state: str
    paused_because: str
    publishable: bool
    published_anyway_at: datetime | None
    adapter_sha256: str
    evaluation: dict[str, Any]
    card: dict[str, Any]
    sheets: list[SheetOut]
    parts: list[PartOut]
    created_at: datetime
    erased_at: datetime | None


class AnywayIn(Schema):
    """`anyway`: the explicit word to offer a version that its proof calls no better than the base."""

    anyway: bool = False


class EraseIn(Schema):
    """What the version is called, such as “Second Helpings v2”."""

    confirm_name: Annotated[str, Field(max_length=200), NO_NUL]


def _model(model: CreationModel) -> dict[str, Any]:
    names = [name for name in ModelOut.model_fields if name != "version"]
    return {**{name: getattr(model, name) for name in names}, "version": model.version_id}


def _run(run: TrainingRun) -> dict[str, Any]:
    version = getattr(run, "version", None)
    own = {"creation_model", "ahead", "dataset_sha256", "version"}
    return {
        **{name: getattr(run, name) for name in RunOut.model_fields if name not in own},
        "creation_model": run.creation_model_id,
        "ahead": queries.ahead_of(run),
        "dataset_sha256": run.dataset.sha256,
        "version": version.pk if version else None,
    }


def _version(version: Version) -> dict[str, Any]:
    names = [name for name in VersionOut.model_fields if name not in {"creation_model", "sheets", "parts"}]
    return {
        **{name: getattr(version, name) for name in names},
        "creation_model": version.creation_model_id,
        "sheets": [SheetOut.of(sheet) for sheet in version.sheets.all()],
        "parts": [_part(part, version) for part in version.parts.all()],
    }


def _part(part: VersionPart, version: Version) -> dict[str, Any]:
    return {
        **{name: getattr(part, name) for name in ("name", "title", "group", "description")},
        "work": part.work_id,
        "vetoed": part.name in version.vetoed,
        "tags": None if part.tags is None else part.called,
        "guessed": part.guessed and part.own_tags is None,
        "picture": reverse("api:part_picture", args=[part.pk]) if part.blob_id else None,
    }


@router.get("/models", response={200: ModelsOut, **ERRORS})
def list_models(request: HttpRequest, limit: Limit = 50, offset: Offset = 0) -> dict[str, Any]:
    """One's own creation models, newest first."""
    models = queries.models_of(creator_of(person_of(request)))
    return {"count": models.count(), "items": [_model(model) for model in models[offset : offset + limit]]}


@router.post("/models", response={201: ModelOut, **ERRORS})
def create_model(request: HttpRequest, values: NewModelIn, key: Key = None) -> Status[dict[str, Any]]:
    """Make a creation model."""
    made = actions.create_model(actor=person_of(request), values=_given(values), idempotency_key=key or fresh_key())
    return Status(201, _model(made))


@router.get("/models/{model_id}", response={200: ModelOut, **ERRORS})
def get_model(request: HttpRequest, model_id: RowId) -> dict[str, Any]:
    """One creation model."""
    return _model(queries.model_for(person_of(request), model_id))


@router.patch("/models/{model_id}", response={200: ModelOut, **ERRORS})
def edit_model(request: HttpRequest, model_id: RowId, values: ModelIn) -> dict[str, Any]:
    """Change settings; what is left out stays."""
    return _model(actions.edit_model(actor=person_of(request), creation_model_id=model_id, values=_given(values)))


def _given(values: ModelIn) -> dict[str, Any]:
    return {name: value for name, value in values.dict(exclude_unset=True).items() if value is not None}


@router.post("/models/{model_id}/publish", response={200: ModelOut, **ERRORS})
def publish_model(request: HttpRequest, model_id: RowId, word: AnywayIn) -> dict[str, Any]:
    """Offer a draft or paused creation model to buyers."""
    return _model(actions.publish_model(actor=person_of(request), creation_model_id=model_id, anyway=word.anyway))


@router.post("/models/{model_id}/pause", response={200: ModelOut, **ERRORS})
def pause_model(request: HttpRequest, model_id: RowId) -> dict[str, Any]:
    """Take it from buyers for a while."""
    return _model(actions.pause_model(actor=person_of(request), creation_model_id=model_id))


@router.post("/models/{model_id}/retire", response={200: ModelOut, **ERRORS})
def retire_model(request: HttpRequest, model_id: RowId) -> dict[str, Any]:
    """End it; what was sold stays sold."""
    return _model(actions.retire_model(actor=person_of(request), creation_model_id=model_id))


@router.post("/models/{model_id}/bring-back", response={200: ModelOut, **ERRORS})
def bring_back_model(request: HttpRequest, model_id: RowId) -> dict[str, Any]:
    """Make a retired one a draft again."""
    return _model(actions.bring_back_model(actor=person_of(request), creation_model_id=model_id))


@router.post("/models/{model_id}/runs", response={202: RunOut, **ERRORS})
def start_training(request: HttpRequest, model_id: RowId, wish: RunIn, key: Key = None) -> Status[dict[str, Any]]:
    """Freeze works into a dataset and train on it."""
    person = person_of(request)
    model = queries.model_for(person, model_id)
    works = wish.works or [choice.work.pk for choice in queries.choices_for(model) if not choice.why_not]
    run = actions.start_training(
        actor=person,
        creation_model_id=model_id,
        work_ids=works,
        idempotency_key=key or fresh_key(),
        seed=wish.seed,
    )
    return Status(202, _run(run))


@router.get("/models/{model_id}/runs", response={200: list[RunOut], **ERRORS})
def list_runs(request: HttpRequest, model_id: RowId, limit: Limit = 20, offset: Offset = 0) -> list[dict[str, Any]]:
    """Trainings of a creation model, newest first."""
    model = queries.model_for(person_of(request), model_id)
    runs = model.runs.select_related("dataset", "version").order_by("-pk")[offset : offset + limit]
    return [_run(run) for run in runs]


@router.get("/runs/{run_id}", response={200: RunOut, **ERRORS})
def get_run(request: HttpRequest, run_id: RowId) -> dict[str, Any]:
    """How a training goes or went."""
    return _run(queries.run_for(person_of(request), run_id))


@router.post("/runs/{run_id}/cancel", response={200: RunOut, **ERRORS})
def cancel_run(request: HttpRequest, run_id: RowId) -> dict[str, Any]:
    """Stop a training."""
    return _run(actions.cancel_run(actor=person_of(request), run_id=run_id))


@router.post("/runs/{run_id}/retry", response={202: RunOut, **ERRORS})
def retry_run(request: HttpRequest, run_id: RowId, key: Key = None) -> Status[dict[str, Any]]:
    """Train again on the works of a failed or cancelled training."""
    return Status(
        202, _run(actions.retry_run(actor=person_of(request), run_id=run_id, idempotency_key=key or fresh_key()))
    )


@router.get("/models/{model_id}/versions", response={200: list[VersionOut], **ERRORS})
def list_versions(request: HttpRequest, model_id: RowId, limit: Limit = 20, offset: Offset = 0) -> list[dict[str, Any]]:
    """Versions of a creation model, newest first."""
    model = queries.model_for(person_of(request), model_id)
    return [
        _version(version)
        for version in model.versions.prefetch_related("sheets", "parts").order_by("-number")[offset : offset + limit]
    ]


@router.get("/versions/{version_id}", response={200: VersionOut, **ERRORS})
def get_version(request: HttpRequest, version_id: RowId) -> dict[str, Any]:
    """One version with its proof."""
    return _version(queries.version_for(person_of(request), version_id))


@router.post("/versions/{version_id}/choose", response={200: ModelOut, **ERRORS})
def choose_version(request: HttpRequest, version_id: RowId, word: AnywayIn) -> dict[str, Any]:
    """Let a version serve from now on."""
    return _model(actions.choose_version(actor=person_of(request), version_id=version_id, anyway=word.anyway))


@router.post("/versions/{version_id}/resume", response={200: VersionOut, **ERRORS})
def resume_version(request: HttpRequest, version_id: RowId) -> dict[str, Any]:
    """Use a paused version again, once training on all of its works is permitted."""
    return _version(actions.resume_version(actor=person_of(request), version_id=version_id))


@router.post("/versions/{version_id}/erase", response={200: VersionOut, **ERRORS})
def erase_version(request: HttpRequest, version_id: RowId, confirm: EraseIn) -> dict[str, Any]:
    """Erase a version; its adapter's files are removed right after."""
    return _version(
        actions.erase_version(actor=person_of(request), version_id=version_id, confirm_name=confirm.confirm_name)
    )


@router.get("/versions/{version_id}/export", response={200: None, **ERRORS})
def export_version(request: HttpRequest, version_id: RowId) -> StreamingHttpResponse:
    """The adapter with its model card, as a ZIP file."""
    found = queries.exportable(person_of(request), version_id)
    return streamed(request, archive(found), "application/zip", filename_of(found))


@router.put("/versions/{version_id}/vetoes", response={200: VersionOut, **ERRORS})
def veto_part(request: HttpRequest, version_id: RowId, wish: VetoIn) -> dict[str, Any]:
    """Leave a part out of everything that is made from now on, or let it be used again."""
    act = actions.veto_part if wish.vetoed else actions.allow_part
    return _version(act(actor=person_of(request), version_id=version_id, name=wish.part))


@router.put("/versions/{version_id}/tags", response={200: VersionOut, **ERRORS})
def tag_part(request: HttpRequest, version_id: RowId, wish: TagsIn) -> dict[str, Any]:
    """Have a part found by one's own words from now on, or by the learned ones again."""
    part = actions.tag_part(actor=person_of(request), version_id=version_id, name=wish.part, tags=wish.tags)
    return _version(part.version)


@router.get(
    "/sheets/{sheet_id}",
    response={**ERRORS},
    url_name="sheet",
    auth=[*bearer_or_session, anybody],
    openapi_extra=PICTURE,
)
def get_sheet(request: HttpRequest, sheet_id: RowId) -> HttpResponse:
    """A sheet of one's own version; the public ones of published models are for everybody."""
    return pictures.send(request, queries.sheet_seen_by(request.user, sheet_id).blob, cache="private, no-cache")


@router.get("/parts/{part_id}/picture", response={**ERRORS}, url_name="part_picture", openapi_extra=PICTURE)
def get_part_picture(request: HttpRequest, part_id: RowId) -> HttpResponse:
    """The picture of a part of one's own version."""
    found = queries.part_of(person_of(request), part_id)
    if found.blob is None:
        raise Missing(_("This part has no picture."))
    return pictures.send(request, found.blob)
