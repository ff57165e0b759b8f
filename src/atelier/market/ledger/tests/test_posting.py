import pytest
from django.db import connection

from atelier.market.core.errors import Conflict, Invalid
from atelier.market.core.testing import make_user
from atelier.market.ledger import accounts, queries
from atelier.market.ledger.actions import Leg, credit, debit, post
from atelier.market.ledger.models import Account, Entry, Transaction

pytestmark = pytest.mark.django_db

CASH = accounts.gateway_clearing("sandbox", "USD")
FEES = accounts.platform_fees("USD")


def sale(person: int, key: str = "sale:1", amount: int = 1000) -> Transaction:
    legs = [debit(CASH, amount), credit(FEES, 100), credit(accounts.payable(person, "USD"), amount - 100, "for it")]
    return post(key=key, kind="sale", reference="purchase:1", legs=legs, memo={"piece": "a"})


def balances() -> dict[str, int]:
    return dict(Account.objects.values_list("code", "balance_minor"))


def check_now() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_a_sale_moves_the_balances_of_its_accounts() -> None:
    person = make_user()
    posted = sale(person.pk)
    check_now()
    assert balances() == {CASH.code: 1000, FEES.code: -100, f"creator:{person.pk}:payable": -900}
    assert queries.owed(person) == {"USD": 900}
    assert posted.memo == {"piece": "a"}
    assert [entry.note for entry in queries.statement(person)] == ["for it"]


def test_the_same_key_with_the_same_legs_is_the_same_transaction() -> None:
    person = make_user()
    assert sale(person.pk) == sale(person.pk)
    assert Entry.objects.count() == 3
    assert balances()[CASH.code] == 1000


def test_the_same_key_with_other_legs_is_refused_and_changes_nothing() -> None:
    person = make_user()
    sale(person.pk)
    before = balances()
    with pytest.raises(Conflict):
        sale(person.pk, amount=2000)
    assert balances() == before
    assert Transaction.objects.count() == 1


@pytest.mark.parametrize(
    "legs",
    [
        [debit(CASH, 10), credit(FEES, 9)],
        [debit(CASH, 10)],
        [],
        [debit(CASH, 0), credit(FEES, 0)],
        [debit(CASH, -5), credit(FEES, -5)],
        [debit(CASH, 10), credit(accounts.platform_fees("EUR"), 10)],
    ],
)
def test_legs_that_do_not_balance_in_every_currency_are_refused(legs: list[Leg]) -> None:
    with pytest.raises(Invalid):
        post(key="k", kind="sale", reference="r", legs=legs)
    assert not Transaction.objects.exists()
    assert not Account.objects.exists()


def test_nobody_is_paid_more_than_is_owed_to_them() -> None:
    person = make_user()
    sale(person.pk)
    before = balances()
    owed = accounts.payable(person.pk, "USD")
    with pytest.raises(Conflict) as caught:
        post(key="payout:1", kind="payout", reference="payout:1", legs=[debit(owed, 901), credit(CASH, 901)])
    assert caught.value.code == "overdrawn"
    assert balances() == before
    post(key="payout:2", kind="payout", reference="payout:2", legs=[debit(owed, 900), credit(CASH, 900)])
    assert queries.owed(person) == {"USD": 0}


def test_a_guarded_account_is_judged_by_the_sum_of_its_legs_and_not_their_order() -> None:
    owed = accounts.payable(make_user().pk, "USD")
    legs = [debit(owed, 50), credit(CASH, 50), credit(owed, 50), debit(CASH, 50)]
    post(key="wash", kind="correction", reference="r", legs=legs)
    assert balances() == {owed.code: 0, CASH.code: 0}


def test_currencies_are_kept_apart() -> None:
    for currency in ("USD", "EUR"):
        legs = [debit(accounts.gateway_clearing("x", currency), 7), credit(accounts.platform_fees(currency), 7)]
        post(key=currency, kind="sale", reference="r", legs=legs)
    found = queries.totals(make_user(operator=True))
    assert [(total.currency, total.is_zero) for total in found] == [("EUR", True), ("USD", True)]
    assert Account.objects.count() == 4


def test_an_account_named_with_another_owner_is_a_mistake() -> None:
    person, other = make_user(), make_user()
    sale(person.pk)
    wrong = accounts.AccountName(f"creator:{person.pk}:payable", "USD", "liability", other.pk, guarded=True)
    with pytest.raises(ValueError, match="another kind or owner"):
        post(key="k", kind="sale", reference="r", legs=[debit(CASH, 5), credit(wrong, 5)])
    assert Transaction.objects.count() == 1
