"""Pages of buying: choose, pay, confirm, see how it stands."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from atelier.market.accounts.queries import person
from atelier.market.core import live
from atelier.market.core.errors import Conflict, Denied, Invalid, MarketError, Missing
from atelier.market.core.forms import put_error
from atelier.market.core.money import show
from atelier.market.generation.cards import cards
from atelier.market.generation.models import Output
from atelier.market.generation.queries import is_on_sale, output_seen_by
from atelier.market.studio.models import Tier

from . import actions, gateways, queries, terms
from .forms import CardForm, PurchaseForm
from .models import Purchase
from .reasons import reason_of
from .split import split_price
from .starting import exclusive_possible

A_PAGE = 30


@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Choose a licence for a piece and pay for it."""
    if request.method != "POST":
        output = _output(request, request.GET.get("output", ""))
        tier = request.GET.get("tier", "")
        tier = tier if tier in Tier.values else Tier.PERSONAL
        price = output.generation.creation_model.price_minor(tier)
        return _offer(
            request, output, tier, PurchaseForm(initial={"output": output.pk, "tier": tier, "price_seen": price})
        )
    form = PurchaseForm(request.POST)
    output = _output(request, request.POST.get("output", ""))
    if not form.is_valid():
        tier = request.POST.get("tier", "")
        return _offer(request, output, tier if tier in Tier.values else Tier.PERSONAL, form, status=422)
    wish = form.cleaned_data
    try:
        card = actions.card_of(wish["card_number"])
        purchase = actions.buy(
            actor=person(request),
            output_id=output.pk,
            tier=wish["tier"],
            idempotency_key=str(wish["key"]),
            card=card,
            price_seen_minor=wish["price_seen"],
        )
    except (Invalid, Conflict, Denied) as error:
        return _refused(request, output, wish["tier"], form, error)
    return redirect(_next(purchase), purchase.pk)


def _refused(request: HttpRequest, output: Output, tier: str, form: PurchaseForm, error: MarketError) -> HttpResponse:
    """The form again with what is wrong; at a new price, with that price, so that sending it again agrees to it."""
    fresh = form
    if error.code == "price_changed":
        price = output.generation.creation_model.price_minor(tier)
        fresh = PurchaseForm({**request.POST.dict(), "price_seen": price})
        fresh.is_valid()
    fresh.add_error("card_number" if error.field == "card_number" else None, f"{error.message} {error.remedy}".strip())
    return _offer(request, output, tier, fresh, status=error.status)


def _next(purchase: Purchase) -> str:
    return "billing:confirm" if purchase.state == Purchase.State.CONFIRMING else "billing:purchase"


def _output(request: HttpRequest, value: str) -> Output:
    try:
        return output_seen_by(request.user, uuid.UUID(value))
    except ValueError:
        raise Missing(_("There is no such piece."), remedy=_("Open it from “My generations”.")) from None


def _offer(request: HttpRequest, output: Output, tier: str, form: PurchaseForm, status: int = 200) -> HttpResponse:
    model = output.generation.creation_model
    price = model.price_minor(tier)
    split = split_price(output, price, settings.PLATFORM_FEE_BASIS_POINTS)
    context = {
        "output": output,
        "model": model,
        "card": cards([output], request.user)[0],
        "tier": tier,
        "tiers": [(value, Tier(value).label, model.price_minor(value)) for value in Tier.values],
        "terms": terms.in_force(tier),
        "price": price,
        "price_shown": show(price, model.currency),
        "split": [part for part in split if part["amount_minor"]],
        "tax_note": settings.TAX_NOTE,
        "own": model.creator.user_id == request.user.pk,
        "for_sale": is_on_sale(output),
        "exclusive_possible": tier != Tier.EXCLUSIVE or exclusive_possible(person(request), output),
        "form": form,
        "test_cards": gateways.current().test_cards,
    }
    return render(request, "billing/start.html", context, status=status)


@login_required
@require_GET
def purchases(request: HttpRequest) -> HttpResponse:
    """Everything the person bought or tried to buy."""
    page = Paginator(queries.purchases_of(request.user), A_PAGE).get_page(request.GET.get("page"))
    return render(request, "billing/purchases.html", {"page": page})


@login_required
@require_GET
def purchase(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """How one purchase stands, and what can be done next."""
    return _purchase(request, pk, CardForm())


def _purchase(request: HttpRequest, pk: uuid.UUID, form: CardForm, status: int = 200) -> HttpResponse:
    # Before the state is read, so that what happens in between is heard again rather than missed.
    last = live.latest(Purchase(pk=pk).topic)
    found = queries.purchase_of(request.user, pk)
    context: dict[str, Any] = {
        "purchase": found,
        "model": found.output.generation.creation_model,
        "card": cards([found.output], request.user)[0],
        "last_event_id": last,
        "reason": reason_of(found),
        "split": [part for part in found.split if part["amount_minor"]],
        "tax_note": settings.TAX_NOTE,
        "form": form,
        "test_cards": gateways.named(found.gateway).test_cards,
    }
    return render(request, "billing/purchase.html", context, status=status)


@login_required
@require_POST
def pay(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Pay for a purchase that was begun and left open."""
    form = CardForm(request.POST)
    if not form.is_valid():
        return _purchase(request, pk, form, status=422)
    try:
        card = actions.card_of(form.cleaned_data["card_number"])
        found = actions.pay(actor=person(request), purchase_id=pk, card=card)
    except Invalid as error:
        put_error(form, error)
        return _purchase(request, pk, form, status=error.status)
    return redirect(_next(found), pk)


@login_required
def confirm(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Where the sandbox's bank asks the buyer whether it was them."""
    found = queries.purchase_of(request.user, pk)
    if found.state != Purchase.State.CONFIRMING:
        return redirect("billing:purchase", pk)
    if request.method != "POST":
        return render(request, "billing/confirm.html", {"purchase": found})
    try:
        actions.confirm(actor=person(request), purchase_id=pk, passed=request.POST.get("answer") == "yes")
    except Conflict as error:
        messages.warning(request, error.message)
    return redirect("billing:purchase", pk)


@login_required
@require_POST
def cancel(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Give up a purchase that is not paid."""
    try:
        actions.cancel(actor=person(request), purchase_id=pk)
    except Conflict as error:
        messages.warning(request, f"{error.message} {error.remedy}".strip())
    return redirect("billing:purchase", pk)


@require_GET
def licence_terms(request: HttpRequest, tier: str, number: int) -> HttpResponse:
    """The terms of a tier, for anyone to read."""
    if tier in Tier.values:
        terms.in_force(tier)
    found = queries.terms_of(tier, number)
    sections = []
    for part in found.body.split("## ")[1:]:
        heading, _line, text = part.partition("\n")
        sections.append((heading, [paragraph for paragraph in text.split("\n\n") if paragraph.strip()]))
    return render(request, "billing/terms.html", {"terms": found, "sections": sections})
