"""Many at once: nothing is lost, nothing is doubled, nobody waits for ever."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from atelier.market.core.errors import Conflict
from atelier.market.core.testing import make_user
from atelier.market.ledger import accounts, queries
from atelier.market.ledger.actions import credit, debit, post
from atelier.market.ledger.models import Account, Transaction

pytestmark = pytest.mark.django_db(transaction=True)

CASH = accounts.gateway_clearing("sandbox", "USD")
FEES = accounts.platform_fees("USD")
CLIENTS = 6


def at_once(work, arguments) -> list[object]:
    def run(argument: object) -> object:
        try:
            return work(argument)
        finally:
            connection.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(run, arguments))


def test_postings_at_once_in_any_order_of_legs_add_up() -> None:
    people = [make_user() for _ in range(4)]

    def sell(number: int) -> None:
        rng = random.Random(number)
        payees = rng.sample(people, 2)
        legs = [debit(CASH, 100), credit(FEES, 10), *(credit(accounts.payable(p.pk, "USD"), 45) for p in payees)]
        rng.shuffle(legs)
        with transaction.atomic():
            post(key=f"sale:{number}", kind="sale", reference="r", legs=legs)

    at_once(sell, range(60))
    assert Account.objects.get(code=CASH.code).balance_minor == 6000
    assert sum(queries.owed(person)["USD"] for person in people) == 5400
    operator = make_user(operator=True)
    assert queries.drifted(operator) == []
    assert all(total.is_zero for total in queries.totals(operator))


def test_one_key_posted_at_once_is_one_transaction() -> None:
    def sell(number: int) -> int:
        return post(key="sale", kind="sale", reference="r", legs=[debit(CASH, 100), credit(FEES, 100)]).pk

    assert len(set(at_once(sell, range(24)))) == 1
    assert Transaction.objects.count() == 1
    assert Account.objects.get(code=CASH.code).balance_minor == 100


def test_payouts_at_once_never_pay_out_more_than_is_owed() -> None:
    owed = accounts.payable(make_user().pk, "USD")
    post(key="sale", kind="sale", reference="r", legs=[debit(CASH, 100), credit(owed, 100)])

    def pay_out(number: int) -> bool:
        try:
            post(key=f"out:{number}", kind="payout", reference="r", legs=[debit(owed, 30), credit(CASH, 30)])
        except Conflict:
            return False
        return True

    assert sum(map(bool, at_once(pay_out, range(12)))) == 3
    assert Account.objects.get(code=owed.code).due_minor == 10
