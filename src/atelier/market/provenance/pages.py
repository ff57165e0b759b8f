"""The public verify page: what is known of a file, or shows in a text. Of a file nothing is kept; a text whose hash is
not known is kept until it was read."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from atelier.market.core.errors import Invalid, Missing, TooMany

from . import actions, queries
from .forms import VerifyForm
from .reading import HashingUpload, announced_too_long
from .telling import as_json, odds, readings, verdict


# It does nothing in anybody's name, so a form on any other site may send here; and the token would make Django read
# the file first.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Find a file by its bytes, a pasted text, or a hash; leads to the page of the hash, or to that of the search for
    marks in a text whose hash is not known."""
    if request.method != "POST":
        return render(request, "provenance/verify.html", {"form": VerifyForm()})
    upload = HashingUpload(request)
    request.upload_handlers = [upload]
    form = _form(request, upload)
    if form.is_valid():
        if upload.sha256:
            return _to(upload.sha256)
        if form.cleaned_data["sha256"]:
            return _to(form.cleaned_data["sha256"].strip().lower())
        if form.cleaned_data["text"]:
            found = queries.find_text(form.cleaned_data["text"])
            if found.record:
                return _to(found.sha256, found.reading if found.reading != "exact" else "")
            return _look_for_marks(request, form)
        form.add_error(None, _("There is nothing to look for yet. Choose a file, paste a text, or write a hash."))
    return render(request, "provenance/verify.html", {"form": form}, status=422)


def _look_for_marks(request: HttpRequest, form: VerifyForm) -> HttpResponse:
    try:
        search = actions.look_for_marks(text=form.cleaned_data["text"])
    except (Invalid, TooMany) as error:
        form.add_error("text", f"{error.message} {error.remedy}")
        return render(request, "provenance/verify.html", {"form": form}, status=error.status)
    return redirect("provenance:marks", search_id=search.pk)


def _form(request: HttpRequest, upload: HashingUpload) -> VerifyForm:
    """The sent form, with what is wrong with the file on it."""
    too_long = announced_too_long(request)
    try:
        form = VerifyForm({} if too_long else request.POST)
    except MultiPartParserError:
        form = VerifyForm({})
        form.add_error(None, _("What was sent cannot be read. Send it again."))
    if too_long or upload.too_long:
        form.add_error(
            "file", _("This is longer than 25 MB. Compute its SHA-256 yourself and write it into the third field.")
        )
    return form


def _to(sha256: str, reading: str = "") -> HttpResponse:
    where = reverse("provenance:record", args=[sha256])
    return redirect(f"{where}?read={reading.replace(' ', '+')}" if reading else where)


@require_safe
def record(request: HttpRequest, sha256: str) -> HttpResponse:
    """What is known of the file with this hash, in words or (Accept: application/json) as JSON; 404 when nothing is."""
    found = queries.record_of(sha256)
    status = 200 if found else 404
    if request.accepts("application/json") and not request.accepts("text/html"):
        return JsonResponse(as_json(sha256, found), status=status)
    context: dict[str, Any] = {
        "sha256": sha256,
        "record": found,
        "facts": (found.origin or found).facts if found else {},
        "made_at": (found.origin or found).at if found else None,
        "reading": readings().get(request.GET.get("read", ""), ""),
    }
    return render(request, "provenance/record.html", context, status=status)


@require_safe
def piece(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The record of an output, found by the output's id, without the hash of its file.

    To know the hash of a short text is to be able to try out how it goes on; who has the file has the hash.
    """
    found = queries.record_of_source(f"output:{pk}")
    if found is None:
        raise Missing(_("There is no record of such a piece."), remedy=_("Look for its file by hash."))
    birth = next(time for time in found.occurrences.all() if time.source == f"output:{pk}")
    context = {"record": found, "facts": birth.facts, "made_at": birth.at, "sha256": "", "reading": ""}
    return render(request, "provenance/record.html", context)


@require_safe
def marks(request: HttpRequest, search_id: uuid.UUID) -> HttpResponse:
    """What was found in a pasted text; while that is being found out, the page hears when it is."""
    search = queries.search_of(search_id)
    if search is None:
        raise Missing(_("There is no such search."), remedy=_("Searches are kept for a day. Paste the text again."))
    context = {
        "search": search,
        "verdict": verdict(search),
        "found": [(mark.creator, odds(mark.p_value)) for mark in queries.found_marks(search)],
        "read_most": actions.MARKED_CHARACTERS_MOST,
    }
    return render(request, "provenance/marks.html", context)
