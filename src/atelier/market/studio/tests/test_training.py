import threading
import time
from collections.abc import Callable

import pytest
from django.db import connections

from atelier.market.core.errors import Conflict, Invalid, Missing
from atelier.market.core.models import AuditEntry, LiveEvent
from atelier.market.core.testing import make_creator
from atelier.market.studio import actions, queries, tasks
from atelier.market.studio.actions.running import ATTEMPTS_MOST
from atelier.market.studio.adapters import adapter_folder
from atelier.market.studio.models import Dataset, TrainingRun, Version
from atelier.market.studio.tasks import train_version
from atelier.market.studio.testing import key, make_model, make_run, make_version
from atelier.market.works import actions as works_actions
from atelier.market.works.testing import make_works, send, some_texts
from atelier.workshop.contract import Cancelled, Progress, WorkshopError
from atelier.workshop.runtime import runtime

pytestmark = pytest.mark.django_db


def test_a_training_makes_a_numbered_version_with_its_proof_and_becomes_the_models_first() -> None:
    run = make_run(make_model())
    train_version(run_id=run.pk)
    version = Version.objects.get(run=run)
    model, run = version.creation_model, version.run
    assert (version.number, version.state, model.version_id) == (1, "ready", version.pk)
    assert (run.state, run.done, run.attempt) == ("succeeded", run.planned, 1)
    assert len(run.curve) == 20
    assert set(version.evaluation) >= {"fidelity", "worth", "copying", "safety", "held_out"}
    works = queries.proof_works(version)
    assert len(works["held_out"]) + len(works["trained_on"]) == 10
    assert version.card["dataset_sha256"] == run.dataset.sha256
    kinds = set(LiveEvent.objects.filter(topic=run.topic).values_list("kind", flat=True))
    assert {"state", "progress"} <= kinds


def test_the_dataset_is_frozen_with_the_words_of_that_day() -> None:
    creator = make_creator()
    works = make_works(creator, 5)
    run = make_run(make_model(creator), works)
    before = run.dataset.sha256
    works_actions.edit_work(actor=creator.user, work_id=works[0].pk, title="Renamed")
    assert run.dataset.items.first().title == "Piece 1"
    actions.cancel_run(actor=creator.user, run_id=run.pk)
    later = make_run(run.creation_model, works)
    assert later.dataset.sha256 != before
    assert later.dataset.items.first().title == "Renamed"


def test_a_double_click_makes_one_run() -> None:
    creator = make_creator()
    works, model, twice = make_works(creator, 5), make_model(creator), key()
    ask = {"actor": creator.user, "creation_model_id": model.pk, "work_ids": [w.pk for w in works]}
    assert actions.start_training(**ask, idempotency_key=twice) == actions.start_training(**ask, idempotency_key=twice)
    assert TrainingRun.objects.count() == Dataset.objects.count() == 1
    with pytest.raises(Conflict):
        actions.start_training(**ask, idempotency_key=key())
    assert TrainingRun.objects.count() == Dataset.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_moment_make_one_run() -> None:
    creator = make_creator()
    works, model, twice = make_works(creator, 5), make_model(creator), key()
    gate, found = threading.Barrier(4), []

    def click() -> None:
        try:
            gate.wait()
            found.append(
                actions.start_training(
                    actor=creator.user,
                    creation_model_id=model.pk,
                    work_ids=[w.pk for w in works],
                    idempotency_key=twice,
                ).pk
            )
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert TrainingRun.objects.count() == Dataset.objects.count() == 1


def test_works_without_consent_held_copies_and_near_copies_cannot_be_trained_on() -> None:
    creator, text = make_creator(), some_texts(1, seed=5)[0]
    send(make_creator(), "original.txt", text.encode())
    held = send(creator, "copy.txt", text.encode()).works.get()
    plain = some_texts(1, seed=6)[0]
    send(creator, "mine.txt", plain.encode())
    near = send(creator, "near.txt", plain.replace("The", "A", 1).encode()).works.get()
    works = make_works(creator, 6)
    works_actions.revoke_consent(actor=creator.user, work_ids=[works[0].pk])
    model = make_model(creator)
    reasons = {choice.work.pk: choice.why_not for choice in queries.choices_for(model)}
    for barred in (held, near, works[0]):
        assert reasons[barred.pk]
        with pytest.raises(Invalid) as caught:
            make_run(model, [*works[1:], barred])
        assert caught.value.code == "not_trainable"
    assert reasons[works[1].pk] == ""
    assert not TrainingRun.objects.exists()
    assert not Dataset.objects.exists()


