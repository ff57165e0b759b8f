"""Pages of what was bought."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST, require_safe

from atelier.market.accounts.queries import person
from atelier.market.core import live
from atelier.market.generation.cards import cards

from . import actions, queries, shaping
from .models import Licence, LicensedFile
from .sending import send

A_PAGE = 24


@login_required
@require_GET
def licences(request: HttpRequest) -> HttpResponse:
    """Everything the person may use."""
    page = Paginator(queries.licences_of(request.user), A_PAGE).get_page(request.GET.get("page"))
    held = list(page.object_list)
    rows = list(zip(held, cards([licence.output for licence in held], request.user), strict=True))
    return render(request, "licences/list.html", {"page": page, "rows": rows})


@login_required
@require_GET
def licence(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One licence: the whole piece, its files, its certificate."""
    # Before the state is read, so that what happens in between is heard again rather than missed.
    last = live.latest(Licence(pk=pk).topic)
    found = queries.licence_of(request.user, pk)
    files = queries.files_for(request.user, found)
    (card,) = cards([found.output], request.user)
    shaped = shaping.shaping_for(request.user, found)
    context = {
        "licence": found,
        "holder": found.buyer_id == request.user.pk,
        "card": card,
        "whole": queries.picture_among(file for file in files if not file.is_certificate),
        "copies": [file for file in files if not file.is_certificate],
        "certificates": [file for file in files if file.is_certificate],
        "failed": any(file.state == LicensedFile.State.FAILED for file in files),
        "shaped": shaped,
        "pending": any(file.state == LicensedFile.State.PENDING for file in files)
        or (shaped is not None and shaped.state == "pending"),
        "last_event_id": last,
    }
    return render(request, "licences/licence.html", context)


@login_required
@require_safe
def download(request: HttpRequest, pk: uuid.UUID, format_name: str) -> HttpResponseBase:
    """One file of a licence."""
    return send(request, queries.file_for(request.user, pk, format_name))


@login_required
@require_POST
def again(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Have failed files made again."""
    actions.make_failed_files_again(actor=person(request), licence_id=pk)
    messages.success(request, _("The files are being made again."))
    return redirect("licences:licence", pk)


@login_required
@require_GET
def works(request: HttpRequest) -> HttpResponse:
    """The creator's works by how much they shaped what was sold."""
    page = Paginator(shaping.works_behind_sales(request.user), A_PAGE).get_page(request.GET.get("page"))
    rows = shaping.behind(list(page.object_list))
    bars = [(row.label, row.value, row.low, row.high) for row in rows]
    picture = shaping.drawn(_("How many sales’ worth"), bars, "")
    return render(request, "licences/works.html", {"page": page, "rows": rows, "picture": picture})
