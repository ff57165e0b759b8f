"""The pages of briefs and samples: asking, watching, finding again, showing."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from atelier.market.accounts.queries import person as who
from atelier.market.core import live
from atelier.market.core.errors import Invalid, MarketError
from atelier.market.studio.models import CreationModel, Version
from atelier.workshop.contract import Variation

from . import actions, drafts, queries, quota
from .brief_pictures import pictures_in
from .cards import cards, cards_by_generation, cards_of, offers, readable_brief, revealed_template
from .engines import capabilities_of
from .forms import AskForm
from .lineage import make_another, variation_of
from .models import Draft, Output
from .sending import send_picture

A_PAGE = 20


@login_required
def brief(request: HttpRequest, pk: int) -> HttpResponse:
    """Brief a published creation model; its own creator is led to the playground, where nothing is hidden."""
    person = who(request)
    creation_model = queries.published_model(pk)
    if creation_model.creator.user_id == person.pk and creation_model.version_id:
        return redirect("generation:playground", pk=creation_model.version_id)
    form = _form(request, creation_model)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.ask_for_samples(actor=person, creation_model=creation_model, wish=_wish(form))
        except MarketError as error:
            form.put(error)
        else:
            return redirect("generation:detail", pk=made.pk)
    return _brief_page(request, form, creation_model)


@login_required
def playground(request: HttpRequest, pk: int) -> HttpResponse:
    """Try one's own version: whole samples, not counted, seen by nobody else."""
    person = who(request)
    version = queries.version_of(person, pk)
    form = _form(request, version.creation_model)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.try_out(actor=person, version=version, wish=_wish(form))
        except MarketError as error:
            form.put(error)
        else:
            return redirect("generation:detail", pk=made.pk)
    return _playground_page(request, form, version)


def _form(request: HttpRequest, creation_model: CreationModel, *, asks: bool = True, one: bool = False) -> AskForm:
    """The form as it was sent, with the pictures of the brief that it repeats; empty when nothing was sent."""
    capabilities = capabilities_of(creation_model)
    if request.method != "POST":
        return AskForm(capabilities, asks=asks)
    kept: dict[str, str] = {}
    with suppress(MarketError, ValueError):
        source = queries.generation_of(request.user, uuid.UUID(request.POST.get("source", "")))
        kept = pictures_in(capabilities.brief_schema, source.brief)
    return AskForm(capabilities, request.POST, request.FILES, kept=kept, asks=asks, one=one)


def _wish(form: AskForm) -> actions.Wish:
    data = form.cleaned_data
    return actions.Wish(
        brief=form.brief, samples=data["samples"], key=form.request_key, source=data["source"], again=data["again"]
    )


def _brief_page(request: HttpRequest, form: AskForm, creation_model: CreationModel) -> HttpResponse:
    context = {
        "form": form,
        "creation_model": creation_model,
        "left": quota.left(who(request), creation_model),
        "offers": offers(creation_model),
        "revealed": revealed_template(creation_model),
        "action": reverse("generation:brief", args=[creation_model.pk]),
    }
    return render(request, "generation/brief.html", context, status=_status(request, form))


def _status(request: HttpRequest, form: AskForm) -> int:
    if form.errors:
        form.ask_for_files_again()
    return 422 if request.method == "POST" and form.errors else 200


def _playground_page(request: HttpRequest, form: AskForm, version: Version) -> HttpResponse:
    recent = queries.generations_of(request.user).filter(version=version, is_playground=True)[:5]
    context = {
        "form": form,
        "version": version,
        "creation_model": version.creation_model,
        "recent": _rows(recent, request.user),
        "action": reverse("generation:playground", args=[version.pk]),
    }
    return render(request, "generation/playground.html", context, status=_status(request, form))


