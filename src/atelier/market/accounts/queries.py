"""Reads about people."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from atelier.market.core.errors import Denied

from .models import ApiToken, Creator, User, VettingApplication


def creator_of(user: Any) -> Creator:
    """The creator that this person is. Errors: Denied, with the way to become one."""
    found: Creator | None = Creator.objects.select_related("user").filter(user_id=user.pk).first()
    if found is None:
        raise Denied(_("Only creators can do this."), remedy=_("Become a creator first: it takes one form."))
    return found


def person(request: HttpRequest) -> User:
    """The signed-in person, in a page or operation that lets nobody else through."""
    assert isinstance(request.user, User)
    return request.user


def is_creator(user: Any) -> bool:
    """Whether this person is a creator."""
    return bool(user.is_authenticated) and Creator.objects.filter(user_id=user.pk).exists()


def applications_waiting() -> QuerySet[VettingApplication]:
    """Applications no operator has decided on, oldest first."""
    return (
        VettingApplication.objects.filter(state=VettingApplication.State.OPEN)
        .select_related("creator__user")
        .order_by("applied_at")
    )


def applications_decided() -> QuerySet[VettingApplication]:
    """The decisions taken, latest first."""
    return (
        VettingApplication.objects.exclude(state=VettingApplication.State.OPEN)
        .select_related("creator__user", "decided_by")
        .order_by("-decided_at", "-id")
    )


def latest_application(creator: Creator) -> VettingApplication | None:
    """The creator's last application, however it ended."""
    return creator.applications.order_by("-id").first()


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """The tokens that still work, latest first."""
    return ApiToken.objects.filter(user=user, revoked_at=None).order_by("-id")


def demo_person(who: str) -> User | None:
    """The demo creator, buyer or operator, if this market has one."""
    people = User.objects.filter(is_demo=True, is_active=True).order_by("pk")
    if who == "operator":
        return people.filter(is_staff=True).first()
    if who == "creator":
        return people.filter(is_staff=False, creator__isnull=False).first()
    if who == "buyer":
        return people.filter(is_staff=False, creator__isnull=True).first()
    return None
