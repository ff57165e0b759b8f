"""The studio's pages about training: choosing works, and watching a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from atelier.market.accounts.queries import person as person_of
from atelier.market.core import live
from atelier.market.core.errors import MarketError
from atelier.market.core.forms import fresh_key
from atelier.market.works.pages import chosen
from atelier.market.works.queries import enough

from . import actions, queries
from .curves import curve_of
from .models import CreationModel, TrainingRun

TAGS_SHOWN = 20


@login_required
def train(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose works and start a training. All usable ones are ticked first, or those with a tag (`?tag=`)."""
    person = person_of(request)
    found = queries.model_for(person, pk)
    error: MarketError | None = None
    if request.method == "POST":
        try:
            run = actions.start_training(
                actor=person,
                creation_model_id=pk,
                work_ids=chosen(request),
                idempotency_key=request.POST.get("key", "")[:64] or fresh_key(),
            )
        except MarketError as caught:
            error = caught
        else:
            return redirect("studio:run", pk=run.pk)
    return render(request, "studio/train.html", _choice(request, found, error), status=error.status if error else 200)


def _choice(request: HttpRequest, found: CreationModel, error: MarketError | None) -> dict[str, Any]:
    choices = queries.choices_for(found)
    tag, none = request.GET.get("tag", ""), "none" in request.GET
    if request.method == "POST":
        ticked = set(chosen(request))
    else:
        ticked = {
            choice.work.pk
            for choice in choices
            if not choice.why_not and not none and (not tag or tag in choice.work.tags)
        }
    return {
        "model": found,
        "usable": [choice for choice in choices if not choice.why_not],
        "barred": [choice for choice in choices if choice.why_not],
        "ticked": ticked,
        "tag": tag,
        "none": none,
        "tags": _common_tags(choices),
        "enough": enough(found.creator, found.engine),
        "key": fresh_key(),
        "error": error,
    }


def _common_tags(choices: Sequence[queries.Choice]) -> list[str]:
    """Tags that several usable works share, the commonest first."""
    counts = Counter(tag for choice in choices if not choice.why_not for tag in choice.work.tags)
    return [tag for tag, count in counts.most_common(TAGS_SHOWN) if count > 1]


def _took(run: TrainingRun) -> str:
    """How long a training took, in words."""
    if run.started_at is None or run.ended_at is None:
        return ""
    minutes, seconds = divmod(round((run.ended_at - run.started_at).total_seconds()), 60)
    return _("%(m)s min %(s)s s") % {"m": minutes, "s": seconds} if minutes else _("%(s)s s") % {"s": seconds}


@login_required
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """How a training goes or went. A page that comes back finds it."""
    last = live.latest(f"run:{pk}")
    found = queries.run_for(person_of(request), pk)
    context = {
        "run": found,
        "model": found.creation_model,
        "version": getattr(found, "version", None),
        "ahead": queries.ahead_of(found),
        "works": found.dataset.items.count(),
        "curve": curve_of(found.curve),
        "took": _took(found),
        "last_event_id": last,
        "key": fresh_key(),
    }
    return render(request, "studio/run.html", context)


@login_required
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a training."""
    stopped = actions.cancel_run(actor=person_of(request), run_id=pk)
    if stopped.state == TrainingRun.State.RUNNING:
        messages.info(request, _("It stops within two seconds."))
    return redirect("studio:run", pk=pk)


@login_required
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Train again on the same works."""
    try:
        again = actions.retry_run(
            actor=person_of(request), run_id=pk, idempotency_key=request.POST.get("key", "")[:64] or fresh_key()
        )
    except MarketError as error:
        if error.status == 404:
            raise
        messages.error(request, f"{error.message} {error.remedy}".strip())
        return redirect("studio:run", pk=pk)
    return redirect("studio:run", pk=again.pk)
