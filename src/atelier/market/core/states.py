"""Transitions between states, as one conditional UPDATE that must touch exactly one row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from .errors import Conflict

Transitions = Mapping[str, frozenset[str]]
"""For each state the states that may follow it."""


def sources(allowed: Transitions, to: str) -> list[str]:
    """The states from which `to` may be reached."""
    return [state for state, targets in allowed.items() if to in targets]


def move(
    thing: models.Model, *, to: str, allowed: Transitions, only_from: Iterable[str] | None = None, **changes: Any
) -> None:
    """Move a row's `state`, with further changes, if it still is in a state that allows it.

    The instance is refreshed. Errors: Conflict when another hand moved it first; nothing is changed then.
    """
    start = list(only_from) if only_from is not None else sources(allowed, to)
    manager = type(thing)._default_manager
    touched = manager.filter(pk=thing.pk, state__in=start).update(state=to, **changes)
    thing.refresh_from_db()
    if touched != 1:
        raise Conflict(
            _("This is “%(state)s” now and cannot become “%(to)s”.") % {"state": thing.state, "to": to},  # type: ignore[attr-defined]
            remedy=_("Reload the page to see how it stands."),
        )
