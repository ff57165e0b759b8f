"""Reads about people."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from atelier.market.core.errors import Denied

from .models import Creator


def creator_of(user: Any) -> Creator:
    """The creator that this person is. Errors: Denied, with the way to become one."""
    found: Creator | None = Creator.objects.select_related("user").filter(user_id=user.pk).first()
    if found is None:
        raise Denied(_("Only creators can do this."), remedy=_("Become a creator first: it takes one form."))
    return found


def is_creator(user: Any) -> bool:
    """Whether this person is a creator."""
    return bool(user.is_authenticated) and Creator.objects.filter(user_id=user.pk).exists()
