from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from croniter import croniter
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from atelier.market.billing import settling, tasks
from atelier.market.billing.gateways.interface import GatewayUnavailable
from atelier.market.billing.gateways.sandbox import SandboxGateway
from atelier.market.billing.models import Purchase
from atelier.market.billing.testing import LOST_ANSWER, buy

pytestmark = pytest.mark.django_db


def waiting_jobs() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name=tasks.settle.name, status="todo").order_by("id"))


def test_an_unclear_payment_has_one_job_however_often_it_is_asked_for() -> None:
    purchase = buy(card=LOST_ANSWER)
    tasks.settle_purchases(timestamp=0)
    tasks.settle_soon(purchase.pk)
    assert [job.args["purchase_id"] for job in waiting_jobs()] == [str(purchase.pk)]


def test_while_the_gateway_is_silent_it_is_asked_ever_less_often(
    gateway: SandboxGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise GatewayUnavailable("down")

    purchase = buy(card=LOST_ANSWER)
    monkeypatch.setattr(gateway, "find", down)
    waits = []
    for asked in (0, 3, 12):
        ProcrastinateJob.objects.filter(task_name=tasks.settle.name).delete()
        before = timezone.now()
        tasks.settle(purchase_id=str(purchase.pk), asked=asked)
        (job,) = waiting_jobs()
        assert job.args["asked"] == asked + 1
        waits.append(round((job.scheduled_at - before).total_seconds()))
    assert waits == sorted(waits)
    assert waits[0] < 10 < waits[1]
    assert waits[2] >= tasks.SLOWEST_SECONDS - 1
    purchase.refresh_from_db()
    assert purchase.state == Purchase.State.UNKNOWN


def test_the_sweep_takes_up_what_a_killed_process_left() -> None:
    purchase = buy(card=LOST_ANSWER)
    ProcrastinateJob.objects.filter(task_name=tasks.settle.name).delete()
    Purchase.objects.filter(pk=purchase.pk).update(
        state=Purchase.State.CHARGING, state_changed_at=timezone.now() - settling.IN_HAND - timedelta(seconds=1)
    )
    tasks.settle_purchases(timestamp=0)
    (job,) = waiting_jobs()
    tasks.settle(**job.args)
    purchase.refresh_from_db()
    assert purchase.state == Purchase.State.PAID


def test_the_sweep_comes_by_every_ten_seconds() -> None:
    (periodic,) = [
        task for (name, _), task in app.periodic_registry.periodic_tasks.items() if name == tasks.settle_purchases.name
    ]
    times = croniter(periodic.cron, datetime(2026, 1, 1))
    first, second = times.get_next(datetime), times.get_next(datetime)
    assert second - first == timedelta(seconds=10)
