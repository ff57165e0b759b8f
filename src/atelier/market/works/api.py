"""Works as JSON: send, list, edit, permit, share."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import File, Form, Header, Query, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from atelier.market.accounts.models import User
from atelier.market.accounts.queries import creator_of
from atelier.market.accounts.queries import person as person_of
from atelier.market.core.schemas import ERRORS, NO_NUL, PICTURE, IdempotencyKey, Limit, Offset, RowId

from . import actions, queries
from .crafts import capabilities, crafts
from .models import Resemblance, Upload, Work
from .receiving import incoming, pasted, refused_at_the_door
from .sending import send_preview

router = Router()

Tag = Annotated[str, Field(min_length=1, max_length=60), NO_NUL]
Engine = Annotated[str, Field(min_length=1, max_length=40), NO_NUL]
Key = Annotated[IdempotencyKey | None, Header(alias="Idempotency-Key")]
# Where every file was refused at the door, the action says why; the schema would only say that a field is missing.
NONE_LEFT: list[UploadedFile] = []


class CraftOut(Schema):
    """A craft of this market, the engine behind it, the files it reads, and how many works are enough."""

    key: str
    title: str
    engine: str
    accepts: list[str]
    works_min: int
    works_advised: int


class UploadOut(Schema):
    """A file and what became of it. `batch` names the files sent together."""

    id: int
    batch: uuid.UUID
    filename: str
    engine: str
    state: str
    works: list[int]
    refusals: list[dict[str, Any]]
    advice: list[str]


class PasteIn(Schema):
    """A text instead of a file. `attested` must be true: you made it and may have it learned from."""

    engine: Engine
    text: Annotated[str, Field(min_length=1, max_length=400_000), NO_NUL]
    title: Annotated[str, Field(max_length=200), NO_NUL] = ""
    description: Annotated[str, Field(max_length=1000), NO_NUL] = ""
    tags: Annotated[list[Tag], Field(max_length=20)] = []
    attested: bool
    consent: bool = False


class UploadIn(Schema):
    """What is said of all files sent together."""

    engine: Engine
    attested: bool
    consent: bool = False
    tags: Annotated[list[Tag], Field(max_length=20)] = []


class ShareOut(Schema):
    """A co-author's part, in hundredths of a percent."""

    id: int
    holder: str
    basis_points: int


class WorkOut(Schema):
    """A work as lists show it. `permitted`: may be trained on; `nearly`: nearly another of your works; `preview`: the
    address of its small picture, for works that are looked at."""

    id: int
    title: str
    description: str
    tags: list[str]
    language: str
    engine: str
    state: str
    extent: int
    excerpt: str
    advice: list[str]
    permitted: bool
    nearly: bool
    preview: str | None
    created_at: datetime


class WorkDetailOut(WorkOut):
    """A work with the shares of its co-authors."""

    shares: list[ShareOut]


class WorksOut(Schema):
    """A page of works."""

    count: int
    items: list[WorkOut]


class WorkIn(Schema):
    """Changes to a work; what is left out stays."""

    title: Annotated[str, Field(min_length=1, max_length=200), NO_NUL] | None = None
    description: Annotated[str, Field(max_length=1000), NO_NUL] | None = None
    tags: Annotated[list[Tag], Field(max_length=20)] | None = None


class ConsentIn(Schema):
    """Works on which training is permitted (`give`) or no longer permitted."""

    works: Annotated[list[RowId], Field(min_length=1, max_length=2000)]
    give: bool


class ChangedOut(Schema):
    """How many works changed."""

    changed: int


class ShareIn(Schema):
    """A registered person's part of what the work earns, in hundredths of a percent."""

    email: Annotated[str, Field(min_length=3, max_length=254), NO_NUL]
    basis_points: Annotated[int, Field(ge=1, le=10_000)]


class ResemblanceOut(Schema):
    """A held work and an earlier one of another creator; `similarity` is 1 when they are the same."""

    id: int
    work: int
    other: int
    similarity: float
    state: str
    reason: str
    at: datetime


class ResemblancesOut(Schema):
    """A page of resemblances."""

    count: int
    items: list[ResemblanceOut]


class DecisionIn(Schema):
    """An operator's verdict: `uphold` says that the work is a copy. The reason is kept and its creator reads it."""

    uphold: bool
    reason: Annotated[str, Field(min_length=3, max_length=1000), NO_NUL]


