"""The pages of works: the list, one work, adding more."""

from __future__ import annotations

import mimetypes
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from atelier.market.accounts.models import User
from atelier.market.accounts.queries import creator_of
from atelier.market.accounts.queries import person as person_of
from atelier.market.core import blobs
from atelier.market.core.downloads import streamed
from atelier.market.core.errors import Invalid, MarketError
from atelier.market.core.forms import put_error
from atelier.market.core.notices import undoable

from . import actions, queries
from .crafts import extent_unit
from .forms import FilterForm, ShareForm, WorkForm
from .models import Resemblance, Work
from .sending import send_preview

A_PAGE = 50
SHOWN_BYTES = 400_000
UNDO_MOST = 200


def chosen(request: HttpRequest) -> list[int]:
    """The ids of ticked works."""
    return [int(raw) for raw in request.POST.getlist("works") if raw.isdecimal() and len(raw) < 19]


@login_required
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """One's own works, narrowed by filters, and how far they go."""
    creator = creator_of(person_of(request))
    facets = queries.facets(creator)
    form = FilterForm(request.GET, facets)
    works = queries.filtered(queries.works_of(creator), **form.filters)
    engines = list(Work.objects.filter(creator=creator).order_by("engine").values_list("engine", flat=True).distinct())
    context = {
        "form": form,
        "filtered": any(form.filters.values()),
        "page": Paginator(works, A_PAGE).get_page(request.GET.get("page")),
        "facets": facets,
        "total": sum(facets["states"].values()),
        "enough": [queries.enough(creator, name) for name in engines if extent_unit(name)],
        "here": request.get_full_path(),
    }
    return render(request, "works/list.html", context)


