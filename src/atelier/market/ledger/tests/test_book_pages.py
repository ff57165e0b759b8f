from __future__ import annotations

import pytest
from django.test import Client

from atelier.market.core.testing import make_user
from atelier.market.ledger import accounts, pages
from atelier.market.ledger.actions import credit, debit, post
from atelier.market.ledger.models import Account, Transaction

pytestmark = pytest.mark.django_db


@pytest.fixture
def booked() -> Transaction:
    legs = [
        debit(accounts.gateway_clearing("sandbox", "USD"), 1000),
        credit(accounts.platform_fees("USD"), 100, "fee"),
        credit(accounts.payable(make_user("Ines").pk, "USD"), 900),
    ]
    return post(key="sale:1", kind="sale", reference="purchase:1", legs=legs, memo={"tier": "personal"})


def client_of(*, operator: bool) -> Client:
    client = Client()
    client.force_login(make_user(operator=operator))
    return client


def test_the_operator_sees_every_account_and_that_all_sum_to_zero(booked: Transaction) -> None:
    page = client_of(operator=True).get("/operator/ledger/").content.decode()
    for said in ("gateway:sandbox:clearing", "platform:fees", "Ines", "$0.00 USD", "$10.00 USD", "Balanced"):
        assert said in page
    assert "Out of balance" not in page


def test_an_empty_book_stands(db: None) -> None:
    assert client_of(operator=True).get("/operator/ledger/").status_code == 200


def test_the_operator_goes_down_to_accounts_and_transactions(booked: Transaction) -> None:
    client = client_of(operator=True)
    page = client.get(f"/operator/ledger/transactions/{booked.pk}/").content.decode()
    for said in ("sale:1", "purchase:1", "personal", "fee"):
        assert said in page
    account = Account.objects.get(code="platform:fees")
    assert "−$1.00 USD" in client.get(f"/operator/ledger/accounts/{account.pk}/").content.decode()
    assert client.get("/operator/ledger/accounts/999999/").status_code == 404
    assert client.get("/operator/ledger/transactions/999999/").status_code == 404


def test_accounts_are_spread_over_pages_and_the_markets_own_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "A_PAGE", 3)
    monkeypatch.setattr(pages, "FIRST_ACCOUNTS", 2)
    owed = [accounts.payable(make_user(f"Creditor {number}").pk, "USD") for number in range(4)]
    accounts.rows([*owed, accounts.platform_fees("USD")])
    client = client_of(operator=True)
    book = client.get("/operator/ledger/").content.decode()
    assert "platform:fees" in book
    assert "Creditor 3" not in book
    assert "All 5 accounts" in book
    shown = [client.get(f"/operator/ledger/accounts/?page={page}").content.decode() for page in (1, 2)]
    assert [sum(f"Creditor {number}" in page for number in range(4)) for page in shown] == [2, 2]
    assert "platform:fees" in shown[0]
    assert "Page 2 of 2" in shown[1]


def test_nobody_else_sees_the_book(booked: Transaction) -> None:
    account = Account.objects.get(code="platform:fees")
    for address in (
        "/operator/ledger/",
        "/operator/ledger/accounts/",
        f"/operator/ledger/accounts/{account.pk}/",
        f"/operator/ledger/transactions/{booked.pk}/",
    ):
        response = client_of(operator=False).get(address)
        assert response.status_code == 403
        assert "platform:fees" not in response.content.decode()
        assert Client().get(address).status_code == 302
