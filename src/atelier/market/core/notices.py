"""Messages that stand at the top of the next page, some with a way back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest

UNDO = "undo:"


def undoable(request: HttpRequest, text: str, undo_url: str) -> None:
    """Say that something was done, with a button that posts to `undo_url` to take it back."""
    messages.success(request, text, extra_tags=UNDO + undo_url)
