"""The operator's queue of works that resemble another creator's."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from atelier.market.accounts.queries import person as person_of
from atelier.market.core import blobs
from atelier.market.core.errors import MarketError, Missing
from atelier.market.core.forms import put_error

from . import actions, queries
from .forms import DecisionForm
from .models import Resemblance, Work
from .pages import SHOWN_BYTES


@login_required
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for a verdict, and what was decided last."""
    person = person_of(request)
    decided = queries.resemblances(person).exclude(state=Resemblance.State.OPEN).order_by("-pk")[:10]
    page = Paginator(queries.open_resemblances(person), 20).get_page(request.GET.get("page"))
    return render(request, "works/resemblances.html", {"page": page, "decided": decided})


@login_required
def resemblance(request: HttpRequest, pk: int) -> HttpResponse:
    """Two works side by side, and the verdict."""
    person = person_of(request)
    found = queries.resemblances(person).filter(pk=pk).first()
    if found is None:
        raise Missing(_("There is no such resemblance."), remedy=_("Go back to the queue."))
    form = DecisionForm(request.POST if request.method == "POST" else None)
    verdict = request.POST.get("verdict")
    if request.method == "POST" and verdict not in {"clear", "uphold"}:
        form.add_error(None, _("Press one of the two buttons."))
    if request.method == "POST" and form.is_valid():
        uphold = verdict == "uphold"
        try:
            actions.decide_resemblance(
                actor=person, resemblance_id=pk, uphold=uphold, reason=form.cleaned_data["reason"]
            )
        except MarketError as error:
            put_error(form, error)
        else:
            messages.success(request, _("Decided: it is a copy.") if uphold else _("Decided: it may stay."))
            return redirect("works:resemblances")
    context = {"resemblance": found, "form": form, "sides": [_side(found.other), _side(found.work)]}
    return render(request, "works/resemblance.html", context, status=422 if form.errors else 200)


def _side(work: Work) -> dict[str, object]:
    """A work with its text, where it is one of a bearable size."""
    shown = work.blob.media_type.startswith("text/") and work.blob.bytes <= SHOWN_BYTES
    return {"work": work, "text": blobs.read(work.blob).decode(errors="replace") if shown else None}
