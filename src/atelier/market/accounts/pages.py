"""The account pages that are not allauth's: profile, becoming a creator, vetting, tokens, demo sign-in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from atelier.market.core.errors import Denied, Invalid, MarketError, Missing
from atelier.market.core.forms import put_error

from . import actions, queries
from .forms import CreatorForm, DecisionForm, ProfileForm, TokenForm, VettingForm
from .models import Creator
from .queries import person

WAITING_SHOWN = 50
DECIDED_SHOWN = 30


@login_required
def me(request: HttpRequest) -> HttpResponse:
    """The account: name, the way to become a creator, tokens, security."""
    who = person(request)
    form = ProfileForm(request.POST or None, initial={"name": who.name})
    if request.method == "POST" and form.is_valid():
        actions.rename(actor=who, name=form.cleaned_data["name"])
        messages.success(request, _("Saved."))
        return redirect("accounts:me")
    creator = Creator.objects.filter(user=who).first()
    context = {
        "form": form,
        "creator": creator,
        "application": queries.latest_application(creator) if creator else None,
        "tokens": queries.tokens_of(who),
        "token_form": TokenForm(),
        "new_token": request.session.pop("new_token", None),
    }
    return render(request, "accounts/me.html", context, status=422 if form.errors else 200)


@login_required
def creator(request: HttpRequest) -> HttpResponse:
    """Become a creator, or change how one appears."""
    who = person(request)
    found = Creator.objects.filter(user=who).first()
    initial = (
        {"handle": found.handle, "headline": found.headline, "about": found.about, "languages": found.languages}
        if found
        else None
    )
    form = CreatorForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_creator(actor=who, **form.cleaned_data)
        except MarketError as error:
            put_error(form, error)
        else:
            messages.success(request, _("Saved.") if found else _("Welcome. Now add some of your works."))
            return redirect("accounts:me" if found else "works:list")
    status = 422 if form.errors else 200
    return render(request, "accounts/creator.html", {"form": form, "creator": found}, status=status)


@login_required
def vetting(request: HttpRequest) -> HttpResponse:
    """Apply to be allowed to publish, and see how it stands."""
    who = person(request)
    found = queries.creator_of(who)
    form = VettingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.apply_for_vetting(actor=who, **form.cleaned_data)
        except MarketError as error:
            put_error(form, error)
        else:
            messages.success(request, _("Your application is with the operators. You can train meanwhile."))
            return redirect("accounts:vetting")
    context = {"form": form, "creator": found, "application": queries.latest_application(found)}
    return render(request, "accounts/vetting.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an application back."""
    who = person(request)
    actions.withdraw_application(actor=who, application_id=pk)
    messages.success(request, _("Your application is withdrawn."))
    return redirect("accounts:vetting")


@login_required
def vetting_queue(request: HttpRequest) -> HttpResponse:
    """The operators' queue."""
    who = person(request)
    if not who.is_operator:
        raise Denied(_("Only operators see this page."))
    return _queue(request, form=DecisionForm())


def _queue(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    waiting = queries.applications_waiting()
    context["waiting"] = waiting[:WAITING_SHOWN]
    context["later"] = max(0, waiting.count() - WAITING_SHOWN)
    context["decided"] = queries.applications_decided()[:DECIDED_SHOWN]
    return render(request, "accounts/vetting_queue.html", context, status=status)


@login_required
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or decline one application."""
    who = person(request)
    approve = request.POST.get("answer") == "approve"
    form = DecisionForm(request.POST)
    if form.is_valid():
        try:
            actions.decide_vetting(actor=who, application_id=pk, approve=approve, reason=form.cleaned_data["reason"])
        except MarketError as error:
            # What was decided meanwhile is no longer in the queue to show an error beside it.
            if not isinstance(error, Invalid):
                raise
            put_error(form, error)
        else:
            messages.success(request, _("Approved.") if approve else _("Declined."))
            return redirect("accounts:vetting-queue")
    return _queue(request, status=422, form=form, answered=pk)


@login_required
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """Make an API token; its text is shown once on the account page."""
    who = person(request)
    form = TokenForm(request.POST)
    if form.is_valid():
        try:
            _token, request.session["new_token"] = actions.make_token(actor=who, name=form.cleaned_data["name"])
        except MarketError as error:
            put_error(form, error)
    for field, errors in form.errors.items():
        label = form.fields[field].label if field in form.fields else _("API tokens")
        messages.error(request, f"{label}: {' '.join(str(error) for error in errors)}")
    return redirect("accounts:me")


@login_required
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End an API token."""
    who = person(request)
    token = actions.revoke_token(actor=who, token_id=pk)
    messages.success(request, _("“%(name)s” can no longer act for you.") % {"name": token.name})
    return redirect("accounts:me")


@require_POST
def demo_sign_in(request: HttpRequest, who: str) -> HttpResponse:
    """In a demo market only: sign in as one of its people with one click."""
    found = queries.demo_person(who) if settings.DEMO else None
    if found is None:
        raise Missing(_("There is no such page."))
    login(request, found, backend="allauth.account.auth_backends.AuthenticationBackend")
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    messages.info(request, _("You are now %(name)s. Nothing here is real.") % {"name": found.name})
    return redirect(target)
