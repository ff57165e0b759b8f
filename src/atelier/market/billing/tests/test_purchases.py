"""Every way a purchase may go."""

from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from atelier.market.billing import actions, settling
from atelier.market.billing.gateways.interface import GatewayUnavailable, State
from atelier.market.billing.gateways.sandbox import SETTLES_AFTER_SECONDS, SandboxGateway
from atelier.market.billing.models import Purchase
from atelier.market.billing.states import PURCHASE
from atelier.market.billing.testing import (
    CONFIRM,
    EXPIRED,
    GOOD,
    LOST_ANSWER,
    LOST_REQUEST,
    POOR,
    SLOW,
    buy,
    pay,
    start,
)
from atelier.market.core.errors import Conflict, Denied, Invalid, Missing
from atelier.market.core.models import AuditEntry, LiveEvent
from atelier.market.core.testing import make_user
from atelier.market.generation.actions import withdraw_output
from atelier.market.generation.models import Output
from atelier.market.generation.testing import make_output, make_playground
from atelier.market.ledger.models import Account, Transaction
from atelier.market.licences.models import Licence
from atelier.market.studio.models import CreationModel, Version

from .checks import everything_adds_up

pytestmark = pytest.mark.django_db
S = Purchase.State


@pytest.fixture
def output() -> Output:
    return make_output()


def age(purchase: Purchase, by: object) -> None:
    Purchase.objects.filter(pk=purchase.pk).update(state_changed_at=timezone.now() - by)


def test_a_good_card_pays_books_and_licenses_at_once(output: Output) -> None:
    purchase = buy(output)
    assert purchase.state == S.PAID
    assert purchase.card_label == "Visa •••• 4242"
    assert purchase.paid_at is not None
    assert Licence.objects.get(purchase=purchase).buyer == output.generation.viewer
    balances = dict(Account.objects.values_list("code", "balance_minor"))
    creator = output.generation.creation_model.creator.user_id
    assert balances == {
        "gateway:sandbox:clearing": 900,
        "platform:fees": -90,
        f"creator:{creator}:payable": -810,
    }
    assert AuditEntry.objects.filter(subject_id=str(purchase.pk), verb="billing.pay").exists()
    assert list(LiveEvent.objects.filter(topic=purchase.topic).values_list("data__state", flat=True)) == [
        "charging",
        "paid",
    ]
    everything_adds_up()


@pytest.mark.parametrize(("card", "code"), [(POOR, "insufficient_funds"), (EXPIRED, "expired_card")])
def test_a_declined_card_leaves_nothing_and_another_one_may_be_tried(output: Output, card: str, code: str) -> None:
    purchase = buy(output, card=card)
    assert (purchase.state, purchase.failure_code) == (S.DECLINED, code)
    assert not Transaction.objects.exists()
    everything_adds_up()
    assert buy(output).state == S.PAID
    everything_adds_up()


@pytest.mark.parametrize(("passed", "state"), [(True, S.PAID), (False, S.DECLINED)])
def test_a_card_that_asks_is_paid_when_confirmed(output: Output, passed: bool, state: str) -> None:
    purchase = buy(output, card=CONFIRM)
    assert purchase.state == S.CONFIRMING
    assert not Licence.objects.exists()
    done = actions.confirm(actor=purchase.buyer, purchase_id=purchase.pk, passed=passed)
    assert done.state == state
    with pytest.raises(Conflict):
        actions.confirm(actor=purchase.buyer, purchase_id=purchase.pk, passed=True)
    everything_adds_up()


def test_a_lost_answer_is_asked_for_and_found(output: Output) -> None:
    purchase = buy(output, card=LOST_ANSWER)
    assert purchase.state == S.UNKNOWN
    assert not Licence.objects.exists()
    assert settling.settle(purchase.pk)
    purchase.refresh_from_db()
    assert purchase.state == S.PAID
    everything_adds_up()


def test_a_lost_request_ends_as_declined_and_can_never_arrive_late(output: Output, gateway: SandboxGateway) -> None:
    purchase = buy(output, card=LOST_REQUEST)
    assert settling.settle(purchase.pk)
    purchase.refresh_from_db()
    assert (purchase.state, purchase.failure_code) == (S.DECLINED, "never_arrived")
    found = gateway.find(str(purchase.pk))
    assert found is not None
    assert found.state == State.VOIDED
    everything_adds_up()


