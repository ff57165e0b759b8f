"""The statement of what a person earned: as a page, and as a table to download."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from atelier.market.core.downloads import streamed
from atelier.market.ledger import queries as ledger

from . import queries

A_PAGE = 30
PORTION = 500


@login_required
@require_GET
def earnings(request: HttpRequest) -> HttpResponse:
    """What was earned with which sale, work by work; co-authors see theirs."""
    page = Paginator(ledger.statement(request.user), A_PAGE).get_page(request.GET.get("page"))
    totals = queries.earned(request.user)
    context = {
        "page": page,
        "lines": [_shown(line) for line in queries.explained(request.user, page.object_list)],
        "totals": totals,
        "charts": [
            {
                "currency": total.currency,
                "rows": [
                    {"day": (day - total.growth[0][0]).days + 1, "earned": amount / 100} for day, amount in total.growth
                ],
            }
            for total in totals
            if len(total.growth) > 1
        ],
    }
    return render(request, "billing/earnings.html", context)


@login_required
@require_GET
def download(request: HttpRequest) -> StreamingHttpResponse:
    """The whole statement as CSV (RFC 4180, UTF-8)."""
    rows = (row.encode() for row in _rows(request.user))
    return streamed(request, rows, "text/csv; charset=utf-8", "atelier-statement.csv")


def _shown(line: queries.Line) -> queries.Line:
    """The line with each work's part and share in per cent, for reading."""
    works = [
        {**work, "part": f"{work['parts'] / 10_000:.2f} %", "share": f"{work['basis_points'] / 100:.2f} %"}
        for work in line.works
    ]
    return replace(line, works=works)


class _Line:
    """Gives back what is written to it, so that a csv.writer makes one line at a time."""

    def write(self, value: str) -> str:
        return value


def _rows(user: Any) -> Iterator[str]:
    writer = csv.writer(_Line())
    header = ["transaction", "date", "kind", "role", "piece", "tier", "price", "fee", "works", "amount", "currency"]
    yield writer.writerow(header)
    for line in _lines(user):
        bought = line.purchase
        cells = [
            line.number,
            line.at.isoformat(timespec="seconds"),
            line.kind,
            line.role,
            _harmless(str(bought.output.generation.creation_model)) if bought else "",
            bought.tier if bought else "",
            _decimal(bought.price_minor) if bought else "",
            _decimal(bought.fee_minor) if bought else "",
            _harmless("; ".join(works_in_words(line.works))),
            _decimal(line.amount_minor),
            line.currency,
        ]
        yield writer.writerow(cells)


def _lines(user: Any) -> Iterator[queries.Line]:
    """The whole statement, read a portion at a time."""
    entries = ledger.statement(user)
    portion = list(entries[:PORTION])
    while portion:
        yield from queries.explained(user, portion)
        portion = list(entries.filter(pk__lt=portion[-1].pk)[:PORTION])


def works_in_words(works: list[dict[str, Any]]) -> list[str]:
    """Each work with its part of the piece and the share of that part which is paid to this person."""
    return [
        _("%(title)s: %(part).2f %% of the piece, %(share).2f %% of that")
        % {"title": work["title"], "part": work["parts"] / 10_000, "share": work["basis_points"] / 100}
        for work in works
    ]


def _decimal(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def _harmless(words: str) -> str:
    """People's own words as a spreadsheet takes them for words: a title may begin like a formula."""
    return f"'{words}" if words[:1] in {"=", "+", "-", "@", "\t", "\r", "\n"} else words
