"""Sending the picture by which a piece is shown."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from atelier.market.core import pictures
from atelier.market.core.errors import Missing

from . import queries
from .cards import cards
from .models import Output


def send_picture(request: HttpRequest, output_id: uuid.UUID) -> HttpResponse:
    """The picture of a piece, to whoever is shown the piece now. Errors: Missing."""
    output = queries.output_seen_by(request.user, output_id)
    (card,) = cards([output], request.user)
    if card.shown is None:
        raise Missing(_("There is no such piece."))
    return send_picture_of(request, output)


def send_picture_of(request: HttpRequest, output: Output) -> HttpResponse:
    """The picture of a piece that the caller found this person may see. Errors: Missing where it has none.

    A browser asks each time whether it may show it still: what was sold exclusively is shown no more.
    """
    if output.picture is None:
        raise Missing(_("This piece has no picture."))
    return pictures.send(request, output.picture, cache="private, no-cache")