def test_foreign_works_and_too_few_works_are_refused() -> None:
    creator = make_creator()
    model, foreign = make_model(creator), make_works(make_creator(), 5)
    with pytest.raises(Missing):
        make_run(model, foreign)
    with pytest.raises(Invalid) as caught:
        make_run(model, make_works(creator, 3, seed=3))
    assert caught.value.code == "too_few_works"
    assert not TrainingRun.objects.exists()


def test_nobody_trains_cancels_or_retries_for_another() -> None:
    run = make_run(make_model())
    thief = make_creator().user
    for deed in (
        lambda: actions.cancel_run(actor=thief, run_id=run.pk),
        lambda: actions.retry_run(actor=thief, run_id=run.pk, idempotency_key=key()),
        lambda: actions.start_training(
            actor=thief, creation_model_id=run.creation_model_id, work_ids=[1], idempotency_key=key()
        ),
        lambda: queries.run_for(thief, run.pk),
    ):
        with pytest.raises(Missing):
            deed()
    run.refresh_from_db()
    assert (run.state, run.cancel_requested) == ("queued", False)


def test_a_revoked_work_leaves_every_future_dataset() -> None:
    version = make_version()
    creator = version.creation_model.creator
    item = version.run.dataset.items.first()
    works_actions.revoke_consent(actor=creator.user, work_ids=[item.work_id])
    usable = [choice.work for choice in queries.choices_for(version.creation_model) if not choice.why_not]
    assert item.work not in usable
    run = make_run(version.creation_model, usable)
    assert item.work_id not in run.dataset.items.values_list("work_id", flat=True)