class Filters(Schema):
    """How a list of works is narrowed."""

    state: Literal["", "ready", "held", "refused", "removed"] = ""
    tag: Annotated[str, Field(max_length=60), NO_NUL] = ""
    language: Annotated[str, Field(max_length=8), NO_NUL] = ""
    consent: Literal["", "yes", "no"] = ""
    words: Annotated[str, Field(max_length=100), NO_NUL] = ""


def _upload(upload: Upload) -> dict[str, Any]:
    report = upload.report
    return {
        "id": upload.pk,
        "batch": upload.batch,
        "filename": upload.filename,
        "engine": upload.engine,
        "state": upload.state,
        "works": report.get("works", []),
        "refusals": report.get("refusals", []),
        "advice": report.get("advice", []),
    }


def _work(work: Work) -> dict[str, Any]:
    names = ("title", "description", "tags", "language", "engine", "state", "extent", "excerpt", "advice", "created_at")
    return {
        "id": work.pk,
        **{name: getattr(work, name) for name in names},
        "permitted": work.permitted,  # type: ignore[attr-defined]
        "nearly": work.nearly,  # type: ignore[attr-defined]
        "preview": reverse("api:work_preview", args=[work.pk]) if work.preview_id else None,
    }


def _detail(request: HttpRequest, work_id: int) -> dict[str, Any]:
    work = queries.work_for(person_of(request), work_id)
    shares = work.shares.select_related("holder").order_by("pk")
    listed = [{"id": s.pk, "holder": s.holder.email, "basis_points": s.basis_points} for s in shares]
    return {**_work(work), "shares": listed}


def _batch(person: User, key: str | None) -> uuid.UUID:
    """The batch that an idempotency key names for this person; a fresh one without a key."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"atelier:uploads:{person.pk}:{key}") if key else uuid.uuid4()


def _resemblance(found: Resemblance) -> dict[str, Any]:
    names = ("similarity", "state", "reason", "at")
    own = {"id": found.pk, "work": found.work_id, "other": found.other_id}
    return {**own, **{name: getattr(found, name) for name in names}}


@router.get("/crafts", response={200: list[CraftOut], **ERRORS})
def list_crafts(request: HttpRequest) -> list[dict[str, Any]]:
    """What can be made here, and what may be uploaded for it."""
    rows = []
    for craft in crafts():
        offered = capabilities(craft.engine)
        rows.append(
            {
                "key": craft.key,
                "title": craft.title,
                "engine": craft.engine,
                "accepts": [kind.suffix for kind in offered.accepts],
                "works_min": offered.limits.works_min,
                "works_advised": offered.limits.works_advised,
            }
        )
    return rows


@router.post("/uploads", response={202: list[UploadOut], **ERRORS})
def send_files(
    request: HttpRequest, said: Form[UploadIn], files: File[list[UploadedFile]] = NONE_LEFT, key: Key = None
) -> Status[list[dict[str, Any]]]:
    """Send files; each is read soon after. Ask for the batch to see what became of them."""
    person = person_of(request)
    uploads = actions.receive_uploads(
        actor=person,
        engine=said.engine,
        files=incoming(request),
        refused=refused_at_the_door(request),
        wishes=actions.Wishes(attested=said.attested, consent=said.consent, tags=tuple(said.tags)),
        batch=_batch(person, key),
    )
    return Status(202, [_upload(upload) for upload in uploads])


@router.post("/uploads/paste", response={202: UploadOut, **ERRORS})
def paste(request: HttpRequest, said: PasteIn, key: Key = None) -> Status[dict[str, Any]]:
    """Send one text without a file."""
    person = person_of(request)
    (upload,) = actions.receive_uploads(
        actor=person,
        engine=said.engine,
        files=[pasted(said.engine, said.text)],
        wishes=actions.Wishes(
            attested=said.attested,
            consent=said.consent,
            title=said.title,
            description=said.description,
            tags=tuple(said.tags),
        ),
        batch=_batch(person, key),
    )
    return Status(202, _upload(upload))


@router.get("/uploads/{batch}", response={200: list[UploadOut], **ERRORS})
def get_batch(request: HttpRequest, batch: uuid.UUID) -> list[dict[str, Any]]:
    """What became of files sent together."""
    return [_upload(upload) for upload in queries.batch_for(person_of(request), batch)]


@router.get("/works", response={200: WorksOut, **ERRORS})
def list_works(request: HttpRequest, filters: Query[Filters], limit: Limit = 50, offset: Offset = 0) -> dict[str, Any]:
    """One's own works, newest first; removed ones only when asked for."""
    works = queries.filtered(queries.works_of(creator_of(person_of(request))), **filters.dict())
    return {"count": works.count(), "items": [_work(work) for work in works[offset : offset + limit]]}


