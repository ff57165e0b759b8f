"""Turns in the engine: it is told who asks without a name, and who waits there is told how many are ahead."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from atelier.market.accounts.models import User
from atelier.market.core.models import LiveEvent
from atelier.market.core.testing import make_user
from atelier.market.generation import actions, news, tasks, testing, work
from atelier.market.generation.models import Generation
from atelier.market.generation.pace import Pace
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


def left(generation: Generation) -> float | None:
    """The time left as the API tells it."""
    client = Client()
    client.force_login(generation.viewer)
    answer: float | None = client.get(f"/api/generations/{generation.pk}").json()["seconds_left"]
    return answer


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
    sentences = ((2, "2 requests before yours"), (1, "1 request before yours"), (0, "Next in line"))
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
    assert "before yours" not in page
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
    work.give_up_the_place(claimed, ahead=7)
    page, number = seen(generation)
    assert number == 7
    assert "7 requests before yours" in page
    generation.refresh_from_db()
    assert generation.state == "queued"


def test_while_there_is_no_room_its_place_stays_on_the_page_and_only_another_one_is_told() -> None:
    generation = asked_by(make_user())
    for ahead, queued in ((9, 1), (9, 1), (4, 2)):
        claimed = work.claim(generation.pk)
        assert claimed is not None
        news.News(claimed)(Progress(stage="waiting", done=0, planned=9))
        if claimed.was_turned_away:
            assert "9 requests before yours" in seen(generation)[0], "no flicker while it is tried again"
        work.give_up_the_place(claimed, ahead=ahead)
        assert kinds(generation).count("queue") == queued
    assert seen(generation)[1] == 4
    claimed = work.claim(generation.pk)
    assert claimed is not None
    news.News(claimed)(Preview(sample=0, payload={"append": "Once"}))
    assert "<progress" in seen(generation)[0]
    assert seen(generation)[1] == 0


def test_the_time_left_is_told_and_kept_while_it_waits_and_while_it_is_written() -> None:
    generation = asked_by(make_user())
    claimed = work.claim(generation.pk)
    assert claimed is not None
    now = [100.0]
    told = news.News(claimed, clock=lambda: now[0])
    told(Progress(stage="waiting", done=0, planned=90, ahead=4))
    assert left(generation) is None, "nothing went by yet"
    now[0] += 10
    told(Progress(stage="waiting", done=0, planned=90, ahead=3))
    assert left(generation) == 40, "one in ten seconds, and three with its own before it"
    assert "About 40 s left" in seen(generation)[0]
    told(Progress(stage="writing", done=1, planned=91))
    now[0] += 10
    told(Progress(stage="writing", done=31, planned=91))
    assert left(generation) == 20
    page, _ahead = seen(generation)
    assert "about 20 s left" in page
    event = LiveEvent.objects.filter(topic=generation.topic, kind="progress").latest("id")
    assert event.data == {"done": 31, "planned": 91, "seconds_left": 20}
    now[0] += 1
    told(Progress(stage="writing", done=32, planned=91, seconds_left=120))
    assert left(generation) == 120, "the engine knows better"


def test_one_that_newcomers_overtake_is_promised_no_time() -> None:
    pace = Pace()
    places = [(0.0, 3), (5.0, 5), (9.0, 3)]
    assert [pace.seconds_left(Progress(stage="waiting", done=0, planned=9, ahead=a), now) for now, a in places] == [
        None
    ] * 3


def test_a_brief_that_found_no_room_is_tried_again_with_one_press(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def generate(self, *_arguments: object) -> list[Output]:
            raise Busy("full", ahead=12)

    generation = asked_by(make_user())
    Generation.objects.update(started_at=timezone.now() - tasks.NO_ROOM_FOR)
    with monkeypatch.context() as crowded:
        crowded.setattr(tasks, "runtime", Full)
        tasks.generate(generation_id=str(generation.pk))
    client = Client()
    client.force_login(generation.viewer)
    page = client.get(reverse("generation:detail", args=[generation.pk])).content.decode()
    assert "there was no room to write this; 12 requests are before yours" in page
    assert "your brief is kept" in page
    address = reverse("generation:try_again", args=[generation.pk])
    assert address in page
    answers = [client.post(address) for _click in range(2)]
    again = Generation.objects.exclude(pk=generation.pk).get()
    assert [answer["Location"] for answer in answers] == [reverse("generation:detail", args=[again.pk])] * 2
    assert (again.brief, again.seeds, again.varies_id) == (generation.brief, generation.seeds, generation.pk)
    tasks.generate(generation_id=str(again.pk))
    again.refresh_from_db()
    assert again.state == "succeeded"


def test_only_what_may_do_better_is_offered_again() -> None:
    generation = asked_by(make_user())
    client = Client()
    client.force_login(generation.viewer)
    address = reverse("generation:try_again", args=[generation.pk])
    for changes in (
        {"state": "succeeded"},
        {"state": "failed", "error_code": "refused", "error": "Not on that."},
        {"state": "failed", "error_code": "brief_invalid", "error_where": "subject", "error": "Too long."},
    ):
        Generation.objects.update(**{"error_where": "", **changes})
        assert address not in client.get(reverse("generation:detail", args=[generation.pk])).content.decode()
        assert client.post(address)["Location"] == reverse("generation:repeat", args=[generation.pk])
        assert Generation.objects.count() == 1
    stranger = Client()
    stranger.force_login(make_user())
    assert stranger.post(address).status_code == 404


def test_when_it_is_done_the_head_of_the_page_is_fetched_with_it() -> None:
    generation = asked_by(make_user())
    client = Client()
    client.force_login(generation.viewer)
    address = reverse("generation:detail", args=[generation.pk])
    before = client.get(address).content.decode()
    assert 'data-live-refresh="finished failed cancelled" data-refresh-with="page-head"' in before
    head = before[before.index('id="page-head"') : before.index('class="page__body"')]
    assert "Samples appear as they are made" in head
    tasks.generate(generation_id=str(generation.pk))
    after = client.get(address).content.decode()
    assert "Samples appear" not in after
    assert "Choose a piece" in after[after.index('id="page-head"') : after.index('class="page__body"')]
