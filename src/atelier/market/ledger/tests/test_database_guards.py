"""What the database refuses although nobody asked our code: SQL written by hand."""

import pytest
from django.db import DatabaseError, connection, transaction

from atelier.market.core.testing import make_user
from atelier.market.ledger import accounts, queries
from atelier.market.ledger.actions import credit, debit, post
from atelier.market.ledger.models import Account, Entry, Transaction


@pytest.fixture
def book() -> Transaction:
    legs = [
        debit(accounts.gateway_clearing("sandbox", "USD"), 1000),
        credit(accounts.platform_fees("USD"), 100),
        credit(accounts.payable(make_user().pk, "USD"), 900),
    ]
    return post(key="sale:1", kind="sale", reference="purchase:1", legs=legs)


def picture() -> tuple[list[object], ...]:
    tables = (Account, Transaction, Entry)
    return tuple(sorted(table.objects.values_list(), key=str) for table in tables)


def run(statements: list[str]) -> None:
    """In one database transaction, checked as at its commit."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


NEW = "INSERT INTO ledger_transaction (key, kind, reference, memo) VALUES ('forged', 'x', 'x', '{}')"
LEG = (
    "INSERT INTO ledger_entry (transaction_id, account_id, direction, amount_minor, note) "
    "SELECT (SELECT max(id) FROM ledger_transaction), id, '%s', %d, '' FROM ledger_account WHERE code LIKE '%s'"
)
ATTACKS = {
    "changing an amount": ["UPDATE ledger_entry SET amount_minor = amount_minor + 1"],
    "changing a note": ["UPDATE ledger_entry SET note = 'x'"],
    "removing an entry": ["DELETE FROM ledger_entry"],
    "changing a transaction": ["UPDATE ledger_transaction SET reference = 'x'"],
    "removing a transaction": ["DELETE FROM ledger_transaction"],
    "unsealing a transaction": ["UPDATE ledger_transaction SET sealed_by = pg_current_xact_id()"],
    "a transaction without entries": [NEW],
    "a transaction of one entry": [NEW, LEG % ("debit", 5, "gateway%")],
    "an unbalanced transaction": [NEW, LEG % ("debit", 5, "gateway%"), LEG % ("credit", 4, "platform%")],
    "a checked transaction that grows": [
        NEW,
        LEG % ("debit", 5, "gateway%"),
        LEG % ("credit", 5, "platform%"),
        "SET CONSTRAINTS ALL IMMEDIATE",
        "SET CONSTRAINTS ALL DEFERRED",
        LEG % ("debit", 5, "gateway%"),
    ],
    "a negative amount": [NEW, LEG % ("debit", -5, "gateway%"), LEG % ("credit", -5, "platform%")],
    "an unknown direction": [NEW, LEG % ("up", 5, "gateway%"), LEG % ("credit", 5, "platform%")],
    "more than is owed": [NEW, LEG % ("debit", 901, "creator%"), LEG % ("credit", 901, "gateway%")],
    "a balance by hand": ["UPDATE ledger_account SET balance_minor = balance_minor + 1 WHERE code LIKE 'gateway%'"],
    "an account born rich": [
        "INSERT INTO ledger_account (code, kind, currency, balance_minor, guarded) "
        "VALUES ('x', 'asset', 'USD', 5, false)"
    ],
    "an account's code": ["UPDATE ledger_account SET code = code || 'x'"],
    "an account's kind": ["UPDATE ledger_account SET kind = 'expense' WHERE kind = 'asset'"],
    "an account's currency": ["UPDATE ledger_account SET currency = 'EUR'"],
    "an account's guard": ["UPDATE ledger_account SET guarded = NOT guarded"],
    "an account's owner": ["UPDATE ledger_account SET owner_id = NULL WHERE owner_id IS NOT NULL"],
    "removing an account": ["DELETE FROM ledger_account"],
    "the same code twice": [
        "INSERT INTO ledger_account (code, kind, currency, balance_minor, guarded) "
        "SELECT code, kind, currency, 0, guarded FROM ledger_account"
    ],
}


@pytest.mark.django_db
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_database_refuses(attack: str, book: Transaction) -> None:
    before = picture()
    with pytest.raises(DatabaseError):
        run(ATTACKS[attack])
    assert picture() == before


@pytest.mark.django_db(transaction=True)
def test_the_database_checks_at_commit_by_itself(book: Transaction) -> None:
    before = picture()
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(NEW)
        cursor.execute(LEG % ("debit", 5, "gateway%"))
        with pytest.raises(DatabaseError):
            cursor.execute("COMMIT")
    assert picture() == before


@pytest.mark.django_db(transaction=True)
def test_no_later_transaction_adds_entries_whatever_seal_was_written(book: Transaction) -> None:
    forged = NEW.replace("memo)", "memo, sealed_by)").replace("'{}')", "'{}', '18446744073709551615')")
    legs = [LEG % ("debit", 5, "gateway%"), LEG % ("credit", 5, "platform%")]
    run([forged, *legs])
    before = picture()
    with pytest.raises(DatabaseError):
        run(legs)
    assert picture() == before
    assert Entry.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_entries_may_be_added_inside_savepoints_of_the_same_transaction() -> None:
    cash, fees = accounts.gateway_clearing("sandbox", "USD"), accounts.platform_fees("USD")
    with transaction.atomic(), transaction.atomic():
        post(key="a", kind="sale", reference="r", legs=[debit(cash, 5), credit(fees, 5)])
    assert [total.is_zero for total in queries.totals(make_user(operator=True))] == [True]


@pytest.mark.django_db
def test_what_is_rolled_back_leaves_no_trace_in_the_balances(book: Transaction) -> None:
    before = picture()
    cash, fees = accounts.gateway_clearing("sandbox", "USD"), accounts.platform_fees("USD")
    with transaction.atomic():
        post(key="b", kind="sale", reference="r", legs=[debit(cash, 5), credit(fees, 5)])
        transaction.set_rollback(True)
    assert picture() == before
