"""Free samples a day: never more than the limit, whatever comes at once; returned when nothing was made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.utils import timezone

from atelier.market.core.errors import TooMany
from atelier.market.core.testing import make_user
from atelier.market.generation import actions, quota, testing
from atelier.market.generation.models import Generation, SampleCount


def counts() -> list[int]:
    return sorted(SampleCount.objects.values_list("used", flat=True))


@pytest.mark.django_db
def test_samples_count_for_the_viewer_and_for_the_model() -> None:
    model, viewer = testing.make_creation_model(samples_a_day=5), make_user()
    testing.make_samples(model, viewer, samples=2)
    testing.make_samples(testing.make_creation_model(), viewer, samples=1)
    assert counts() == [1, 2, 3]
    left = quota.left(viewer, model)
    assert (left.here, left.of) == (3, 5)


@pytest.mark.django_db
def test_beyond_the_models_limit_it_says_when_there_is_room_again() -> None:
    model, viewer = testing.make_creation_model(samples_a_day=3), make_user()
    testing.make_samples(model, viewer, samples=2)
    with pytest.raises(TooMany) as caught:
        actions.ask_for_samples(actor=viewer, creation_model=model, wish=testing.wish(samples=2))
    assert caught.value.field == "samples"
    assert "00:00 UTC" in caught.value.remedy
    assert "1" in caught.value.message
    assert Generation.objects.count() == 1
    assert counts() == [2, 2]


@pytest.mark.django_db
def test_one_wish_larger_than_the_limit_is_refused() -> None:
    model = testing.make_creation_model(samples_a_day=1)
    with pytest.raises(TooMany):
        actions.ask_for_samples(actor=make_user(), creation_model=model, wish=testing.wish(samples=2))
    assert counts() == []


@pytest.mark.django_db
def test_the_viewers_own_limit_holds_across_models(settings: pytest.FixtureRequest) -> None:
    settings.SAMPLES_A_DAY_PER_VIEWER = 3  # type: ignore[attr-defined]
    viewer = make_user()
    testing.make_samples(testing.make_creation_model(), viewer, samples=2)
    other = testing.make_creation_model()
    assert quota.left(viewer, other).here == 1
    with pytest.raises(TooMany):
        actions.ask_for_samples(actor=viewer, creation_model=other, wish=testing.wish(samples=2))
    assert counts() == [2, 2]


@pytest.mark.django_db
def test_what_is_said_to_be_left_does_not_count_what_is_refused(settings: pytest.FixtureRequest) -> None:
    settings.SAMPLES_A_DAY_PER_VIEWER = 4  # type: ignore[attr-defined]
    model, viewer = testing.make_creation_model(samples_a_day=3), make_user()
    testing.make_samples(model, viewer, samples=2)
    with pytest.raises(TooMany) as caught:
        actions.ask_for_samples(actor=viewer, creation_model=model, wish=testing.wish(samples=2))
    assert caught.value.message == "Only 1 free sample is left for you today."
    assert counts() == [2, 2]


@pytest.mark.django_db
def test_the_playground_is_not_counted() -> None:
    testing.make_playground(testing.make_creation_model(samples_a_day=1), samples=4)
    assert counts() == []


@pytest.mark.django_db
def test_a_refused_brief_is_not_counted() -> None:
    model, viewer = testing.make_creation_model(subjects_refused=["tobacco"]), make_user()
    refused = testing.make_samples(model, viewer, subject="fine tobacco")
    assert (refused.state, refused.error_code) == ("failed", "refused")
    assert counts() == [0, 0]
    assert quota.left(viewer, model).here == model.samples_a_day


@pytest.mark.django_db
def test_cancelling_before_anything_was_shown_returns_the_samples_once() -> None:
    model, viewer = testing.make_creation_model(), make_user()
    asked = actions.ask_for_samples(actor=viewer, creation_model=model, wish=testing.wish(samples=2))
    for _click in range(2):
        actions.cancel(actor=viewer, generation_id=asked.pk)
    assert counts() == [0, 0]


@pytest.mark.django_db
def test_samples_return_to_the_day_they_were_counted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    model, viewer = testing.make_creation_model(), make_user()
    before = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: before)
    asked = actions.ask_for_samples(actor=viewer, creation_model=model, wish=testing.wish(samples=2))
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 2, 0, 0, 1, tzinfo=UTC))
    assert quota.left(viewer, model).here == model.samples_a_day
    actions.cancel(actor=viewer, generation_id=asked.pk)
    assert [(str(row.day), row.used) for row in SampleCount.objects.all()] == [("2026-03-01", 0)] * 2


@pytest.mark.django_db(transaction=True)
def test_twenty_threads_never_overrun_the_limit() -> None:
    model, viewer = testing.make_creation_model(samples_a_day=7), make_user()

    def ask(number: int) -> bool:
        try:
            actions.ask_for_samples(
                actor=viewer, creation_model=model, wish=testing.wish(samples=1 + number % 2, key=f"thread-{number}")
            )
        except TooMany:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(ask, range(40)))
    asked = sum(len(found.seeds) for found in Generation.objects.all())
    assert asked == 7
    assert counts() == [7, 7]


@pytest.mark.django_db(transaction=True)
def test_twenty_clicks_at_once_are_one_wish() -> None:
    model, viewer = testing.make_creation_model(samples_a_day=2), make_user()
    wish = testing.wish(samples=2, key="many-clicks")

    def click(_number: int) -> object:
        try:
            return actions.ask_for_samples(actor=viewer, creation_model=model, wish=wish).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        found = set(pool.map(click, range(20)))
    assert len(found) == 1
    assert Generation.objects.count() == 1
    assert counts() == [2, 2]
