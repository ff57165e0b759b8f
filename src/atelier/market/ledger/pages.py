"""The operator's view of the book."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from . import queries

A_PAGE = 50
FIRST_ACCOUNTS = 12


@login_required
def book(request: HttpRequest) -> HttpResponse:
    """The first accounts, that all of them sum to zero, and the latest transactions."""
    accounts = queries.book(request.user)
    totals = queries.totals(request.user)
    context = {
        "accounts": accounts[:FIRST_ACCOUNTS],
        "all_accounts": accounts.count(),
        "totals": totals,
        "in_balance": all(total.is_zero for total in totals) and not queries.drifted(request.user),
        "page": Paginator(queries.transactions(request.user), A_PAGE).get_page(request.GET.get("page")),
    }
    return render(request, "ledger/book.html", context)


@login_required
def accounts(request: HttpRequest) -> HttpResponse:
    """All accounts, page by page."""
    page = Paginator(queries.book(request.user), A_PAGE).get_page(request.GET.get("page"))
    return render(request, "ledger/accounts.html", {"page": page, "accounts": page.object_list})


@login_required
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """One account and its entries."""
    found, entries = queries.account_of(request.user, pk)
    page = Paginator(entries, A_PAGE).get_page(request.GET.get("page"))
    return render(request, "ledger/account.html", {"account": found, "page": page})


@login_required
def transaction(request: HttpRequest, pk: int) -> HttpResponse:
    """One transaction: its legs and what it explains."""
    return render(request, "ledger/transaction.html", {"transaction": queries.transaction_of(request.user, pk)})
