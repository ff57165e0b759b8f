"""Many at once, with real transactions: one exclusive buyer, one charge a click."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from atelier.market.accounts.models import User
from atelier.market.billing import settling
from atelier.market.billing.models import Purchase
from atelier.market.billing.testing import LOST_ANSWER, buy, pay, start
from atelier.market.core.errors import Conflict
from atelier.market.core.testing import make_user
from atelier.market.generation.models import Access, Output
from atelier.market.generation.testing import make_output
from atelier.market.ledger.models import Transaction
from atelier.market.licences.models import Licence

from .checks import everything_adds_up

pytestmark = pytest.mark.django_db(transaction=True)
S = Purchase.State


def at_once(*deeds: Callable[[], object]) -> list[object]:
    """Run all at the same moment; a Conflict is an outcome."""
    gate = threading.Barrier(len(deeds))

    def run(deed: Callable[[], object]) -> object:
        gate.wait()
        try:
            return deed()
        except Conflict as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def people_who_see(output: Output, number: int) -> list[User]:
    people = [make_user() for _ in range(number)]
    for person in people:
        Access.objects.create(output=output, holder=person)
    return people


def test_of_two_buyers_at_once_one_gets_the_exclusive() -> None:
    output = make_output()
    found = at_once(
        *(lambda buyer=buyer: pay(start(output, "exclusive", buyer)).state for buyer in people_who_see(output, 4))
    )
    assert sorted(map(str, found)) == sorted(["paid", *(str(code) for code in found if code != S.PAID)])
    assert found.count(S.PAID) == 1
    assert Licence.objects.count() == 1
    everything_adds_up()


def test_exclusive_and_personal_at_once_never_both() -> None:
    output = make_output()
    first, second = people_who_see(output, 2)
    at_once(
        lambda: pay(start(output, "exclusive", first)).state,
        lambda: pay(start(output, "personal", second)).state,
    )
    tiers = set(Licence.objects.values_list("tier", flat=True))
    assert tiers in ({"exclusive"}, {"personal"})
    everything_adds_up()


def test_a_double_click_at_the_same_moment_charges_once() -> None:
    output = make_output()
    key = str(uuid.uuid4())
    found = at_once(*[lambda: pay(start(output, key=key)).pk] * 4)
    assert len(set(found)) == 1
    assert Transaction.objects.count() == 1
    everything_adds_up()


def test_settling_at_once_from_many_workers_books_once() -> None:
    purchase = buy(make_output(), card=LOST_ANSWER)
    at_once(*[lambda: settling.settle(purchase.pk)] * 4)
    purchase.refresh_from_db()
    assert purchase.state == S.PAID
    assert Transaction.objects.count() == 1
    everything_adds_up()


def test_many_buyers_of_one_piece_at_once_all_get_their_licence() -> None:
    output = make_output()
    found = at_once(
        *(lambda buyer=buyer: pay(start(output, "personal", buyer)).state for buyer in people_who_see(output, 4))
    )
    assert found == [S.PAID] * 4
    everything_adds_up()
