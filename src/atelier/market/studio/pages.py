"""The studio's pages about creation models: list, making, editing, one model, and its way to buyers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from atelier.market.accounts.queries import creator_of
from atelier.market.accounts.queries import person as person_of
from atelier.market.core.covers import cover_svg
from atelier.market.core.errors import MarketError
from atelier.market.core.forms import fresh_key, put_error
from atelier.market.works.queries import enough

from . import actions, queries
from .forms import ModelForm
from .models import CreationModel, Version


@login_required
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """One's own creation models."""
    creator = creator_of(person_of(request))
    return render(request, "studio/list.html", {"models": queries.models_of(creator)})


@login_required
def create(request: HttpRequest) -> HttpResponse:
    """Make a creation model."""
    person = person_of(request)
    creator_of(person)
    form = ModelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.create_model(
                actor=person,
                values=form.settings,
                idempotency_key=form.cleaned_data["key"] or fresh_key(),
            )
        except MarketError as error:
            put_error(form, error)
        else:
            messages.success(request, _("Made. Now choose the works it learns from."))
            return redirect("studio:train", pk=made.pk)
    context = {"form": form, "preview": _preview(form, None)}
    return render(request, "studio/edit.html", context, status=422 if form.errors else 200)


@login_required
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a creation model's settings."""
    person = person_of(request)
    found = queries.model_for(person, pk)
    form = ModelForm(request.POST or None, model=found)
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit_model(actor=person, creation_model_id=pk, values=form.settings)
        except MarketError as error:
            put_error(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("studio:model", pk=pk)
    context = {"form": form, "model": found, "preview": _preview(form, found)}
    return render(request, "studio/edit.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def cover_preview(request: HttpRequest) -> HttpResponse:
    """The cover that a name and a palette would give, as a part of a page."""
    form = ModelForm(request.POST)
    form.is_valid()
    return render(request, "studio/cover_preview.html", {"preview": _preview(form, None)})


def _preview(form: ModelForm, model: CreationModel | None) -> str:
    """The cover as entered so far; it passes over colours that are none."""
    name = str(form["name"].value() or _("Untitled"))[:80]
    raw = form["palette"].value() or []
    colours = raw if isinstance(raw, list) else str(raw).replace(",", " ").split()
    return cover_svg(name, colours[:6], f"{model.pk if model else 'new'}:{name}", "cover--page")


@login_required
@require_safe
def model(request: HttpRequest, pk: int) -> HttpResponse:
    """One creation model: how it stands, its versions and trainings, what comes next."""
    found = queries.model_for(person_of(request), pk)
    runs = list(found.runs.order_by("-pk")[:10])
    versions = list(queries.versions_of(found))
    context = {
        "model": found,
        "versions": versions,
        "runs": runs,
        "live_run": next((run for run in runs if not run.is_over), None),
        "next": _next_step(found, versions),
        "usable": enough(found.creator, found.engine) if queries.engine_stands(found.engine) else None,
    }
    return render(request, "studio/model.html", context)


def _next_step(found: CreationModel, versions: list[Version]) -> str:
    """What the creator can do next: train, vet, publish, resume, retrain, or nothing."""
    if found.state == CreationModel.State.RETIRED:
        return "retired"
    usable = found.version is not None and found.version.state == Version.State.READY
    if not usable:
        if any(version.state == Version.State.READY for version in versions):
            return "choose"
        return "retrain" if versions else "train"
    if found.state == CreationModel.State.PUBLISHED:
        return "live"
    if not found.creator.is_vetted:
        return "vet"
    return "resume" if found.state == CreationModel.State.PAUSED else "publish"


Act = Callable[..., Any]


@login_required
@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Publish, pause, retire or bring back."""
    person = person_of(request)
    anyway = request.POST.get("anyway") == "yes"
    deeds: dict[str, tuple[Act, dict[str, Any], str]] = {
        "publish": (actions.publish_model, {"anyway": anyway}, _("It is published: buyers can find and brief it now.")),
        "pause": (actions.pause_model, {}, _("It is paused: buyers cannot brief it until you publish it again.")),
        "retire": (actions.retire_model, {}, _("It is retired. What was sold stays sold.")),
        "bring-back": (actions.bring_back_model, {}, _("It is a draft again.")),
    }
    deed, options, told = deeds[verb]
    try:
        deed(actor=person, creation_model_id=pk, **options)
    except MarketError as error:
        if error.status == 404:
            raise
        messages.error(request, f"{error.message} {error.remedy}".strip())
    else:
        messages.success(request, told)
    return redirect("studio:model", pk=pk)
