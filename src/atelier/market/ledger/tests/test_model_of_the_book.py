"""Random books against a model that knows nothing but addition."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from atelier.market.core.errors import Conflict, Invalid
from atelier.market.core.testing import make_user
from atelier.market.ledger import accounts, queries
from atelier.market.ledger.accounts import AccountName
from atelier.market.ledger.actions import Leg, post
from atelier.market.ledger.models import Account, Entry

LEGS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["debit", "credit"]), st.integers(-1, 60)), min_size=0, max_size=4
)


class Book(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.operator = make_user(operator=True)
        people = [make_user() for _ in range(2)]
        self.names: list[AccountName] = [
            accounts.gateway_clearing("sandbox", "USD"),
            accounts.platform_fees("USD"),
            *(accounts.payable(person.pk, "USD") for person in people),
            accounts.platform_fees("EUR"),
        ]
        self.model = dict.fromkeys(self.names, 0)
        self.written: dict[int, list[tuple[AccountName, str, int]]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @rule(key=st.integers(0, 40), drawn=LEGS, even=st.booleans())
    def write(self, key: int, drawn: list[tuple[int, str, int]], even: bool) -> None:
        legs = [(self.names[i], side, amount) for i, side, amount in drawn]
        over = sum(a if side == "debit" else -a for _, side, a in legs)
        if even and over:
            legs.append((self.names[0], "credit" if over > 0 else "debit", abs(over)))
        expected = self.expect(key, legs)
        try:
            post(key=str(key), kind="sale", reference="r", legs=[Leg(*leg) for leg in legs])
            outcome = "posted"
        except Invalid:
            outcome = "invalid"
        except Conflict:
            outcome = "conflict"
        assert outcome == expected
        if outcome == "posted" and key not in self.written:
            self.written[key] = legs
            for name, side, amount in legs:
                self.model[name] += amount if side == "debit" else -amount

    def expect(self, key: int, legs: list[tuple[AccountName, str, int]]) -> str:
        """What a book of paper would say."""
        after, by_currency = dict(self.model), {"USD": 0, "EUR": 0}
        for name, side, amount in legs:
            signed = amount if side == "debit" else -amount
            after[name] += signed
            by_currency[name.currency] += signed
        if len(legs) < 2 or any(by_currency.values()) or any(amount <= 0 for _, _, amount in legs):
            return "invalid"
        if key in self.written:
            return "posted" if sorted(legs) == sorted(self.written[key]) else "conflict"
        return "conflict" if any(name.guarded and after[name] > 0 for name in after) else "posted"

    @invariant()
    def agrees(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        found = {(a.code, a.currency): a.balance_minor for a in Account.objects.all()}
        known = {(n.code, n.currency): amount for n, amount in self.model.items()}
        assert {**known, **found} == known
        assert all(total.is_zero for total in queries.totals(self.operator))
        assert queries.drifted(self.operator) == []
        assert Entry.objects.count() == sum(len(legs) for legs in self.written.values())


@pytest.mark.django_db
def test_the_book_agrees_with_a_model_whatever_is_posted() -> None:
    run_state_machine_as_test(
        Book,
        settings=settings(
            max_examples=20,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