@login_required
def work(request: HttpRequest, pk: int) -> HttpResponse:
    """One work whole, what is said of it, who permits what."""
    person = person_of(request)
    found = queries.work_for(person, pk)
    form = WorkForm(
        request.POST or None, initial={"title": found.title, "description": found.description, "tags": found.tags}
    )
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit_work(actor=person, work_id=pk, **form.cleaned_data)
        except MarketError as error:
            put_error(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("works:work", pk=pk)
    return _work_page(request, found, form, ShareForm())


def _work_page(request: HttpRequest, found: Work, form: WorkForm, share_form: ShareForm) -> HttpResponse:
    shares = list(found.shares.select_related("holder").order_by("pk"))
    whole = found.blob.media_type.startswith("text/") and found.blob.bytes <= SHOWN_BYTES
    context = {
        "work": found,
        "mine": found.creator.user_id == person_of(request).pk,
        "form": form,
        "share_form": share_form,
        "shares": shares,
        "left": 100 - sum(share.basis_points for share in shares) / 100,
        "text": blobs.read(found.blob).decode(errors="replace") if whole else None,
        "resemblances": queries.in_the_way(found.resemblances.all()).select_related("other"),
        "refusals": found.resemblances.filter(state=Resemblance.State.UPHELD),
        "consents": found.consents.order_by("-pk"),
        "attestation": found.attestations.order_by("pk").first(),
    }
    bad = bool(form.errors or share_form.errors)
    return render(request, "works/work.html", context, status=422 if bad else 200)


@login_required
@require_safe
def file(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """A work's bytes, as a download."""
    found = queries.work_for(person_of(request), pk)
    suffix = mimetypes.guess_extension(found.blob.media_type, strict=False) or ""
    return streamed(
        request, blobs.chunks(found.blob), found.blob.media_type, f"{found.title}{suffix}", found.blob.bytes
    )


@login_required
@require_safe
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The small picture of a work, for whoever may see the work."""
    return send_preview(request, queries.work_for(person_of(request), pk))


@login_required
@require_POST
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a co-author a share."""
    person = person_of(request)
    found = queries.work_for(person, pk)
    form = ShareForm(request.POST)
    if form.is_valid():
        try:
            actions.give_share(
                actor=person, work_id=pk, email=form.cleaned_data["email"], basis_points=form.basis_points
            )
        except MarketError as error:
            put_error(form, error, basis_points="percent")
        else:
            messages.success(request, _("The share is given; it counts for sales from now on."))
            return redirect("works:work", pk=pk)
    edit = WorkForm(initial={"title": found.title, "description": found.description, "tags": found.tags})
    return _work_page(request, found, edit, form)


@login_required
@require_POST
def unshare(request: HttpRequest, pk: int, share_id: int) -> HttpResponse:
    """Take a co-author's share back."""
    actions.take_back_share(actor=person_of(request), work_id=pk, share_id=share_id)
    messages.success(request, _("The share is taken back for sales from now on."))
    return redirect("works:work", pk=pk)


@login_required
@require_POST
def keep_both(request: HttpRequest, pk: int) -> HttpResponse:
    """Use a work although it is nearly another of one's own."""
    actions.keep_both(actor=person_of(request), work_id=pk)
    messages.success(request, _("Both can be trained on now."))
    return redirect("works:work", pk=pk)


@login_required
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Do one thing to all ticked works."""
    person, ids = person_of(request), chosen(request)
    verb, tag = request.POST.get("verb", ""), request.POST.get("tag_name", "")
    try:
        _do(request, person, verb, ids, tag)
    except MarketError as error:
        messages.error(request, f"{error.message} {error.remedy}".strip())
    return redirect(_back(request))


def _do(request: HttpRequest, person: User, verb: str, ids: list[int], tag: str) -> None:
    told: dict[str, Any] = {
        "consent": lambda n: ngettext(
            "Training is permitted for one more work.", "Training is permitted for %(n)s more works.", n
        ),
        "revoke": lambda n: ngettext(
            "Consent is revoked for one work. It leaves every future dataset, and versions trained on it are paused.",
            "Consent is revoked for %(n)s works. They leave every future dataset, and versions trained on them are "
            "paused.",
            n,
        ),
        "tag": lambda n: ngettext("One work is tagged.", "%(n)s works are tagged.", n),
        "restore": lambda n: ngettext("One work is back.", "%(n)s works are back.", n),
    }
    if verb == "remove":
        return _remove(request, person, ids)
    if verb == "consent":
        count = actions.give_consent(actor=person, work_ids=ids)
    elif verb == "revoke":
        count = actions.revoke_consent(actor=person, work_ids=ids)
    elif verb == "tag":
        count = actions.tag_works(actor=person, work_ids=ids, tag=tag)
    elif verb == "restore":
        count = actions.restore_works(actor=person, work_ids=ids)
    else:
        raise Invalid(_("Nothing was chosen to do."), remedy=_("Press one of the buttons below the list."))
    messages.success(request, told[verb](count) % {"n": count})
    return None


def _remove(request: HttpRequest, person: User, ids: list[int]) -> None:
    count = actions.remove_works(actor=person, work_ids=ids)
    told = ngettext(
        "One work is removed. Versions trained on it stay as they are.",
        "%(n)s works are removed. Versions trained on them stay as they are.",
        count,
    ) % {"n": count}
    undo = reverse("works:undo", args=[",".join(str(pk) for pk in ids)]) if len(ids) <= UNDO_MOST else ""
    if undo:
        undoable(request, told, undo)
    else:
        messages.success(request, told)


@login_required
@require_POST
def undo(request: HttpRequest, ids: str) -> HttpResponse:
    """Bring back what was just removed."""
    works = [int(raw) for raw in ids.split(",") if raw.isdecimal() and len(raw) < 19]
    count = actions.restore_works(actor=person_of(request), work_ids=works)
    messages.success(request, ngettext("One work is back.", "%(n)s works are back.", count) % {"n": count})
    return redirect("works:list")


def _back(request: HttpRequest) -> str:
    """Where the form was: the list with its filters, or a work."""
    came = request.POST.get("next", "")
    return came if came.startswith(("/works/", "/works?")) else reverse("works:list")
