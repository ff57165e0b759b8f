"""Reads: the licences a person holds or sold, and the files they may fetch."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from atelier.market.core.errors import Conflict, Missing

from .models import Licence, LicensedFile

SHOWN_BY_BROWSERS = ("image/png", "image/webp", "image/jpeg")
WITH_PIECE = (
    "output__blob",
    "output__generation__creation_model__creator__user",
    "output__generation__version",
    "creator__user",
    "buyer",
    "purchase",
    "terms",
    "version",
)


def licences_of(buyer: Any) -> QuerySet[Licence]:
    """The licences this person holds, the latest first, with their pieces."""
    return (
        Licence.objects.filter(buyer_id=buyer.pk)
        .select_related(*WITH_PIECE)
        .defer("output__generation__brief")
        .prefetch_related("files")
        .order_by("-issued_at")
    )


def licence_of(person: Any, licence_id: uuid.UUID) -> Licence:
    """A licence that this person holds or sold. Errors: Missing."""
    found = (
        Licence.objects.filter(Q(buyer_id=person.pk) | Q(creator__user_id=person.pk), pk=licence_id)
        .select_related(*WITH_PIECE)
        .defer("output__generation__brief")
        .prefetch_related("files__blob")
        .first()
    )
    if found is None:
        raise Missing(_("There is no such licence."), remedy=_("Find yours under “Licences”."))
    return found


def files_for(person: Any, licence: Licence) -> list[LicensedFile]:
    """The files of a licence that this person may have: all for the holder, the certificates for the creator."""
    return [file for file in licence.files.all() if licence.buyer_id == person.pk or file.is_certificate]


def picture_among(files: Iterable[LicensedFile]) -> LicensedFile | None:
    """The smallest of these files that a browser can show; None while there is none."""
    shown = [file for file in files if file.blob is not None and file.blob.media_type in SHOWN_BY_BROWSERS]
    return min(shown, key=lambda file: file.blob.bytes if file.blob else 0, default=None)


def file_for(person: Any, licence_id: uuid.UUID, format_name: str) -> LicensedFile:
    """One of them, ready to be sent. Errors: Missing; Conflict while it is being made or after it failed."""
    licence = licence_of(person, licence_id)
    found = next((file for file in files_for(person, licence) if file.format == format_name), None)
    if found is None:
        raise Missing(_("There is no such file."), remedy=_("Open the licence to see its files."))
    if found.blob is None:
        raise Conflict(
            _("This file is not ready."), remedy=_("Wait a moment, or have it made again on the page of the licence.")
        )
    return found


A_ROUND = 200


def sales_without_attribution() -> list[uuid.UUID]:
    """Some sales of which it was neither told which works shaped them nor why that cannot be told, oldest first."""
    found = Licence.objects.filter(attribution=None, issued_at__lt=timezone.now() - timedelta(hours=1))
    return list(found.order_by("issued_at").values_list("pk", flat=True)[:A_ROUND])
