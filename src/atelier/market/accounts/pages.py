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

from atelier.market.core.errors import Denied, MarketError, Missing

from . import actions, queries
from .forms import CreatorForm, DecisionForm, ProfileForm, TokenForm, VettingForm
from .models import Creator, User


def on_form(form: Any, error: MarketError) -> None:
    """Put an action's error beside the field it concerns."""
    text = f"{error.message} {error.remedy}".strip()
    form.add_error(error.field if error.field in form.fields else None, text)


@login_required
def me(request: HttpRequest) -> HttpResponse:
    """The account: name, the way to become a creator, tokens, security."""
    assert isinstance(request.user, User)
    form = ProfileForm(request.POST or None, initial={"name": request.user.name})
    if request.method == "POST" and form.is_valid():
        actions.rename(actor=request.user, name=form.cleaned_data["name"])
        messages.success(request, _("Saved."))
        return redirect("accounts:me")
    creator = Creator.objects.filter(user=request.user).first()
    context = {
        "form": form,
        "creator": creator,
        "application": queries.latest_application(creator) if creator else None,
        "tokens": queries.tokens_of(request.user),
        "token_form": TokenForm(),
        "new_token": request.session.pop("new_token", None),
    }
    return render(request, "accounts/me.html", context)


@login_required
def creator(request: HttpRequest) -> HttpResponse:
    """Become a creator, or change how one appears."""
    assert isinstance(request.user, User)
    found = Creator.objects.filter(user=request.user).first()
    initial = (
        {"handle": found.handle, "headline": found.headline, "about": found.about, "languages": found.languages}
        if found
        else None
    )
    form = CreatorForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_creator(actor=request.user, **form.cleaned_data)
        except MarketError as error:
            on_form(form, error)
        else:
            messages.success(request, _("Saved.") if found else _("Welcome. Now add some of your works."))
            return redirect("accounts:me" if found else "works:list")
    status = 422 if form.errors else 200
    return render(request, "accounts/creator.html", {"form": form, "creator": found}, status=status)


@login_required
def vetting(request: HttpRequest) -> HttpResponse:
    """Apply to be allowed to publish, and see how it stands."""
    assert isinstance(request.user, User)
    found = queries.creator_of(request.user)
    form = VettingForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.apply_for_vetting(actor=request.user, **form.cleaned_data)
        except MarketError as error:
            on_form(form, error)
        else:
            messages.success(request, _("Your application is with the operators. You can train meanwhile."))
            return redirect("accounts:vetting")
    context = {"form": form, "creator": found, "application": queries.latest_application(found)}
    return render(request, "accounts/vetting.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an application back."""
    assert isinstance(request.user, User)
    actions.withdraw_application(actor=request.user, application_id=pk)
    messages.success(request, _("Your application is withdrawn."))
    return redirect("accounts:vetting")


@login_required
def vetting_queue(request: HttpRequest) -> HttpResponse:
    """The operators' queue."""
    assert isinstance(request.user, User)
    if not request.user.is_operator:
        raise Denied(_("Only operators see this page."))
    context = {"waiting": queries.applications_waiting(), "decided": queries.applications_decided()[:30]}
    return render(request, "accounts/vetting_queue.html", {**context, "form": DecisionForm()})


@login_required
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or decline one application."""
    assert isinstance(request.user, User)
    approve = request.POST.get("answer") == "approve"
    form = DecisionForm(request.POST)
    if form.is_valid():
        try:
            actions.decide_vetting(
                actor=request.user, application_id=pk, approve=approve, reason=form.cleaned_data["reason"]
            )
        except MarketError as error:
            if error.status in {403, 404}:
                raise
            on_form(form, error)
        else:
            messages.success(request, _("Approved.") if approve else _("Declined."))
            return redirect("accounts:vetting-queue")
    context = {"waiting": queries.applications_waiting(), "decided": queries.applications_decided()[:30]}
    return render(request, "accounts/vetting_queue.html", {**context, "form": form, "answered": pk}, status=422)


@login_required
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """Make an API token; its text is shown once on the account page."""
    assert isinstance(request.user, User)
    try:
        _token, text = actions.make_token(actor=request.user, name=request.POST.get("name", ""))
        request.session["new_token"] = text
    except MarketError as error:
        messages.error(request, f"{error.message} {error.remedy}".strip())
    return redirect("accounts:me")


@login_required
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End an API token."""
    assert isinstance(request.user, User)
    token = actions.revoke_token(actor=request.user, token_id=pk)
    messages.success(request, _("“%(name)s” can no longer act for you.") % {"name": token.name})
    return redirect("accounts:me")


@require_POST
def demo_sign_in(request: HttpRequest, who: str) -> HttpResponse:
    """In a demo market only: sign in as one of its people with one click."""
    person = queries.demo_person(who) if settings.DEMO else None
    if person is None:
        raise Missing(_("There is no such page."))
    login(request, person, backend="allauth.account.auth_backends.AuthenticationBackend")
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    messages.info(request, _("You are now %(name)s. Nothing here is real.") % {"name": person.name})
    return redirect(target)
