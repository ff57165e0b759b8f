"""Pages on which anyone finds creation models and the people behind them."""

from __future__ import annotations

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language_info

from atelier.market.core.models import LiveEvent
from atelier.market.generation.cards import offers, revealed_template
from atelier.market.studio.queries import public_sheets

from . import queries
from .search import in_order, search, tidy

A_PAGE = 24
ON_FRONT = 9


def _language(code: str) -> tuple[str, str]:
    """A language with its name in itself; the code where it is not known."""
    try:
        return code, get_language_info(code)["name_local"]
    except KeyError:
        return code, code


def _page(request: HttpRequest, keys: list[int]) -> Page[int]:
    return Paginator(keys, A_PAGE).get_page(request.GET.get("page"))


def front(request: HttpRequest) -> HttpResponse:
    """What Atelier is, and what can be briefed here now."""
    last_event = LiveEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    training = queries.demo_training() if settings.DEMO else []
    models = queries.findable()
    context = {
        "pictures": queries.pictures(models[:ON_FRONT], request.user),
        "more": models.count() > ON_FRONT,
        "crafts": queries.crafts(),
        "training": training,
        "last_event_id": last_event,
    }
    return render(request, "discovery/front.html", context)


def search_page(request: HttpRequest) -> HttpResponse:
    """Models found by words and by meaning."""
    query = tidy(request.GET.get("q", ""))
    category = request.GET.get("category", "")[:40]
    language = request.GET.get("language", "")[:8]
    page = _page(request, search(query, category=category, language=language))
    context = {
        "query": query,
        "category": category,
        "language": language,
        "categories": queries.categories(),
        "languages": [_language(code) for code in queries.languages()],
        "page": page,
        "pictures": queries.pictures(in_order(page.object_list), request.user),
        "found": page.paginator.count,
    }
    return render(request, "discovery/search.html", context)


def category(request: HttpRequest, slug: str) -> HttpResponse:
    """The published models of one craft, newest first."""
    craft = queries.category_of(slug)
    page = _page(request, list(queries.findable(category=slug).values_list("pk", flat=True)))
    context = {
        "craft": craft,
        "page": page,
        "pictures": queries.pictures(in_order(page.object_list), request.user),
        "crafts": queries.crafts(),
    }
    return render(request, "discovery/category.html", context)


def creator(request: HttpRequest, handle: str) -> HttpResponse:
    """A person: who they are, and the models they offer."""
    person = queries.creator_page(handle)
    context = {
        "person": person,
        "languages": [_language(code)[1] for code in person.languages],
        "pictures": queries.pictures(person.published, request.user),  # type: ignore[attr-defined]
    }
    return render(request, "discovery/creator.html", context)


def model(request: HttpRequest, handle: str, slug: str) -> HttpResponse:
    """A model: what it makes, how good it is, what it costs, what it never does."""
    found = queries.model_page(handle, slug)
    summary, questions = queries.proof(found)
    context = {
        "model": found,
        "craft": queries.category_of(found.category).title,
        "languages": [_language(code)[1] for code in found.creator.languages],
        "cards": queries.shown_pieces(found, request.user),
        "offers": offers(found),
        "revealed": revealed_template(found),
        "summary": summary,
        "questions": questions,
        "sheets": public_sheets(found),
        "own": request.user.is_authenticated and found.creator.user_id == request.user.pk,
    }
    return render(request, "discovery/model.html", context)