@login_required
@require_safe
def vary(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The same brief to change, for new samples."""
    return _again(request, pk, same_seeds=False)


@login_required
@require_safe
def repeat(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The same brief with the same seeds: the same version makes the same samples again."""
    return _again(request, pk, same_seeds=True)


def _again(request: HttpRequest, pk: uuid.UUID, *, same_seeds: bool) -> HttpResponse:
    source = queries.generation_of(request.user, pk)
    if source.parent_id and same_seeds:
        return redirect(reverse("generation:another", args=[source.parent_id, source.vary_way]) + f"?repeat={pk}")
    form = AskForm.starting_from(
        capabilities_of(source.creation_model),
        source.brief,
        samples=len(source.seeds),
        source=source.pk,
        again=same_seeds,
    )
    if source.error_where:
        # What the engine had to say of the brief stands at the field it is about.
        form = form.sent_again()
        form.put(Invalid(source.error, field=source.error_where, remedy=source.remedy))
    if source.is_playground:
        return _playground_page(request, form, source.version)
    return _brief_page(request, form, queries.published_model(source.creation_model_id))


@login_required
@require_POST
def try_again(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for the same once more where nothing was made, with one press. Twice is once."""
    person = who(request)
    source = queries.generation_of(person, pk)
    if not source.may_be_tried_again:
        return redirect("generation:repeat", pk=pk)
    wish = actions.Wish(
        brief=source.brief, samples=len(source.seeds), key=f"again:{source.pk}", source=source.pk, again=True
    )
    try:
        if source.parent_id:
            made = make_another(actor=person, output_id=source.parent_id, way=source.vary_way, wish=wish)
        elif source.is_playground:
            made = actions.try_out(actor=person, version=source.version, wish=wish)
        else:
            model = queries.published_model(source.creation_model_id)
            made = actions.ask_for_samples(actor=person, creation_model=model, wish=wish)
    except MarketError as error:
        messages.error(request, f"{error.message} {error.remedy}".strip())
        return redirect("generation:detail", pk=pk)
    return redirect("generation:detail", pk=made.pk)


@login_required
@require_safe
def detail(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Watch samples being made, and see them when they are."""
    # Noted before the state is read: what happens in between is heard, not missed.
    heard = live.latest(f"generation:{pk}")
    generation = queries.generation_of(request.user, pk)
    context = {
        "generation": generation,
        "creation_model": generation.creation_model,
        "last_event_id": heard,
        "cards": cards_of(generation, request.user),
        "brief": readable_brief(generation),
        "ahead": queries.place_in_queue(generation),
    }
    return render(request, "generation/detail.html", context)


@login_required
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Everything this person asked for, to find, repeat or vary."""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    found = queries.search(queries.generations_of(request.user), words)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": _rows(page.object_list, request.user), "words": words}
    return render(request, "generation/list.html", context)


def _rows(generations: Any, viewer: Any) -> list[dict[str, Any]]:
    """Generations with their cards and readable briefs, for lists."""
    found = list(generations)
    of = cards_by_generation(found, viewer)
    return [
        {"generation": generation, "cards": of[generation.pk], "brief": readable_brief(generation)}
        for generation in found
    ]


@login_required
@require_POST
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Stop writing."""
    actions.cancel(actor=who(request), generation_id=pk)
    return redirect("generation:detail", pk=pk)


@require_safe
def output(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """One piece, for whoever may see it."""
    found = queries.output_seen_by(request.user, pk)
    card = cards([found], request.user)[0]
    return render(request, "generation/output.html", {"card": card, "creation_model": card.creation_model})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def another(request: HttpRequest, pk: uuid.UUID, way: str) -> HttpResponse:
    """Have another made from a sample of one's own, in one of the engine's ways."""
    person = who(request)
    parent = queries.output_made_for(person, pk)
    model = parent.generation.creation_model
    variation = variation_of(model, way)
    form = _another_form(request, parent, variation)
    if request.method == "POST" and form.is_valid():
        try:
            if variation.live:
                made = drafts.keep(actor=person, output_id=pk, way=way, key=form.cleaned_data["key"], wish=_wish(form))
            else:
                made = make_another(actor=person, output_id=pk, way=way, wish=_wish(form))
        except MarketError as error:
            form.put(error)
        else:
            return redirect("generation:detail", pk=made.pk)
    context = {
        "form": form,
        "variation": variation,
        "creation_model": model,
        "card": cards([parent], person)[0],
        "left": None if parent.generation.is_playground else quota.left(person, model),
        "action": reverse("generation:another", args=[pk, way]),
        "counts": drafts.STATES_A_SAMPLE,
        "topic": Draft.topic_of(person.pk, form["key"].value()),
    }
    return render(request, "generation/another.html", context, status=_status(request, form))


@login_required
@require_POST
def follow(request: HttpRequest, pk: uuid.UUID, way: str) -> HttpResponse:
    """Draw a sample with the words as they stand in the form; the page hears of it by the state that this names."""
    person = who(request)
    parent = queries.output_made_for(person, pk)
    form = _another_form(request, parent, variation_of(parent.generation.creation_model, way))
    status = 422
    if form.is_valid():
        try:
            state = drafts.follow(actor=person, output_id=pk, way=way, key=form.cleaned_data["key"], wish=_wish(form))
        except MarketError as error:
            form.put(error)
            status = error.status
        else:
            return JsonResponse({"state": str(state)}, status=202)
    return JsonResponse({"errors": form.errors_in_place()}, status=status)


def _another_form(request: HttpRequest, parent: Output, variation: Variation) -> AskForm:
    """The form to have another made: as it was sent, or with the brief it begins from."""
    if request.method == "POST":
        return _form(request, parent.generation.creation_model, asks=variation.edits, one=variation.live)
    return _from(request, parent, variation)


def _from(request: HttpRequest, parent: Output, variation: Variation) -> AskForm:
    """The form to have another made, with the brief where that may be changed; `?repeat=` as it was sent before."""
    source, again = parent.generation, False
    with suppress(MarketError, ValueError):
        source = queries.generation_of(request.user, uuid.UUID(request.GET.get("repeat", "")))
        again = True
    capabilities = capabilities_of(source.creation_model)
    told: dict[str, Any] = {"samples": len(source.seeds), "source": source.pk, "again": again}
    return AskForm.starting_from(capabilities, source.brief, asks=variation.edits, one=variation.live, **told)


@require_safe
def picture(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The picture by which a piece is shown, for whoever may see it."""
    return send_picture(request, pk)


@login_required
@require_POST
def showcase(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a piece of the playground on the model's page, or take it back."""
    person = who(request)
    if request.POST.get("show") == "no":
        shown = actions.take_from_showcase(actor=person, output_id=pk)
        messages.success(request, _("This piece is no longer shown on the model’s page."))
    else:
        shown = actions.showcase(actor=person, output_id=pk)
        messages.success(request, _("This piece is now shown on the model’s page, whole."))
    return redirect(reverse("generation:detail", args=[shown.generation_id]) + f"#output-{shown.pk}")
