"""Who gets what of a price, to the cent."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

from atelier.market.core import money
from atelier.market.generation.models import Output
from atelier.market.works.models import Share

PARTS = 1_000_000
BASIS = 10_000


def split_price(output: Output, price_minor: int, fee_basis_points: int) -> list[dict[str, Any]]:
    """The parts of a price as kept in `Purchase.split`: the fee, the creator, then each co-author by id.

    The fee is taken first. Each work's attributed part of the rest goes to its co-authors by their shares and
    otherwise to the creator, who also has what is attributed to no work. Both steps are exact fractions, rounded by
    the largest remainder, so the amounts add up to the price. Amounts may be zero.
    """
    creator = output.generation.creation_model.creator.user
    fee, rest = money.split(price_minor, [fee_basis_points, BASIS - fee_basis_points])
    owed, works, names = _weights(output, creator.pk)
    names[creator.pk] = str(creator)
    order = [creator.pk, *sorted(payee for payee in owed if payee != creator.pk)]
    amounts = money.split(rest, [owed[payee] for payee in order])
    parts: list[dict[str, Any]] = [{"payee": None, "name": "", "role": "fee", "works": [], "amount_minor": fee}]
    for payee, amount in zip(order, amounts, strict=True):
        role = "creator" if payee == creator.pk else "co-author"
        parts.append(
            {"payee": payee, "name": names[payee], "role": role, "works": works[payee], "amount_minor": amount}
        )
    return parts


def _weights(
    output: Output, creator_id: int
) -> tuple[dict[int, Fraction], dict[int, list[dict[str, Any]]], dict[int, str]]:
    """What part of the rest each person is owed, the works they are owed it for, and their names."""
    attributions = list(output.attributions.select_related("work").order_by("-parts", "work_id"))
    shares: dict[int, list[Share]] = defaultdict(list)
    found = Share.objects.filter(work__in=[a.work_id for a in attributions]).exclude(holder_id=creator_id)
    for share in found.select_related("holder").order_by("id"):
        shares[share.work_id].append(share)
    whole = Fraction(max(PARTS, sum(a.parts for a in attributions)))
    owed: dict[int, Fraction] = defaultdict(Fraction)
    works: dict[int, list[dict[str, Any]]] = defaultdict(list)
    names: dict[int, str] = {}
    for attribution in attributions:
        title, parts, left = attribution.work.title, attribution.parts, BASIS
        for share in shares[attribution.work_id]:
            points = min(share.basis_points, left)
            left -= points
            names[share.holder_id] = str(share.holder)
            owed[share.holder_id] += parts / whole * Fraction(points, BASIS)
            works[share.holder_id].append({"title": title, "parts": parts, "basis_points": points})
        works[creator_id].append({"title": title, "parts": parts, "basis_points": left})
    owed[creator_id] = 1 - sum(owed.values(), Fraction(0))
    return owed, works, names
