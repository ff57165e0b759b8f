"""Where a person can go from every page, by what they are. Rooms that are not installed leave no dead link."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import Resolver404, resolve
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Link:
    """One way to go: its words, and the path under which the whole subject lies."""

    label: str | Promise
    path: str

    def leads_to(self, path: str) -> bool:
        """Whether a page is of this subject."""
        return path == self.path if self.path == "/" else path.startswith(self.path)


DISCOVER = Link(_("Discover"), "/")
MAKING = (Link(_("Works"), "/works/"), Link(_("Studio"), "/studio/"), Link(_("Earnings"), "/earnings/"))
BUYING = (
    Link(_("My generations"), "/generations/"),
    Link(_("Licences"), "/licences/"),
    Link(_("Messages"), "/conversations/"),
)
OPERATING = (
    Link(_("Vetting"), "/operator/vetting/"),
    Link(_("Resemblances"), "/operator/resemblances/"),
    Link(_("Ledger"), "/operator/ledger/"),
    Link(_("Admin"), "/operator/admin/"),
)


@cache
def _stands(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def ways(user: Any) -> dict[str, list[Link]]:
    """The links for a user (or None), as `main` (in the bar) and `operating` (in the operator's own menu)."""
    signed_in = user is not None and user.is_authenticated
    making = MAKING if signed_in and getattr(user, "creator", None) else ()
    buying = BUYING if signed_in else ()
    operating = OPERATING if signed_in and user.is_staff else ()
    return {
        "main": [link for link in (DISCOVER, *making, *buying) if _stands(link.path)],
        "operating": [link for link in operating if _stands(link.path)],
    }