# Before /works/{work_id}, which would take “consent” for an id.
@router.post("/works/consent", response={200: ChangedOut, **ERRORS})
def set_consent(request: HttpRequest, wish: ConsentIn) -> dict[str, int]:
    """Permit training on works, or take the permission back. All of them or none."""
    act = actions.give_consent if wish.give else actions.revoke_consent
    return {"changed": act(actor=person_of(request), work_ids=wish.works)}


@router.get("/works/{work_id}", response={200: WorkDetailOut, **ERRORS})
def get_work(request: HttpRequest, work_id: RowId) -> dict[str, Any]:
    """One work."""
    return _detail(request, work_id)


@router.get("/works/{work_id}/preview", response={**ERRORS}, url_name="work_preview", openapi_extra=PICTURE)
def get_preview(request: HttpRequest, work_id: RowId) -> HttpResponse:
    """The small picture of a work."""
    return send_preview(request, queries.work_for(person_of(request), work_id))


@router.patch("/works/{work_id}", response={200: WorkDetailOut, **ERRORS})
def edit_work(request: HttpRequest, work_id: RowId, changes: WorkIn) -> dict[str, Any]:
    """Change what is said about a work."""
    actions.edit_work(actor=person_of(request), work_id=work_id, **changes.dict(exclude_unset=True))
    return _detail(request, work_id)


@router.delete("/works/{work_id}", response={200: WorkDetailOut, **ERRORS})
def remove_work(request: HttpRequest, work_id: RowId) -> dict[str, Any]:
    """Take a work out of sight and out of every future dataset; it can be restored."""
    actions.remove_works(actor=person_of(request), work_ids=[work_id])
    return _detail(request, work_id)


@router.post("/works/{work_id}/restore", response={200: WorkDetailOut, **ERRORS})
def restore_work(request: HttpRequest, work_id: RowId) -> dict[str, Any]:
    """Bring a removed work back."""
    actions.restore_works(actor=person_of(request), work_ids=[work_id])
    return _detail(request, work_id)


@router.post("/works/{work_id}/keep-both", response={200: WorkDetailOut, **ERRORS})
def keep_both(request: HttpRequest, work_id: RowId) -> dict[str, Any]:
    """Let a work be trained on although it is nearly another of one's own."""
    actions.keep_both(actor=person_of(request), work_id=work_id)
    return _detail(request, work_id)


@router.put("/works/{work_id}/shares", response={200: WorkDetailOut, **ERRORS})
def give_share(request: HttpRequest, work_id: RowId, share: ShareIn) -> dict[str, Any]:
    """Give a co-author a share, or change it."""
    actions.give_share(actor=person_of(request), work_id=work_id, email=share.email, basis_points=share.basis_points)
    return _detail(request, work_id)


@router.delete("/works/{work_id}/shares/{share_id}", response={200: WorkDetailOut, **ERRORS})
def take_back_share(request: HttpRequest, work_id: RowId, share_id: RowId) -> dict[str, Any]:
    """Take a co-author's share back for future sales."""
    actions.take_back_share(actor=person_of(request), work_id=work_id, share_id=share_id)
    return _detail(request, work_id)


@router.get("/resemblances", response={200: ResemblancesOut, **ERRORS})
def list_resemblances(request: HttpRequest, limit: Limit = 50, offset: Offset = 0) -> dict[str, Any]:
    """Operators: what waits for a verdict, oldest first."""
    waiting = queries.open_resemblances(person_of(request))
    return {"count": waiting.count(), "items": [_resemblance(each) for each in waiting[offset : offset + limit]]}


@router.post("/resemblances/{resemblance_id}/decision", response={200: ResemblanceOut, **ERRORS})
def decide_resemblance(request: HttpRequest, resemblance_id: RowId, verdict: DecisionIn) -> dict[str, Any]:
    """Operators: say whether a held work is a copy."""
    decided = actions.decide_resemblance(
        actor=person_of(request), resemblance_id=resemblance_id, uphold=verdict.uphold, reason=verdict.reason
    )
    return _resemblance(decided)
