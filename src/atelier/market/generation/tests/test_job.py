"""The job that writes samples: taken up again it doubles nothing, and it stops when nobody wants it any more."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from atelier.market.core.models import AuditEntry, Blob, Event, LiveEvent, Watch
from atelier.market.core.testing import make_user
from atelier.market.generation import actions, news, quota, tasks, testing, work
from atelier.market.generation.models import Attribution, Generation, Output, SampleCount
from atelier.market.provenance.models import Occurrence, Record
from atelier.market.studio import actions as studio
from atelier.market.studio.models import CreationModel, Version
from atelier.market.studio.tasks import erase_adapter
from atelier.workshop.contract import Busy, Cancelled, GenerateSpec, Preview, Progress
from atelier.workshop.contract import Output as Made
from atelier.workshop.runtime import runtime

pytestmark = pytest.mark.django_db

Emit = Callable[[Preview | Progress], None]


class Engine:
    """Stands in for the runtime: does what a test says in the middle of the fake engine's writing."""

    def __init__(self, meanwhile: Callable[[Emit], None]) -> None:
        self.meanwhile = meanwhile
        self.first_word: Callable[[], None] = lambda: None
        self.emitted: list[Preview | Progress] = []

    def generate(self, engine: str, adapter: Path, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Made]:
        def listening(item: Preview | Progress) -> None:
            if not self.emitted:
                self.first_word()
            self.emitted.append(item)
            emit(item)

        made = runtime().generate(engine, adapter, spec, workspace, listening)
        self.meanwhile(emit)
        return made


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Emit], None]], Engine]:
    def use(meanwhile: Callable[[Emit], None]) -> Engine:
        stand_in = Engine(meanwhile)
        monkeypatch.setattr(tasks, "runtime", lambda: stand_in)
        return stand_in

    return use


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks whether to stop at every word instead of once a second."""
    monkeypatch.setattr(news, "LOOK_SECONDS", 0.0)


def asked(**more: Any) -> Generation:
    model = more.pop("model", None) or testing.make_creation_model()
    return actions.ask_for_samples(actor=make_user(), creation_model=model, wish=testing.wish(samples=2, **more))


def kinds(generation: Generation) -> list[str]:
    found = LiveEvent.objects.filter(topic=generation.topic).order_by("id").values_list("kind", flat=True)
    return [kind for i, kind in enumerate(found) if i == 0 or kind != found[i - 1]]


def run(generation: Generation) -> None:
    tasks.generate(generation_id=str(generation.pk))
    generation.refresh_from_db()


def test_outputs_attribution_and_records_are_born_together() -> None:
    generation = asked()
    run(generation)
    assert generation.state == "succeeded"
    assert generation.first_preview_at is not None
    assert generation.ended_at is not None
    for output in generation.outputs.all():
        parts = Attribution.objects.filter(output=output)
        assert sum(part.parts for part in parts) == 1_000_000
        assert {part.method for part in parts} == {"uniform"}
        assert Record.objects.get(sha256=output.blob_id).facts["seed"] == output.seed
    assert Event.objects.filter(name="generation.finished", data={"generation_id": str(generation.pk)}).count() == 1
    assert kinds(generation)[0] == "started"
    assert kinds(generation)[-1] == "finished"


def test_only_works_that_were_trained_on_are_credited() -> None:
    model = testing.make_creation_model(works=6)
    assert model.version is not None
    trained_on = set(model.version.evaluation["trained_on"])
    assert 0 < len(trained_on) < 6
    generation = testing.make_samples(model, samples=1)
    credited = {str(part.work_id) for part in Attribution.objects.filter(output__generation=generation)}
    assert credited == trained_on


def test_without_names_in_the_evaluation_the_whole_dataset_is_credited() -> None:
    model = testing.make_creation_model(works=6)
    Version.objects.filter(pk=model.version_id).update(evaluation={})
    generation = testing.make_samples(model, samples=1)
    parts = sorted(Attribution.objects.filter(output__generation=generation).values_list("parts", flat=True))
    assert parts == [166_666] * 2 + [166_667] * 4


def test_a_job_that_runs_twice_makes_its_outputs_once() -> None:
    generation = asked()
    for _time in range(2):
        run(generation)
    assert Output.objects.count() == 2
    assert Event.objects.filter(name="generation.finished").count() == 1
    assert AuditEntry.objects.filter(verb="generation.finished").count() == 1


def test_a_killed_workers_generation_is_taken_up_and_doubles_nothing(engine: Any) -> None:
    generation = asked()

    def killed(_emit: Emit) -> None:
        raise SystemExit

    engine(killed)
    with pytest.raises(SystemExit):
        tasks.generate(generation_id=str(generation.pk))
    generation.refresh_from_db()
    assert generation.state == "running"
    assert not Output.objects.exists()
    engine(lambda _emit: None)
    run(generation)
    assert (generation.state, generation.attempt, generation.restarts) == ("succeeded", 2, 1)
    assert Output.objects.count() == 2
    assert Record.objects.count() == Blob.objects.filter(pk__in=Output.objects.values("blob")).count()
    assert sorted(SampleCount.objects.values_list("used", flat=True)) == [2, 2]
    assert "restarted" in kinds(generation)


def test_what_a_lost_worker_still_writes_is_ignored(engine: Any) -> None:
    generation = asked()

    def another_takes_it(_emit: Emit) -> None:
        engine(lambda _emit: None)
        tasks.generate(generation_id=str(generation.pk))

    engine(another_takes_it)
    run(generation)
    assert (generation.state, generation.attempt) == ("succeeded", 2)
    assert Output.objects.count() == 2
    assert Event.objects.filter(name="generation.finished").count() == 1


def test_a_lost_workers_failure_is_ignored(engine: Any) -> None:
    generation = asked()

    def another_takes_it_and_this_one_breaks(_emit: Emit) -> None:
        engine(lambda _emit: None)
        tasks.generate(generation_id=str(generation.pk))
        raise RuntimeError("too late")

    engine(another_takes_it_and_this_one_breaks)
    run(generation)
    assert generation.state == "succeeded"
    assert sorted(SampleCount.objects.values_list("used", flat=True)) == [2, 2]


def test_a_generation_that_kills_every_worker_fails_at_last(engine: Any) -> None:
    generation = asked()

    def killed(_emit: Emit) -> None:
        raise SystemExit

    engine(killed)
    for _time in range(work.RESTARTS_MOST + 1):
        with pytest.raises(SystemExit):
            tasks.generate(generation_id=str(generation.pk))
    run(generation)
    assert (generation.state, generation.error_code) == ("failed", "lost")
    assert generation.remedy
    assert sorted(SampleCount.objects.values_list("used", flat=True)) == [0, 0]


def test_when_the_database_goes_away_nothing_is_decided(engine: Any) -> None:
    generation = asked()

    def gone(_emit: Emit) -> None:
        raise OperationalError("server closed the connection")

    engine(gone)
    with pytest.raises(OperationalError):
        tasks.generate(generation_id=str(generation.pk))
    generation.refresh_from_db()
    assert generation.state == "running"
    engine(lambda _emit: None)
    run(generation)
    assert generation.state == "succeeded"


def test_a_failure_between_outputs_and_records_keeps_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    generation = asked()

    def fails(**_facts: Any) -> None:
        raise OperationalError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(work, "record_output", fails)
        with pytest.raises(OperationalError):
            tasks.generate(generation_id=str(generation.pk))
    assert not Output.objects.exists()
    assert not Attribution.objects.exists()
    assert not Event.objects.filter(name="generation.finished").exists()
    run(generation)
    assert Output.objects.count() == 2


def test_a_crash_of_the_engine_fails_with_a_remedy_and_returns_the_samples(engine: Any) -> None:
    generation = asked()

    def breaks(_emit: Emit) -> None:
        raise ValueError("secret detail")

    engine(breaks)
    run(generation)
    assert (generation.state, generation.error_code) == ("failed", "crashed")
    assert generation.remedy
    assert "secret" not in generation.error
    assert sorted(SampleCount.objects.values_list("used", flat=True)) == [0, 0]
    assert kinds(generation)[-1] == "failed"


def test_a_refusal_is_told_in_its_own_words() -> None:
    model = testing.make_creation_model(subjects_refused=["tobacco"])
    generation = asked(model=model, subject="fine tobacco")
    run(generation)
    assert (generation.state, generation.error_code, generation.error_where) == ("failed", "refused", "subject")
    assert "tobacco" in generation.error
    assert not Output.objects.exists()


def test_no_room_puts_it_back_in_the_queue(engine: Any) -> None:
    generation = asked()

    def full(_emit: Emit) -> None:
        raise Busy("full", ahead=9)

    engine(full)
    # However long it waited for its first turn, it is tried again for as long.
    Generation.objects.filter(pk=generation.pk).update(created_at=timezone.now() - tasks.NO_ROOM_FOR)
    with pytest.raises(Busy):
        tasks.generate(generation_id=str(generation.pk))
    generation.refresh_from_db()
    assert generation.state == "queued"
    Generation.objects.filter(pk=generation.pk).update(started_at=timezone.now() - tasks.NO_ROOM_FOR)
    run(generation)
    assert (generation.state, generation.error_code) == ("failed", "busy")


def test_no_room_is_told_once_and_that_it_is_written_with_its_first_words(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def generate(self, *_arguments: object) -> list[Made]:
            raise Busy("full", ahead=9)

    generation = asked()
    with monkeypatch.context() as crowded:
        crowded.setattr(tasks, "runtime", Full)
        for _time in range(3):
            with pytest.raises(Busy):
                tasks.generate(generation_id=str(generation.pk))
    assert kinds(generation) == ["started", "queue"]
    run(generation)
    told = kinds(generation)
    assert (generation.state, generation.restarts) == ("succeeded", 0)
    assert told.count("started") == 2
    assert told.index("started", 1) < told.index("preview")
    assert "restarted" not in told


def test_who_waits_behind_one_that_is_cancelled_hears_of_it() -> None:
    model = testing.make_creation_model()
    first, second = asked(model=model), asked(model=model)
    actions.cancel(actor=first.viewer, generation_id=first.pk)
    assert kinds(first) == ["cancelled"]
    assert kinds(second) == ["queue"]


def test_a_page_that_was_left_stops_it(engine: Any, hasty: None) -> None:
    generation = asked()
    Watch.objects.create(topic=generation.topic, until=timezone.now() - timedelta(seconds=1))
    stand_in = engine(lambda _emit: None)
    run(generation)
    assert (generation.state, generation.error_code) == ("cancelled", "left")
    assert len(stand_in.emitted) < 5
    assert not Output.objects.exists()


def test_what_nobody_ever_watched_goes_on(hasty: None) -> None:
    generation = asked()
    run(generation)
    assert generation.state == "succeeded"


def test_after_a_restart_pages_have_time_to_come_back() -> None:
    generation = asked()
    work.claim(generation.pk)
    again = work.claim(generation.pk)
    assert again is not None
    assert again.restarts == 1
    Watch.objects.create(topic=generation.topic, until=timezone.now() - timedelta(seconds=1))
    now = [100.0]
    told = news.News(again, clock=lambda: now[0])
    now[0] += news.RETURN_SECONDS - 1
    told(Progress(stage="writing", done=1, planned=9))
    now[0] += 2
    with pytest.raises(Cancelled):
        told(Progress(stage="writing", done=2, planned=9))
    assert told.stopping == "left"


def test_what_a_program_asked_for_goes_on_when_a_page_is_left(hasty: None) -> None:
    generation = asked(via_api=True)
    Watch.objects.create(topic=generation.topic, until=timezone.now() - timedelta(seconds=1))
    run(generation)
    assert generation.state == "succeeded"


def test_cancelling_while_it_is_written_stops_it_and_keeps_the_count(engine: Any, hasty: None) -> None:
    generation = asked()

    def cancelled(emit: Emit) -> None:
        actions.cancel(actor=generation.viewer, generation_id=generation.pk)
        emit(Progress(stage="writing", done=1, planned=2))

    engine(cancelled)
    run(generation)
    assert generation.state == "cancelled"
    assert not Output.objects.exists()
    assert sorted(SampleCount.objects.values_list("used", flat=True)) == [2, 2]
    assert kinds(generation)[-1] == "cancelled"


def test_an_engine_that_stops_by_itself_is_tried_again(engine: Any) -> None:
    generation = asked()

    def shutting_down(_emit: Emit) -> None:
        raise Cancelled

    engine(shutting_down)
    with pytest.raises(tasks.Interrupted):
        tasks.generate(generation_id=str(generation.pk))
    generation.refresh_from_db()
    assert generation.state == "running"


def test_what_is_no_longer_offered_is_not_made() -> None:
    model = testing.make_creation_model()
    first, second = asked(model=model), asked(model=model)
    Version.objects.filter(pk=model.version_id).update(state=Version.State.PAUSED, paused_because="A work is gone.")
    run(first)
    Version.objects.filter(pk=model.version_id).update(state=Version.State.READY)
    CreationModel.objects.filter(pk=model.pk).update(state=CreationModel.State.RETIRED)
    run(second)
    for generation in (first, second):
        assert generation.state == "failed"
        assert generation.remedy
    assert not Output.objects.exists()
    assert quota.left(first.viewer, model).here == model.samples_a_day


def erase(generation: Generation) -> None:
    version = generation.version
    owner = generation.creation_model.creator.user
    studio.erase_version(actor=owner, version_id=version.pk, confirm_name=str(version))
    erase_adapter(version_id=version.pk)


def test_a_version_erased_while_it_writes_is_stopped_at_once(engine: Any, hasty: None) -> None:
    generation = asked()
    stand_in = engine(lambda _emit: None)
    stand_in.first_word = lambda: erase(generation)
    run(generation)
    assert (generation.state, generation.error_code) == ("failed", "erased")
    assert generation.remedy
    assert len(stand_in.emitted) < 5
    assert not Output.objects.exists()
    assert sorted(SampleCount.objects.values_list("used", flat=True)) == [0, 0]


def test_what_an_erased_version_still_wrote_is_not_kept(engine: Any) -> None:
    generation = asked()
    engine(lambda _emit: erase(generation))
    run(generation)
    assert (generation.state, generation.error_code) == ("failed", "erased")
    assert not Output.objects.exists()
    assert not Record.objects.exists()


def test_previews_are_gathered_and_published_no_faster_than_the_clock() -> None:
    generation = asked()
    claimed = work.claim(generation.pk)
    assert claimed is not None
    now = [100.0]
    told = news.News(claimed, clock=lambda: now[0])
    for step, word in enumerate(("one", " two", " three", " four")):
        now[0] = 100.0 + step * 0.03
        told(Preview(sample=step % 2, payload={"append": word}))
    told.flush()
    found = LiveEvent.objects.filter(topic=generation.topic, kind="preview").order_by("id")
    assert [(row.data["sample"], row.data["payload"]["append"]) for row in found] == [
        (0, "one"),
        (0, " three"),
        (1, " two four"),
    ]


def test_a_lost_job_is_queued_again() -> None:
    generation = asked()
    over = testing.make_samples()
    Generation.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    from procrastinate.contrib.django.models import ProcrastinateJob

    jobs = ProcrastinateJob.objects.filter(args__generation_id=str(generation.pk))
    tasks.take_up_lost_generations(timestamp=0)
    assert jobs.count() == 1
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    tasks.take_up_lost_generations(timestamp=0)
    assert jobs.count() == 1
    assert not ProcrastinateJob.objects.filter(args__generation_id=str(over.pk)).exists()


def test_an_exclusive_sale_withdraws_every_output_of_the_same_bytes_now_and_later() -> None:
    model, viewer = testing.make_creation_model(), make_user()
    first = testing.make_samples(model, viewer, samples=1)
    again = testing.make_samples(model, viewer, samples=1, source=first.pk, again=True)
    sold = first.outputs.get()
    for _time in range(2):
        actions.withdraw_output(output_id=sold.pk, because="Sold exclusively.")
    later = testing.make_samples(model, viewer, samples=1, source=first.pk, again=True)
    states = {generation.outputs.get().state for generation in (first, again, later)}
    assert states == {"withdrawn"}
    assert Event.objects.filter(name="generation.output_withdrawn").count() == 2
    assert Occurrence.objects.filter(record__sha256=sold.blob_id).count() == 3
    assert Record.objects.filter(sha256=sold.blob_id).count() == 1


def test_a_withdrawn_piece_leaves_the_showcase() -> None:
    model = testing.make_creation_model()
    output = testing.make_playground(model, samples=1).outputs.get()
    actions.showcase(actor=model.creator.user, output_id=output.pk)
    actions.withdraw_output(output_id=output.pk, because="Sold exclusively.")
    output.refresh_from_db()
    assert output.showcased_at is None
    with pytest.raises(actions.Conflict):
        actions.showcase(actor=model.creator.user, output_id=output.pk)


def test_an_unknown_generation_is_no_error() -> None:
    tasks.generate(generation_id=str(uuid.uuid4()))
    assert not Generation.objects.exists()
