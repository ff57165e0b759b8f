"""The studio's pages about versions: the proof, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from atelier.market.accounts.queries import person as person_of
from atelier.market.core import pictures
from atelier.market.core.downloads import streamed
from atelier.market.core.errors import Conflict, Invalid, MarketError, Missing
from atelier.market.core.forms import PhrasesField
from atelier.market.core.notices import undoable

from . import actions, queries
from .answers import questions_of
from .curves import curve_of
from .exporting import archive, filename_of
from .models import Version, VersionPart
from .showing import grouped_parts


@login_required
@require_safe
def proof(request: HttpRequest, pk: int) -> HttpResponse:
    """What a version has learned, in plain words first, then figures; and what can be done with it."""
    return _proof(request, queries.version_for(person_of(request), pk))


def _proof(request: HttpRequest, found: Version, failed: Mapping[str, Any] | None = None) -> HttpResponse:
    """The page; `failed` is what was typed for a part and why it was not taken: {part, typed, error}."""
    works = queries.proof_works(found)
    context = {
        "version": found,
        "called": str(found),
        "model": found.creation_model,
        "questions": questions_of(found.evaluation, to_creator=True),
        "curve": curve_of(found.evaluation.get("curve") or found.run.curve),
        "held_out": works["held_out"],
        "twin": found.evaluation.get("twin", False),
        "trained_on": works["trained_on"],
        "revoked": queries.revoked_works(found) if found.state == Version.State.PAUSED else [],
        "serves": found.creation_model.version_id == found.pk,
        "sheets": list(found.sheets.all()),
        "groups": grouped_parts(found),
        "bytes": sum(file["bytes"] for file in found.files),
        "failed": failed,
    }
    return render(request, "studio/proof.html", context, status=422 if failed else 200)


Act = Callable[..., Any]


@login_required
@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Choose, resume or erase a version."""
    anyway = request.POST.get("anyway") == "yes"
    deeds: dict[str, tuple[Act, dict[str, Any], str]] = {
        "choose": (actions.choose_version, {"anyway": anyway}, _("This version serves from now on.")),
        "resume": (actions.resume_version, {}, _("This version can be used again.")),
        "erase": (
            actions.erase_version,
            {"confirm_name": request.POST.get("confirm_name", "")},
            _("The version is erased; its adapter’s files are being removed from storage."),
        ),
    }
    deed, options, told = deeds[verb]
    try:
        deed(actor=person_of(request), version_id=pk, **options)
    except MarketError as error:
        if error.status == 404:
            raise
        messages.error(request, f"{error.message} {error.remedy}".strip())
    else:
        messages.success(request, told)
    return redirect("studio:version", pk=pk)


@login_required
@require_safe
def export(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The adapter with its card, to take along."""
    found = queries.exportable(person_of(request), pk)
    return streamed(request, archive(found), "application/zip", filename_of(found))


@require_safe
def sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """A sheet, for its creator, and where it is public for everybody."""
    return pictures.send(request, queries.sheet_seen_by(request.user, pk).blob, cache="private, no-cache")


@login_required
@require_safe
def part_picture(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture of a part, for its creator."""
    found = queries.part_of(person_of(request), pk)
    if found.blob is None:
        raise Missing(_("This part has no picture."))
    return pictures.send(request, found.blob)


@login_required
@require_POST
def part(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Veto a part, or take the veto back."""
    person = person_of(request)
    found = queries.part_of(person, pk)
    wish: dict[str, Any] = {"actor": person, "version_id": found.version_id, "name": found.name}
    try:
        if verb == "veto":
            actions.veto_part(**wish)
            told = _("“%(part)s” is not used from now on.") % {"part": found.title}
            undoable(request, told, reverse("studio:allow_part", args=[pk]))
        else:
            actions.allow_part(**wish)
            messages.success(request, _("“%(part)s” is used again.") % {"part": found.title})
    except Conflict as error:
        messages.error(request, f"{error.message} {error.remedy}".strip())
    return _back_to(found)


@login_required
@require_POST
def tag(request: HttpRequest, pk: int) -> HttpResponse:
    """Call a part by the creator's own words."""
    person = person_of(request)
    found = queries.part_of(person, pk)
    typed = request.POST.get("tags", "")
    wish: dict[str, Any] = {"actor": person, "version_id": found.version_id, "name": found.name}
    try:
        tags = PhrasesField(required=False).clean(typed)
        actions.tag_part(**wish, tags=tags)
    except Invalid as error:
        return _proof(request, found.version, {"part": found.pk, "typed": typed, "error": error})
    except Conflict as error:
        messages.error(request, f"{error.message} {error.remedy}".strip())
    else:
        told = _("“%(part)s” is found by: %(tags)s.") % {"part": found.title, "tags": ", ".join(tags)}
        if found.own_tags is None:
            undoable(request, told, reverse("studio:untag_part", args=[pk]))
        else:
            messages.success(request, told)
    return _back_to(found)


@login_required
@require_POST
def untag(request: HttpRequest, pk: int) -> HttpResponse:
    """Call a part as it was learned."""
    person = person_of(request)
    found = queries.part_of(person, pk)
    try:
        actions.tag_part(actor=person, version_id=found.version_id, name=found.name, tags=None)
    except Conflict as error:
        messages.error(request, f"{error.message} {error.remedy}".strip())
    else:
        messages.success(request, _("“%(part)s” is found by its learned tags again.") % {"part": found.title})
    return _back_to(found)


def _back_to(part: VersionPart) -> HttpResponse:
    """The page, where the part stands: who goes through many of them stays there."""
    return redirect(f"{reverse('studio:version', args=[part.version_id])}#part-{part.pk}")
