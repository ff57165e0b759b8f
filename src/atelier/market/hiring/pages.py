"""Conversations: the list of both sides, one of them, and beginning one from a piece."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from atelier.market.accounts.queries import person
from atelier.market.core import live
from atelier.market.core.errors import Denied, MarketError, Missing
from atelier.market.core.forms import put_error
from atelier.market.generation.cards import Card, cards
from atelier.market.generation.queries import output_seen_by
from atelier.market.generation.sending import send_picture_of

from . import actions, queries
from .forms import MessageForm
from .models import Conversation

A_PAGE = 30
MESSAGES_SHOWN = 200


@login_required
@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All conversations of a person, on either side."""
    who = person(request)
    heard = live.latest(f"inbox:{who.pk}")
    page = Paginator(queries.conversations_of(who), A_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page, "inbox": f"inbox:{who.pk}", "last_event_id": heard}
    context["rows"] = [(found, found.other_than(who)) for found in page.object_list]
    return render(request, "hiring/list.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Write to the person behind a piece (`?output=`); leads on to the conversation where there is one."""
    who = person(request)
    output = output_seen_by(who, _output_id(request))
    begun = queries.conversation_about(who, output.pk)
    # A message written while the conversation was begun elsewhere goes on in it.
    if begun is not None and request.method != "POST":
        return redirect("hiring:conversation", pk=begun.pk)
    card = cards([output], who)[0]
    if card.own:
        raise Denied(_("This piece is your own."), remedy=_("Those who brief your models write to you."))
    form = MessageForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            begun = actions.start_conversation(
                actor=who,
                output_id=output.pk,
                body=form.cleaned_data["body"],
                client_key=str(form.cleaned_data["client_key"]),
            )
        except MarketError as error:
            put_error(form, error)
        else:
            return redirect("hiring:conversation", pk=begun.pk)
    return render(request, "hiring/start.html", {"card": card, "form": form}, status=422 if form.errors else 200)


def _output_id(request: HttpRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.GET.get("output", ""))
    except ValueError:
        raise Missing(_("There is no such piece."), remedy=_("Open it from “My generations”.")) from None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def conversation(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Read and write. What is shown counts as read."""
    who = person(request)
    found = queries.conversation_of(who, pk)
    form = MessageForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.send_message(
                actor=who,
                conversation_id=pk,
                body=form.cleaned_data["body"],
                client_key=str(form.cleaned_data["client_key"]),
            )
        except MarketError as error:
            put_error(form, error)
        else:
            return redirect(reverse("hiring:conversation", args=[pk]) + "#write")
    return _conversation_page(request, found, form)


def _card(found: Conversation) -> Card:
    """The piece as the buyer sees it, its picture sent from here to both."""
    (card,) = cards([found.output], found.buyer)
    return replace(card, picture_url=reverse("hiring:picture", args=[found.pk])) if card.picture_url else card


@login_required
@require_safe
def picture(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The picture of the piece that two talk about."""
    found = queries.conversation_of(person(request), pk)
    if not _card(found).picture_url:
        raise Missing(_("This piece has no picture."))
    return send_picture_of(request, found.output)


def _conversation_page(request: HttpRequest, found: Conversation, form: MessageForm) -> HttpResponse:
    who = person(request)
    heard = live.latest(found.topic)
    everything = queries.messages_in(found)
    said = list(everything.order_by("-id")[:MESSAGES_SHOWN])[::-1]
    if said:
        actions.mark_read(actor=who, conversation=found, until=said[-1].at)
    context = {
        "conversation": found,
        "other": found.other_than(who),
        "said": said,
        "earlier": everything.count() - len(said),
        "form": form,
        # Both see as much of the piece as the buyer may: the creator is shown no more of it than they are.
        "card": _card(found),
        "selling": not found.is_buyer(who),
        "last_event_id": heard,
    }
    return render(request, "hiring/conversation.html", context, status=422 if form.errors else 200)
