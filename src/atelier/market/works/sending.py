"""Sending what belongs to a work to whoever may see it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from atelier.market.core import pictures
from atelier.market.core.errors import Missing

from .models import Work


def send_preview(request: HttpRequest, work: Work) -> HttpResponse:
    """The small picture of a work that the caller found for this person. Errors: Missing where it has none."""
    if work.preview is None:
        raise Missing(_("This work has no picture."))
    return pictures.send(request, work.preview)
