from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from atelier.market.billing.gateways.interface import CardInvalid, Charge, GatewayError, GatewayTimeout, State
from atelier.market.billing.gateways.sandbox import BEHAVIOURS, SETTLES_AFTER_SECONDS, TEST_CARDS, SandboxGateway
from atelier.market.billing.testing import CONFIRM, EXPIRED, GOOD, LOST_ANSWER, LOST_REQUEST, POOR, SLOW


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gateway(tmp_path: Path, clock: Clock) -> SandboxGateway:
    return SandboxGateway(tmp_path / "gateway.sqlite3", clock)


def charge(gateway: SandboxGateway, number: str, key: str = "k", amount: int = 500) -> Charge:
    return Charge(key, amount, "USD", gateway.card(number).token, "a licence")


@pytest.mark.parametrize(
    ("number", "state", "code"),
    [
        (GOOD, State.SUCCEEDED, ""),
        (POOR, State.DECLINED, "insufficient_funds"),
        (EXPIRED, State.DECLINED, "expired_card"),
        (CONFIRM, State.REQUIRES_CONFIRMATION, ""),
        (SLOW, State.PENDING, ""),
    ],
)
def test_each_card_does_what_it_says(gateway: SandboxGateway, number: str, state: State, code: str) -> None:
    result = gateway.charge(charge(gateway, number))
    assert (result.state, result.code) == (state, code)
    assert result == gateway.find("k")


def test_every_listed_card_has_a_behaviour() -> None:
    assert [card.number.replace(" ", "") for card in TEST_CARDS] == list(BEHAVIOURS)


def test_a_lost_answer_is_found_later_and_a_lost_request_is_not(gateway: SandboxGateway) -> None:
    for number, key in ((LOST_ANSWER, "a"), (LOST_REQUEST, "b")):
        with pytest.raises(GatewayTimeout):
            gateway.charge(charge(gateway, number, key))
    found = gateway.find("a")
    assert found is not None
    assert found.state == State.SUCCEEDED
    assert gateway.find("b") is None


def test_one_key_is_charged_once_also_at_once_from_many_threads(gateway: SandboxGateway) -> None:
    wish = charge(gateway, GOOD)
    with ThreadPoolExecutor(8) as pool:
        references = {result.reference for result in pool.map(gateway.charge, [wish] * 16)}
    assert len(references) == 1


def test_one_key_stands_for_one_amount(gateway: SandboxGateway) -> None:
    gateway.charge(charge(gateway, GOOD))
    with pytest.raises(GatewayError):
        gateway.charge(charge(gateway, GOOD, amount=501))


def test_what_was_voided_first_never_happens(gateway: SandboxGateway) -> None:
    assert gateway.void("k").state == State.VOIDED
    assert gateway.charge(charge(gateway, GOOD)).state == State.DECLINED
    assert gateway.void("k").state == State.VOIDED


def test_what_succeeded_first_cannot_be_voided(gateway: SandboxGateway) -> None:
    gateway.charge(charge(gateway, GOOD))
    assert gateway.void("k").state == State.SUCCEEDED


@pytest.mark.parametrize(("passed", "state"), [(True, State.SUCCEEDED), (False, State.DECLINED)])
def test_a_confirmation_is_heard_once(gateway: SandboxGateway, passed: bool, state: State) -> None:
    gateway.charge(charge(gateway, CONFIRM))
    assert gateway.confirm("k", passed).state == state
    assert gateway.confirm("k", not passed).state == state


def test_a_slow_card_settles_with_time(gateway: SandboxGateway, clock: Clock) -> None:
    assert gateway.charge(charge(gateway, SLOW)).state == State.PENDING
    clock.now += SETTLES_AFTER_SECONDS
    found = gateway.find("k")
    assert found is not None
    assert found.state == State.SUCCEEDED


def test_money_goes_back_once_and_only_when_it_came(gateway: SandboxGateway) -> None:
    gateway.charge(charge(gateway, GOOD))
    assert gateway.refund("k").state == State.REFUNDED
    assert gateway.refund("k").state == State.REFUNDED
    gateway.charge(charge(gateway, POOR, "poor"))
    with pytest.raises(GatewayError):
        gateway.refund("poor")


def test_real_numbers_are_refused_and_no_number_is_kept(gateway: SandboxGateway, tmp_path: Path) -> None:
    with pytest.raises(CardInvalid):
        gateway.card("4111 1111 1111 1111")
    assert gateway.card(GOOD).label == "Visa •••• 4242"
    with sqlite3.connect(tmp_path / "gateway.sqlite3") as memory:
        kept = "".join(memory.iterdump())
    assert "4242" in kept
    assert "42424242" not in kept
    assert "4111" not in kept
