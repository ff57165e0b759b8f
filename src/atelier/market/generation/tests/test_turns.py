"""Turns in the engine: it is told who asks without a name, and who waits there is told how many are ahead."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from atelier.market.accounts.models import User
from atelier.market.core.models import LiveEvent
from atelier.market.core.testing import make_user
from atelier.market.generation import actions, news, tasks, testing, work
from atelier.market.generation.models import Generation
from atelier.workshop.contract import Busy, GenerateSpec, Output, Preview, Progress

pytestmark = pytest.mark.django_db


def asked_by(viewer: User) -> Generation:
    return actions.ask_for_samples(
        actor=viewer, creation_model=testing.make_creation_model(), wish=testing.wish(samples=1)
    )


def seen(generation: Generation) -> tuple[str, int]:
    """The state part of the page, and the number of the API, for whoever asked."""
    client = Client()
    client.force_login(generation.viewer)
    page = client.get(reverse("generation:detail", args=[generation.pk]), headers={"X-Refresh": "generation-state"})
    return page.content.decode(), client.get(f"/api/generations/{generation.pk}").json()["ahead"]


def kinds(generation: Generation) -> list[str]:
    return list(LiveEvent.objects.filter(topic=generation.topic).order_by("id").values_list("kind", flat=True))


def test_a_viewer_is_one_word_to_the_engine_that_does_not_tell_who(monkeypatch: pytest.MonkeyPatch) -> None:
    specs: list[GenerateSpec] = []

    class Noting:
        def generate(self, _engine: str, _adapter: Path, spec: GenerateSpec, *_more: object) -> list[Output]:
            specs.append(spec)
            raise Busy("full")

    monkeypatch.setattr(tasks, "runtime", Noting)
    one, other = make_user(), make_user()
    for viewer in (one, one, other):
        with pytest.raises(Busy):
            tasks.generate(generation_id=str(asked_by(viewer).pk))
    first, again, another = (spec.viewer for spec in specs)
    assert first == again != another
    assert len(first) == 64
    for known in (one.email, str(one.pk)):
        assert specs[0].viewer != known
    assert one.email not in specs[0].model_dump_json()


def test_who_waits_in_the_engine_is_told_how_many_are_ahead_until_it_begins() -> None:
    generation, later = asked_by(make_user()), asked_by(make_user())
    claimed = work.claim(generation.pk)
    assert claimed is not None
    now = [100.0]
    told = news.News(claimed, clock=lambda: now[0])
    sentences = ((2, "2 briefs are ahead of yours"), (1, "1 brief is ahead of yours"), (0, "Next in line"))
    for times, (ahead, sentence) in enumerate(sentences, 1):
        now[0] += news.PROGRESS_SECONDS
        told(Progress(stage="waiting", done=0, planned=9, ahead=ahead))
        page, number = seen(generation)
        assert sentence in page
        assert "<progress" not in page
        assert number == ahead
        assert kinds(generation).count("queue") == times
    assert seen(later)[1] == 1
    now[0] += news.PROGRESS_SECONDS
    told(Preview(sample=0, payload={"append": "Once"}))
    told(Progress(stage="writing", done=1, planned=9))
    now[0] += news.PROGRESS_SECONDS
    told(Progress(stage="writing", done=2, planned=9))
    page, number = seen(generation)
    assert "<progress" in page
    assert "ahead of yours" not in page
    assert number == 0
    assert seen(later)[1] == 0
    assert kinds(generation).count("started") == 2


def test_what_is_told_while_it_is_written_holds_no_words_in_one_language() -> None:
    claimed = work.claim(asked_by(make_user()).pk)
    assert claimed is not None
    now = [100.0]
    told = news.News(claimed, clock=lambda: now[0])
    for done in (1, 2):
        now[0] += news.PROGRESS_SECONDS
        told(Progress(stage="writing", done=done, planned=9, note="two ahead"))
    events = LiveEvent.objects.filter(topic=claimed.topic, kind="progress")
    assert [event.data for event in events] == [{"done": done, "planned": 9, "seconds_left": None} for done in (1, 2)]


def test_a_place_in_the_engine_is_lost_with_the_worker_and_when_there_is_no_room() -> None:
    generation = asked_by(make_user())
    for _time in range(2):
        claimed = work.claim(generation.pk)
        assert claimed is not None
        assert claimed.ahead is None
        news.News(claimed)(Progress(stage="waiting", done=0, planned=9, ahead=5))
        generation.refresh_from_db()
        assert (generation.ahead, generation.is_waiting) == (5, True)
    work.give_up_the_place(claimed)
    assert seen(generation)[1] == 0
    generation.refresh_from_db()
    assert (generation.state, generation.ahead) == ("queued", None)
