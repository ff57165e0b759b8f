"""A process that is killed between any two lines: what is left is settled, never paid twice, never half."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from atelier.market.billing import actions, settling, tasks
from atelier.market.billing.gateways.sandbox import SandboxGateway
from atelier.market.billing.models import Purchase
from atelier.market.billing.testing import CONFIRM, buy, pay, start
from atelier.market.core.errors import Conflict
from atelier.market.generation.testing import make_output
from atelier.market.ledger.models import Transaction
from atelier.market.licences.models import Licence

from .checks import everything_adds_up

pytestmark = pytest.mark.django_db
S = Purchase.State


class Killed(BaseException):
    """What no handler catches."""


def killed(*_: object, **__: object) -> None:
    raise Killed


def killed_after(deed: Callable[..., object]) -> Callable[..., None]:
    """`deed`, and then the end of the process."""

    def run(*args: object, **named: object) -> None:
        deed(*args, **named)
        raise Killed

    return run


def found_by_the_sweep(purchase: Purchase) -> Purchase:
    """The purchase after the sweep came by, once its process counts as lost."""
    Purchase.objects.filter(pk=purchase.pk).update(state_changed_at=timezone.now() - settling.IN_HAND * 2)
    assert settling.waiting() == [purchase.pk]
    tasks.settle(purchase_id=str(purchase.pk))
    purchase.refresh_from_db()
    return purchase


def test_killed_before_the_gateway_is_asked(gateway: SandboxGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    purchase = start(make_output())
    with monkeypatch.context() as dying:
        dying.setattr(gateway, "charge", killed)
        with pytest.raises(Killed):
            pay(purchase)
    assert found_by_the_sweep(purchase).state == S.DECLINED
    assert purchase.failure_code == "never_arrived"
    everything_adds_up()


def test_killed_after_the_gateway_took_the_money(gateway: SandboxGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    purchase = start(make_output())
    with monkeypatch.context() as dying:
        dying.setattr(gateway, "charge", killed_after(gateway.charge))
        with pytest.raises(Killed):
            pay(purchase)
    assert not Licence.objects.exists()
    assert found_by_the_sweep(purchase).state == S.PAID
    everything_adds_up()


@pytest.mark.parametrize(
    "line",
    [
        "atelier.market.billing.settling.post",
        "atelier.market.billing.settling.events.emit",
        "atelier.market.licences.actions.issue_for_purchase",
        "atelier.market.licences.actions.expect_files",
        "atelier.market.licences.actions.open_output",
        "atelier.market.licences.actions.withdraw_output",
        "atelier.market.licences.actions.make_files.defer",
    ],
)
def test_killed_while_writing_down_what_was_paid(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    purchase = start(make_output(), "exclusive")
    with monkeypatch.context() as dying:
        dying.setattr(line, killed)
        with pytest.raises(Killed):
            pay(purchase)
    purchase.refresh_from_db()
    assert purchase.state == S.CHARGING
    assert not Licence.objects.exists()
    assert not Transaction.objects.exists()
    assert found_by_the_sweep(purchase).state == S.PAID
    everything_adds_up()


@pytest.mark.parametrize("heard", [True, False])
def test_killed_while_confirming(heard: bool, gateway: SandboxGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    purchase = buy(make_output(), card=CONFIRM)
    with monkeypatch.context() as dying:
        dying.setattr(gateway, "confirm", killed_after(gateway.confirm) if heard else killed)
        with pytest.raises(Killed):
            actions.confirm(actor=purchase.buyer, purchase_id=purchase.pk, passed=True)
    assert found_by_the_sweep(purchase).state == (S.PAID if heard else S.CONFIRMING)
    everything_adds_up()


def test_killed_while_cancelling(gateway: SandboxGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    purchase = buy(make_output(), card=CONFIRM)
    with monkeypatch.context() as dying:
        dying.setattr(gateway, "void", killed_after(gateway.void))
        with pytest.raises(Killed):
            actions.cancel(actor=purchase.buyer, purchase_id=purchase.pk)
    assert actions.confirm(actor=purchase.buyer, purchase_id=purchase.pk, passed=True).state == S.DECLINED
    everything_adds_up()


def test_a_worker_killed_while_settling_is_followed_by_another(
    gateway: SandboxGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchase = start(make_output())
    with monkeypatch.context() as dying:
        dying.setattr(gateway, "charge", killed_after(gateway.charge))
        with pytest.raises(Killed):
            pay(purchase)
    with monkeypatch.context() as dying:
        dying.setattr(gateway, "find", killed_after(gateway.find))
        with pytest.raises(Killed):
            found_by_the_sweep(purchase)
    assert found_by_the_sweep(purchase).state == S.PAID
    assert Transaction.objects.count() == 1
    everything_adds_up()


def test_a_process_that_was_only_slow_finds_its_charge_voided(
    gateway: SandboxGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wakes after the sweep gave it up, and only then asks the gateway: nothing is charged."""
    purchase = start(make_output())
    charge = gateway.charge

    def slow(wish: object) -> object:
        found_by_the_sweep(purchase)
        return charge(wish)  # type: ignore[arg-type]

    monkeypatch.setattr(gateway, "charge", slow)
    assert pay(purchase).state == S.DECLINED
    assert purchase.failure_code == "never_arrived"
    with pytest.raises(Conflict):
        pay(purchase)
    everything_adds_up()