def test_a_queued_run_is_cancelled_at_once_and_its_job_does_nothing() -> None:
    run = make_run(make_model())
    actions.cancel_run(actor=run.creation_model.creator.user, run_id=run.pk)
    train_version(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("cancelled", 0)
    assert not Version.objects.exists()


def during_training(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Have something happen when the engine has reported for the first time."""
    real = runtime().train

    def train(engine: str, spec: object, workspace: object, report: Callable[[Progress], None]) -> object:
        report(Progress(stage="learning", done=0, planned=2))
        happens()
        report(Progress(stage="proof", done=1, planned=2))
        return real(engine, spec, workspace, report)

    monkeypatch.setattr(runtime(), "train", train)


def test_a_running_training_stops_when_cancelled_and_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(make_model())
    actor = run.creation_model.creator.user
    with monkeypatch.context() as patch:
        during_training(patch, lambda: actions.cancel_run(actor=actor, run_id=run.pk))
        train_version(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.done) == ("cancelled", 0)
    assert not Version.objects.exists()
    again = key()
    second = actions.retry_run(actor=actor, run_id=run.pk, idempotency_key=again)
    assert actions.retry_run(actor=actor, run_id=run.pk, idempotency_key=again) == second
    assert second.dataset == run.dataset
    train_version(run_id=second.pk)
    assert Version.objects.get().run == second


def test_consent_revoked_during_a_training_stops_it_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(make_model())
    creator, item = run.creation_model.creator, run.dataset.items.first()

    def revoke() -> None:
        works_actions.revoke_consent(actor=creator.user, work_ids=[item.work_id])
        actions.pause_versions_trained_on(item.work_id)

    during_training(monkeypatch, revoke)
    train_version(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("cancelled", "consent_revoked")
    assert item.title in run.error
    assert run.remedy
    assert not Version.objects.exists()


def test_consent_revoked_while_the_version_is_being_made_makes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(make_model())
    creator, item = run.creation_model.creator, run.dataset.items.first()
    real = tasks._train

    def train_then_revoke(*args: object) -> object:
        result = real(*args)
        works_actions.revoke_consent(actor=creator.user, work_ids=[item.work_id])
        return result

    monkeypatch.setattr(tasks, "_train", train_then_revoke)
    train_version(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("cancelled", "consent_revoked")
    assert not Version.objects.exists()


def test_a_queued_run_does_not_start_once_consent_is_revoked() -> None:
    run = make_run(make_model())
    item = run.dataset.items.first()
    works_actions.revoke_consent(actor=run.creation_model.creator.user, work_ids=[item.work_id])
    actions.pause_versions_trained_on(item.work_id)
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("cancelled", "consent_revoked")


def test_a_run_taken_up_after_a_lost_worker_makes_exactly_one_version(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(make_model())
    real = tasks._train

    def lost_then_taken_up(claimed: TrainingRun, scratch: object) -> object:
        result = real(claimed, scratch)
        if claimed.attempt == 1:
            train_version(run_id=run.pk)
        return result

    monkeypatch.setattr(tasks, "_train", lost_then_taken_up)
    train_version(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.attempt) == ("succeeded", 2)
    assert Version.objects.count() == 1
    train_version(run_id=run.pk)
    assert Version.objects.count() == 1


def test_what_a_lost_worker_still_says_is_ignored() -> None:
    run = make_run(make_model())
    lost = actions.claim_run(run.pk)
    taken_up = actions.claim_run(run.pk)
    assert lost is not None
    assert taken_up is not None
    assert (lost.attempt, taken_up.attempt) == (1, 2)
    with pytest.raises(Cancelled):
        tasks.Reporter(lost)(Progress(stage="learning", done=9, planned=10))
    actions.fail_run(run.pk, lost.attempt, code="x", message="x", remedy="x")
    assert actions.close_cancelled(run.pk, lost.attempt)
    run.refresh_from_db()
    assert (run.state, run.done, run.error) == ("running", 0, "")
    assert LiveEvent.objects.filter(topic=run.topic, kind="restarted").count() == 1


def test_a_training_that_loses_its_worker_every_time_ends_and_says_so() -> None:
    creator = make_creator()
    run = make_run(make_model(creator), make_works(creator, 5))
    for _ in range(ATTEMPTS_MOST):
        assert actions.claim_run(run.pk) is not None
    assert actions.claim_run(run.pk) is None
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("failed", "lost")
    assert run.remedy
    assert not Version.objects.exists()


def test_a_closing_worker_leaves_the_run_to_be_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(make_model())

    def closed(*_args: object) -> None:
        raise Cancelled

    monkeypatch.setattr(runtime(), "train", closed)
    with pytest.raises(tasks.WorkerClosing):
        train_version(run_id=run.pk)
    run.refresh_from_db()
    assert run.state == "running"
    monkeypatch.undo()
    train_version(run_id=run.pk)
    assert Version.objects.get().run == run


@pytest.mark.parametrize("error", [WorkshopError("Too odd.", remedy="Mend it."), RuntimeError("secret path")])
def test_a_failed_training_says_why_in_words(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    run = make_run(make_model())

    def fail(*_args: object) -> None:
        raise error

    monkeypatch.setattr(runtime(), "train", fail)
    train_version(run_id=run.pk)
    run.refresh_from_db()
    assert run.state == "failed"
    assert run.error
    assert run.remedy
    assert "secret" not in run.error
    assert not Version.objects.exists()
    assert AuditEntry.objects.filter(verb="studio.fail_run").count() == 1


def test_a_version_is_never_made_of_bytes_that_were_erased_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(make_model())
    real = tasks._train

    def train_then_erase(*args: object) -> object:
        result, files = real(*args)
        assert tasks._erase_file(files[0]["sha256"])
        return result, files

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "_train", train_then_erase)
        train_version(run_id=run.pk)
    run.refresh_from_db()
    assert (run.state, run.error_code) == ("failed", "failed")
    assert not Version.objects.exists()
    again = actions.retry_run(actor=run.creation_model.creator.user, run_id=run.pk, idempotency_key=key())
    train_version(run_id=again.pk)
    assert adapter_folder(Version.objects.get()).is_dir()


def test_a_training_whose_version_cannot_be_written_is_over_and_can_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = make_run(make_model())
    real = tasks._train

    def odd(*args: object) -> object:
        result, files = real(*args)
        return result.model_copy(update={"card": {"figure": float("nan")}}), files

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "_train", odd)
        train_version(run_id=run.pk)
    run.refresh_from_db()
    assert run.state == "failed"
    assert run.remedy
    actions.retry_run(actor=run.creation_model.creator.user, run_id=run.pk, idempotency_key=key())


def test_progress_never_floods_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(make_model())
    claimed = actions.claim_run(run.pk)
    assert claimed is not None
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock) / 100)
    report = tasks.Reporter(claimed)
    for step in range(100):
        report(Progress(stage="learning", done=step, planned=100, metrics={"loss": float(step)}))
    assert LiveEvent.objects.filter(topic=run.topic, kind="progress").count() == 2
    run.refresh_from_db()
    assert (run.done, len(run.curve)) == (50, 51)


def test_trainings_wait_in_line() -> None:
    first, second = make_run(make_model()), make_run(make_model())
    assert (queries.ahead_of(first), queries.ahead_of(second)) == (0, 1)
    actions.claim_run(first.pk)
    assert queries.ahead_of(second) == 1
