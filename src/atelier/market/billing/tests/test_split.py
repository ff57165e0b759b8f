"""Who gets what, to the cent."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from atelier.market.accounts.models import User
from atelier.market.billing.split import split_price
from atelier.market.core.testing import make_user
from atelier.market.generation.models import Attribution, Output
from atelier.market.generation.testing import make_output
from atelier.market.works.models import Share

pytestmark = pytest.mark.django_db


def amounts(output: Output, price: int, fee: int = 1000) -> dict[tuple[str, int | None], int]:
    return {(part["role"], part["payee"]): part["amount_minor"] for part in split_price(output, price, fee)}


def attribute(output: Output, parts: list[int]) -> list[Attribution]:
    Attribution.objects.filter(output=output).delete()
    works = list(output.generation.creation_model.creator.works.order_by("pk"))
    return [
        Attribution.objects.create(output=output, work=work, parts=part, method="test")
        for work, part in zip(works, parts, strict=False)
    ]


def creator_of(output: Output) -> int:
    return output.generation.creation_model.creator.user_id


def test_without_co_authors_the_creator_has_all_but_the_fee() -> None:
    output = make_output()
    assert amounts(output, 900) == {("fee", None): 90, ("creator", creator_of(output)): 810}


def test_a_co_author_has_their_share_of_what_their_work_gave() -> None:
    output, other = make_output(), make_user()
    first, _second = attribute(output, [250_000, 750_000])
    Share.objects.create(work=first.work, holder=other, basis_points=4000)
    # 10 % of 10000 is 1000; 25 % of the remaining 9000 is the first work's, of which 40 % is 900.
    assert amounts(output, 10_000) == {
        ("fee", None): 1000,
        ("creator", creator_of(output)): 8100,
        ("co-author", other.pk): 900,
    }


def test_one_person_with_shares_in_several_works_is_paid_once_and_each_work_is_told() -> None:
    output, other = make_output(), make_user("Ines")
    for attribution in attribute(output, [500_000, 500_000]):
        Share.objects.create(work=attribution.work, holder=other, basis_points=5000)
    (line,) = [part for part in split_price(output, 1000, 0) if part["payee"] == other.pk]
    assert line["amount_minor"] == 500
    assert line["name"] == "Ines"
    assert [(work["parts"], work["basis_points"]) for work in line["works"]] == [(500_000, 5000), (500_000, 5000)]


def test_what_is_attributed_to_no_work_is_the_creators() -> None:
    output, other = make_output(), make_user()
    (only,) = attribute(output, [100_000])
    Share.objects.create(work=only.work, holder=other, basis_points=10_000)
    assert amounts(output, 1000, 0) == {
        ("fee", None): 0,
        ("creator", creator_of(output)): 900,
        ("co-author", other.pk): 100,
    }


def test_a_share_that_the_creator_holds_in_their_own_work_changes_nothing() -> None:
    output = make_output()
    (only,) = attribute(output, [1_000_000])
    creator = output.generation.creation_model.creator
    Share.objects.create(work=only.work, holder=creator.user, basis_points=3000)
    assert amounts(output, 1000, 0) == {("fee", None): 0, ("creator", creator.user_id): 1000}


@pytest.fixture
def piece() -> tuple[Output, list[User]]:
    return make_output(), [make_user() for _ in range(3)]


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    price=st.integers(0, 20_000_00),
    fee=st.integers(0, 10_000),
    parts=st.lists(st.integers(0, 1_000_000), min_size=0, max_size=4),
    shares=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(1, 10_000)), max_size=6),
)
def test_amounts_add_up_to_the_price_and_are_within_a_cent_of_exact(
    piece: tuple[Output, list[User]],
    price: int,
    fee: int,
    parts: list[int],
    shares: list[tuple[int, int, int]],
) -> None:
    output, people = piece
    Share.objects.all().delete()
    attributions = attribute(output, parts)
    taken: dict[int, int] = {}
    exact: dict[int, Fraction] = {}
    whole = Fraction(max(1_000_000, sum(parts)))
    seen = set()
    for place, who, points in shares:
        if place >= len(attributions) or (place, who) in seen or taken.get(place, 0) + points > 10_000:
            continue
        seen.add((place, who))
        taken[place] = taken.get(place, 0) + points
        Share.objects.create(work=attributions[place].work, holder=people[who], basis_points=points)
        exact[people[who].pk] = exact.get(people[who].pk, Fraction(0)) + parts[place] / whole * Fraction(points, 10_000)
    found = split_price(output, price, fee)
    assert sum(part["amount_minor"] for part in found) == price
    assert all(part["amount_minor"] >= 0 for part in found)
    assert found[0]["role"] == "fee"
    assert abs(found[0]["amount_minor"] - Fraction(price * fee, 10_000)) < 1
    rest = price - found[0]["amount_minor"]
    exact[creator_of(output)] = 1 - sum(exact.values(), Fraction(0))
    assert {part["payee"] for part in found[1:]} == set(exact)
    for part in found[1:]:
        assert abs(part["amount_minor"] - rest * exact[part["payee"]]) < 1
