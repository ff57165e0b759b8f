"""Who am I, becoming a creator, vetting."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from atelier.market.accounts.queries import person
from atelier.market.core.schemas import ERRORS, NO_NUL, RowId

from . import actions, queries
from .models import Creator

router = Router()


class CreatorIn(Schema):
    handle: Annotated[str, Field(min_length=3, max_length=40)]
    headline: Annotated[str, Field(min_length=1, max_length=140), NO_NUL]
    about: Annotated[str, Field(max_length=4000), NO_NUL] = ""
    languages: Annotated[list[Annotated[str, Field(max_length=8)]], Field(min_length=1, max_length=6)]


class CreatorOut(Schema):
    id: int
    handle: str
    headline: str
    about: str
    languages: list[str]
    vetted_at: datetime | None


class MeOut(Schema):
    id: int
    name: str
    email: str
    is_operator: bool
    creator: CreatorOut | None


class VettingIn(Schema):
    statement: Annotated[str, Field(max_length=4000), NO_NUL]
    links: Annotated[
        list[Annotated[str, Field(max_length=actions.LINK_LONGEST), NO_NUL]], Field(max_length=actions.LINKS_MOST)
    ] = []


class VettingOut(Schema):
    id: int
    state: str
    statement: str
    reason: str
    applied_at: datetime
    decided_at: datetime | None


class DecisionIn(Schema):
    approve: bool
    reason: Annotated[str, Field(max_length=2000), NO_NUL] = ""


@router.get("/me", response={200: MeOut, **ERRORS})
def me(request: HttpRequest) -> dict[str, Any]:
    """The account this token acts for."""
    user = person(request)
    return {
        "id": user.pk,
        "name": user.name,
        "email": user.email,
        "is_operator": user.is_operator,
        "creator": Creator.objects.filter(user=user).first(),
    }


@router.put("/me/creator", response={200: CreatorOut, **ERRORS})
def save_creator(request: HttpRequest, body: CreatorIn) -> Creator:
    """Become a creator, or change how one appears."""
    return actions.save_creator(actor=person(request), **body.dict())


@router.post("/me/vetting", response={200: VettingOut, **ERRORS})
def apply_for_vetting(request: HttpRequest, body: VettingIn) -> Any:
    """Apply to be allowed to publish. While an application waits, this returns it."""
    return actions.apply_for_vetting(actor=person(request), **body.dict())


@router.get("/me/vetting", response={200: VettingOut | None, **ERRORS})
def my_vetting(request: HttpRequest) -> Any:
    """The last application, however it stands."""
    return queries.latest_application(queries.creator_of(person(request)))


@router.post("/vetting/{application_id}/decision", response={200: VettingOut, **ERRORS})
def decide(request: HttpRequest, application_id: RowId, body: DecisionIn) -> Any:
    """Operators: approve or decline an application."""
    return actions.decide_vetting(
        actor=person(request), application_id=application_id, approve=body.approve, reason=body.reason
    )