def test_a_slow_card_is_asked_about_until_it_is_known(
    output: Output, gateway: SandboxGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(gateway, "_clock", lambda: now)
    purchase = buy(output, card=SLOW)
    assert purchase.state == S.UNKNOWN
    assert not settling.settle(purchase.pk)
    now += SETTLES_AFTER_SECONDS
    assert settling.settle(purchase.pk)
    purchase.refresh_from_db()
    assert purchase.state == S.PAID
    everything_adds_up()


def test_a_gateway_out_of_reach_leaves_the_purchase_unknown_until_it_is_back(
    output: Output, gateway: SandboxGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise GatewayUnavailable("down")

    with monkeypatch.context() as broken:
        for method in ("charge", "find", "void"):
            broken.setattr(gateway, method, down)
        purchase = buy(output)
        assert purchase.state == S.UNKNOWN
        assert not settling.settle_quietly(purchase.pk)
    assert settling.settle_quietly(purchase.pk)
    purchase.refresh_from_db()
    assert (purchase.state, purchase.failure_code) == (S.DECLINED, "never_arrived")
    everything_adds_up()


def test_clicking_twice_buys_once(output: Output) -> None:
    key = str(uuid.uuid4())
    first = pay(start(output, key=key))
    second = pay(start(output, key=key))
    assert first == second
    assert Purchase.objects.count() == Transaction.objects.count() == Licence.objects.count() == 1


def test_the_same_key_after_a_decline_is_the_same_declined_purchase(output: Output) -> None:
    wish = {"output_id": output.pk, "tier": "personal", "idempotency_key": str(uuid.uuid4())}
    for card in (POOR, GOOD):
        found = actions.buy(actor=output.generation.viewer, card=actions.card_of(card), **wish)
        assert (found.state, found.failure_code) == (S.DECLINED, "insufficient_funds")
    assert Purchase.objects.count() == 1
    everything_adds_up()


def test_one_key_stands_for_one_wish(output: Output) -> None:
    key = str(uuid.uuid4())
    start(output, key=key)
    with pytest.raises(Conflict):
        start(output, "commercial", key=key)
    assert Purchase.objects.count() == 1


def test_paying_again_for_what_is_paid_charges_nothing(output: Output) -> None:
    purchase = buy(output)
    assert pay(purchase).state == S.PAID
    assert Transaction.objects.count() == 1


def test_what_is_over_cannot_be_paid(output: Output) -> None:
    purchase = start(output)
    actions.cancel(actor=purchase.buyer, purchase_id=purchase.pk)
    with pytest.raises(Conflict):
        pay(purchase)
    assert not Transaction.objects.exists()


@pytest.mark.parametrize("card", [None, CONFIRM])
def test_what_is_not_paid_can_be_cancelled_twice(output: Output, card: str | None) -> None:
    purchase = start(output)
    if card:
        pay(purchase, card)
    for _ in range(2):
        assert actions.cancel(actor=purchase.buyer, purchase_id=purchase.pk).state == S.CANCELLED
    everything_adds_up()
    assert buy(output).state == S.PAID


def test_what_is_paid_cannot_be_cancelled(output: Output) -> None:
    purchase = buy(output)
    with pytest.raises(Conflict):
        actions.cancel(actor=purchase.buyer, purchase_id=purchase.pk)
    everything_adds_up()


def test_cancelling_after_the_bank_took_the_money_is_paid(output: Output, gateway: SandboxGateway) -> None:
    purchase = buy(output, card=CONFIRM)
    gateway.confirm(str(purchase.pk), True)
    assert actions.cancel(actor=purchase.buyer, purchase_id=purchase.pk).state == S.PAID
    everything_adds_up()


def test_nobody_else_touches_a_purchase(output: Output) -> None:
    purchase, other = start(output), make_user()
    deeds = (
        lambda: actions.pay(actor=other, purchase_id=purchase.pk, card=actions.card_of(GOOD)),
        lambda: actions.confirm(actor=other, purchase_id=purchase.pk, passed=True),
        lambda: actions.cancel(actor=other, purchase_id=purchase.pk),
    )
    for deed in deeds:
        with pytest.raises(Missing):
            deed()
    purchase.refresh_from_db()
    assert purchase.state == S.OPEN


def test_nobody_buys_what_they_cannot_see(output: Output) -> None:
    with pytest.raises(Missing):
        start(output, buyer=make_user())
    with pytest.raises(Missing):
        actions.start_purchase(
            actor=make_user(), output_id=uuid.uuid4(), tier="personal", idempotency_key=str(uuid.uuid4())
        )
    assert not Purchase.objects.exists()


def test_creators_do_not_buy_from_themselves(output: Output) -> None:
    own = make_playground(output.generation.creation_model, samples=1).outputs.get()
    with pytest.raises(Denied):
        start(own)
    assert not Purchase.objects.exists()


@pytest.mark.parametrize(
    "deed",
    [
        lambda output: CreationModel.objects.update(state=CreationModel.State.RETIRED),
        lambda output: CreationModel.objects.update(state=CreationModel.State.PAUSED),
        lambda output: Version.objects.update(state=Version.State.PAUSED),
        lambda output: withdraw_output(output_id=output.pk, because="taken down"),
    ],
)
def test_what_is_off_the_market_cannot_be_bought(output: Output, deed: object) -> None:
    deed(output)  # type: ignore[operator]
    with pytest.raises(Conflict):
        start(output)
    assert not Purchase.objects.exists()


def test_an_unknown_tier_and_a_changed_price_are_refused(output: Output) -> None:
    with pytest.raises(Invalid):
        start(output, "golden")
    with pytest.raises(Conflict) as caught:
        actions.start_purchase(
            actor=output.generation.viewer,
            output_id=output.pk,
            tier="personal",
            idempotency_key=str(uuid.uuid4()),
            price_seen_minor=899,
        )
    assert caught.value.code == "price_changed"
    assert not Purchase.objects.exists()


def test_price_terms_and_split_stay_as_they_were_when_the_purchase_began(output: Output, settings) -> None:
    purchase = start(output)
    CreationModel.objects.update(personal_minor=5000)
    settings.PLATFORM_FEE_BASIS_POINTS = 5000
    assert pay(purchase).state == S.PAID
    assert (purchase.price_minor, purchase.fee_basis_points, purchase.fee_minor) == (900, 1000, 90)
    everything_adds_up()


def test_the_same_licence_is_not_bought_twice(output: Output) -> None:
    purchase = start(output)
    with pytest.raises(Conflict) as begun:
        start(output)
    assert begun.value.code == "begun"
    pay(purchase)
    with pytest.raises(Conflict) as held:
        start(output)
    assert held.value.code == "held"
    assert buy(output, "commercial").state == S.PAID


def test_exclusive_needs_that_no_licence_was_sold(output: Output) -> None:
    buy(output)
    with pytest.raises(Conflict) as caught:
        start(output, "exclusive")
    assert caught.value.code == "not_exclusive"
    assert Purchase.objects.count() == 1


@pytest.mark.parametrize(("first", "second"), [("exclusive", "personal"), ("personal", "exclusive")])
def test_exclusive_and_any_other_are_not_bought_at_once(output: Output, first: str, second: str) -> None:
    begun = start(output, first)
    with pytest.raises(Conflict) as caught:
        start(output, second)
    assert caught.value.code == "taken"
    actions.cancel(actor=begun.buyer, purchase_id=begun.pk)
    assert buy(output, second).state == S.PAID


def test_an_exclusive_sale_withdraws_the_piece_for_ever(output: Output) -> None:
    assert buy(output, "exclusive").state == S.PAID
    output.refresh_from_db()
    assert output.state == Output.State.WITHDRAWN
    for tier in ("personal", "exclusive"):
        with pytest.raises(Conflict):
            start(output, tier)
    everything_adds_up()


def test_money_for_a_piece_withdrawn_meanwhile_goes_back(output: Output, gateway: SandboxGateway) -> None:
    purchase = buy(output, card=CONFIRM)
    withdraw_output(output_id=output.pk, because="taken down")
    actions.confirm(actor=purchase.buyer, purchase_id=purchase.pk, passed=True)
    purchase.refresh_from_db()
    assert purchase.state == S.REFUNDING
    assert Account.objects.get(code=f"buyer:{purchase.buyer_id}:refundable").due_minor == 900
    assert purchase.pk in settling.waiting()
    for _ in range(2):
        assert settling.settle(purchase.pk)
    purchase.refresh_from_db()
    assert purchase.state == S.REFUNDED
    found = gateway.find(str(purchase.pk))
    assert found is not None
    assert found.state == State.REFUNDED
    assert {account.balance_minor for account in Account.objects.all()} == {0}
    everything_adds_up()


def test_what_its_buyer_left_lying_makes_room_for_others(output: Output) -> None:
    left, unconfirmed = start(output), buy(make_output(), "exclusive", CONFIRM)
    assert settling.waiting() == []
    for purchase in (left, unconfirmed):
        age(purchase, settling.PATIENCE * 2)
    assert set(settling.waiting()) == {left.pk, unconfirmed.pk}
    for purchase in (left, unconfirmed):
        assert settling.settle(purchase.pk)
        purchase.refresh_from_db()
        assert purchase.state == S.CANCELLED
    assert buy(output, "exclusive").state == S.PAID
    everything_adds_up()


def test_a_purchase_that_its_buyer_comes_back_to_at_the_last_moment_is_not_given_up(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchase = start(output)

    def meanwhile(_found: Purchase) -> bool:
        pay(purchase, CONFIRM)
        return True

    monkeypatch.setattr(settling, "_forgotten", meanwhile)
    assert settling.settle(purchase.pk)
    purchase.refresh_from_db()
    assert purchase.state == S.CONFIRMING
    assert actions.confirm(actor=purchase.buyer, purchase_id=purchase.pk, passed=True).state == S.PAID
    everything_adds_up()


def test_a_charge_in_hand_is_left_to_the_process_that_asked(output: Output) -> None:
    purchase = start(output)
    Purchase.objects.filter(pk=purchase.pk).update(state=S.CHARGING, state_changed_at=timezone.now())
    assert settling.waiting() == []
    assert settling.settle(purchase.pk)
    purchase.refresh_from_db()
    assert purchase.state == S.CHARGING


def test_news_told_twice_or_late_changes_nothing_more(output: Output, gateway: SandboxGateway) -> None:
    purchase = buy(output)
    result = gateway.find(str(purchase.pk))
    assert result is not None
    for state in State:
        settling.record(purchase.pk, type(result)(state))
    purchase.refresh_from_db()
    assert purchase.state == S.PAID
    assert Transaction.objects.count() == 1
    everything_adds_up()


def test_every_state_is_in_the_table_of_transitions() -> None:
    assert set(PURCHASE) == set(S)
