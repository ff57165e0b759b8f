"""Words that are drawn while they are typed: what is shown, what counts, and that only what is kept becomes a piece."""

from __future__ import annotations

import base64
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from atelier.market.accounts.models import User
from atelier.market.core import blobs
from atelier.market.core.errors import Conflict, Invalid, MarketError, Missing, TooMany
from atelier.market.core.models import AuditEntry, Blob, LiveEvent
from atelier.market.core.testing import client_of, make_user
from atelier.market.generation import actions, drafts, lineage, quota, tasks, testing
from atelier.market.generation.models import Draft, Generation, Output, Pick, SampleCount
from atelier.market.studio.models import CreationModel, Version
from atelier.workshop import contract
from atelier.workshop.contract import Busy, GenerateSpec

pytestmark = pytest.mark.django_db

DRAW = "atelier.market.generation.tasks.draw"


@pytest.fixture
def output(model: CreationModel, viewer: User) -> Output:
    return testing.make_samples(model, viewer, samples=1).outputs.get()


@pytest.fixture
def key() -> uuid.UUID:
    return uuid.uuid4()


def wish(subject: str = "A fair", **more: Any) -> actions.Wish:
    return actions.Wish(**{"brief": testing.brief(subject), "samples": 1, "key": uuid.uuid4().hex, **more})


def typed(output: Output, actor: User, key: uuid.UUID, subject: str = "A fair", way: str = "words") -> uuid.UUID:
    return drafts.follow(actor=actor, output_id=output.pk, way=way, key=key, wish=wish(subject))


def drawn(key: uuid.UUID) -> dict[str, Any]:
    """Run the draft's job; what the page heard last."""
    tasks.draw(draft_id=str(key))
    return heard(key)


def heard(key: uuid.UUID) -> dict[str, Any]:
    (event,) = LiveEvent.objects.filter(topic__startswith="draft:", topic__endswith=str(key), kind="drawn")
    return dict(event.data)


def jobs() -> int:
    return ProcrastinateJob.objects.filter(task_name=DRAW, status="todo").count()


def everything() -> tuple[object, ...]:
    """What a denied request must leave as it was."""
    counted = list(SampleCount.objects.order_by("pk").values_list("pk", "used"))
    stored = [rows.objects.count() for rows in (Draft, Generation, Output, Pick, Blob, AuditEntry, LiveEvent)]
    return (*stored, counted, jobs(), list(Draft.objects.values_list("pk", "state", "states", "answered")))


def form(key: uuid.UUID, subject: str = "A fair", **more: str) -> dict[str, str]:
    return {"brief_subject": subject, "brief_shape": "any", "samples": "1", "key": str(key), **more}


def test_the_page_hears_a_reduced_picture_of_the_typed_words_and_nothing_else_is_stored(
    output: Output, viewer: User, key: uuid.UUID
) -> None:
    stored = (Generation, Output, Blob, Pick)
    before = [rows.objects.count() for rows in stored]
    state = typed(output, viewer, key, "A fair")
    news = drawn(key)
    assert news["state"] == str(state)
    assert "A fair" in news["told"]
    assert news["image"].startswith("data:image/")
    assert (news["width"], news["height"]) == (output.reduced["width"], output.reduced["height"])
    assert sorted(news) == ["height", "image", "sample", "state", "told", "width"]
    assert [rows.objects.count() for rows in stored] == before


def test_no_more_of_a_draft_is_shown_than_of_a_sample(
    output: Output, viewer: User, key: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    CreationModel.objects.update(reveal_percent=20)
    asked: list[GenerateSpec] = []
    engine = type(contract.engine("sketch"))
    generate = engine.generate

    def noted(self: Any, adapter: Any, spec: GenerateSpec, *more: Any) -> Any:
        asked.append(spec)
        return generate(self, adapter, spec, *more)

    monkeypatch.setattr(engine, "generate", noted)
    typed(output, viewer, key)
    news = drawn(key)
    assert [spec.reveal for spec in asked] == [0.2]
    assert news["width"] < output.reduced["width"]


def test_words_that_stand_no_more_are_not_drawn_and_never_told(output: Output, viewer: User, key: uuid.UUID) -> None:
    typed(output, viewer, key, "First")
    early = drafts.unanswered(key)
    assert early is not None
    state = typed(output, viewer, key, "Second")
    assert jobs() == 1
    drafts.show(early, {"told": "First"})
    assert not LiveEvent.objects.filter(kind="drawn").exists()
    assert (drawn(key)["state"], "Second" in heard(key)["told"]) == (str(state), True)
    drafts.show(early, {"told": "First"})
    assert "Second" in heard(key)["told"]


def test_one_job_is_at_a_form_however_much_is_typed(output: Output, viewer: User, key: uuid.UUID) -> None:
    for number in range(5):
        typed(output, viewer, key, f"Words {number}")
    assert jobs() == 1
    assert "Words 4" in drawn(key)["told"]
    typed(output, viewer, key, "More")
    assert jobs() == 2


def test_words_typed_while_others_are_drawn_are_drawn_by_the_same_job(
    output: Output, viewer: User, key: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(output, viewer, key, "First")
    make, made = tasks._drawn, list[str]()

    def meanwhile(generation: Generation) -> dict[str, Any]:
        made.append(generation.brief["subject"])
        if len(made) == 1:
            typed(output, viewer, key, "Second")
        return make(generation)

    monkeypatch.setattr(tasks, "_drawn", meanwhile)
    assert "Second" in drawn(key)["told"]
    assert made == ["First", "Second"]
    assert jobs() == 1


def test_a_worker_killed_while_it_draws_leaves_nothing_stuck(
    output: Output, viewer: User, key: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = typed(output, viewer, key, "Killed")

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "_drawn", _raising(SystemExit()))
        with pytest.raises(SystemExit):
            tasks.draw(draft_id=str(key))
    assert drawn(key)["state"] == str(state)
    # Where the job itself is lost, the next key finds that nobody answered, and queues another.
    typed(output, viewer, key, "Lost")
    ProcrastinateJob.objects.filter(task_name=DRAW).delete()
    Draft.objects.update(queued_at=timezone.now() - drafts.LOST_AFTER - timedelta(seconds=1))
    typed(output, viewer, key, "Found")
    assert jobs() == 1
    assert "Found" in drawn(key)["told"]


def test_the_database_going_away_is_tried_again(
    output: Output, viewer: User, key: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(output, viewer, key)
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "_drawn", _raising(OperationalError()))
        with pytest.raises(OperationalError):
            tasks.draw(draft_id=str(key))
    assert "image" in drawn(key)


def test_what_is_typed_counts_once_and_is_returned_for_what_is_kept(
    output: Output, model: CreationModel, viewer: User, key: uuid.UUID
) -> None:
    left = quota.left(viewer, model).here
    for number in range(3):
        typed(output, viewer, key, f"Words {number}")
        drawn(key)
    assert quota.left(viewer, model).here == left - 1
    made = drafts.keep(actor=viewer, output_id=output.pk, way="words", key=key, wish=wish("Words 2"))
    assert quota.left(viewer, model).here == left - 1
    assert not Draft.objects.exists()
    assert testing.finished(made).state == "succeeded"
    assert list(AuditEntry.objects.filter(verb="generation.drafted").values_list("data", flat=True)) == [
        {"way": "words", "states": 0}
    ]


def test_many_pictures_count_as_more_samples_until_the_days_are_used_up(
    output: Output, model: CreationModel, viewer: User, key: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "STATES_A_SAMPLE", 3)
    CreationModel.objects.filter(pk=model.pk).update(samples_a_day=3)
    for number in range(6):
        typed(output, viewer, key, f"Words {number}")
    assert quota.left(viewer, CreationModel.objects.get(pk=model.pk)).here == 0
    before = everything()
    with pytest.raises(TooMany):
        typed(output, viewer, key, "One more")
    assert everything() == before
    # What was counted last makes room for what is kept.
    drafts.keep(actor=viewer, output_id=output.pk, way="words", key=key, wish=wish("Words 5"))
    assert quota.left(viewer, CreationModel.objects.get(pk=model.pk)).here == 0


def test_the_piece_that_is_kept_is_the_one_that_was_shown(output: Output, viewer: User, key: uuid.UUID) -> None:
    typed(output, viewer, key, "A market at night")
    news = drawn(key)
    (piece,) = testing.finished(
        drafts.keep(actor=viewer, output_id=output.pk, way="words", key=key, wish=wish("A market at night"))
    ).outputs.all()
    assert "A market at night" in blobs.read(piece.blob).decode()
    assert piece.reduced["told"] == news["told"]
    assert piece.picture is not None
    assert blobs.read(piece.picture) == base64.b64decode(news["image"].partition(",")[2])
    assert (piece.generation.parent, piece.generation.vary_way) == (output, "words")


def test_keeping_twice_keeps_once(output: Output, model: CreationModel, viewer: User, key: uuid.UUID) -> None:
    typed(output, viewer, key)
    left = quota.left(viewer, model).here
    client, address = client_of(viewer), reverse("generation:another", args=[output.pk, "words"])
    first, second = (client.post(address, form(key)) for _click in range(2))
    assert first["Location"] == second["Location"]
    assert Generation.objects.filter(parent=output).count() == 1
    assert quota.left(viewer, model).here == left
    assert Pick.objects.count() <= 1
    # A job that was still at the draft finds nothing to tell.
    tasks.draw(draft_id=str(key))
    assert not LiveEvent.objects.filter(kind="drawn").exists()


def test_a_draft_that_cannot_be_kept_stays(output: Output, model: CreationModel, viewer: User, key: uuid.UUID) -> None:
    typed(output, viewer, key)
    drawn(key)
    CreationModel.objects.filter(pk=model.pk).update(state=CreationModel.State.RETIRED)
    before = everything()
    with pytest.raises(Missing):
        drafts.keep(actor=viewer, output_id=output.pk, way="words", key=key, wish=wish())
    assert everything() == before


def test_without_a_draft_the_form_makes_the_piece_as_before(output: Output, viewer: User, key: uuid.UUID) -> None:
    page = client_of(viewer).get(reverse("generation:another", args=[output.pk, "words"])).content.decode()
    assert "Keep these words" in page
    assert f'href="{reverse("generation:another", args=[output.pk, "words"])}"' in page
    client_of(viewer).post(reverse("generation:another", args=[output.pk, "words"]), form(key))
    made = testing.finished(Generation.objects.get(parent=output))
    assert "A fair" in blobs.read(made.outputs.get().blob).decode()


def test_the_page_asks_by_the_form_and_is_told_where_it_is_wrong(output: Output, viewer: User, key: uuid.UUID) -> None:
    client, address = client_of(viewer), reverse("generation:follow", args=[output.pk, "words"])
    assert client.get(address).status_code == 405
    before = everything()
    answer = client.post(address, form(key, ""))
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["id_brief_subject"])
    assert everything() == before
    answer = client.post(address, form(key))
    assert (answer.status_code, answer.json()["state"]) == (202, str(Draft.objects.get().state))
    assert client.get(reverse("generation:list")).content.decode().count("A fair") == 0


def test_over_the_limit_the_page_is_told_and_nothing_is_drawn(
    output: Output, model: CreationModel, viewer: User, key: uuid.UUID
) -> None:
    CreationModel.objects.filter(pk=model.pk).update(samples_a_day=1)
    before = everything()
    answer = client_of(viewer).post(reverse("generation:follow", args=[output.pk, "words"]), form(key))
    assert answer.status_code == 429
    assert "used up" in answer.json()["errors"][""]
    assert everything() == before


def test_only_who_asked_for_a_sample_tries_words_on_it(output: Output, model: CreationModel, key: uuid.UUID) -> None:
    holder = make_user()
    actions.open_output(output=output, holder=holder)
    before = everything()
    address = reverse("generation:follow", args=[output.pk, "words"])
    for stranger in (make_user(), holder, model.creator.user):
        with pytest.raises(Missing):
            typed(output, stranger, key)
        with pytest.raises(Missing):
            drafts.keep(actor=stranger, output_id=output.pk, way="words", key=key, wish=wish())
        assert client_of(stranger).post(address, form(key)).status_code == 404
    answer = Client().post(address, form(key))
    assert (answer.status_code, "/account/login" in answer["Location"]) == (302, True)
    assert everything() == before


def test_the_key_of_another_form_opens_nothing(output: Output, model: CreationModel, viewer: User) -> None:
    other = make_user()
    theirs, key = testing.make_samples(model, other, samples=1).outputs.get(), uuid.uuid4()
    typed(theirs, other, key, "A secret")
    before = everything()
    with pytest.raises(Conflict):
        typed(output, viewer, key)
    assert everything() == before
    drafts.keep(actor=viewer, output_id=output.pk, way="words", key=key, wish=wish())
    assert Draft.objects.get().viewer == other
    assert Draft.topic_of(viewer.pk, key) != Draft.topic_of(other.pk, key)


@pytest.mark.parametrize("change", ["sold", "paused", "unpublished", "cannot vary", "not live"])
def test_what_is_no_longer_offered_is_not_drawn(
    change: str, output: Output, model: CreationModel, viewer: User, key: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(output, viewer, key, "Before")
    way = "words"
    if change == "sold":
        actions.withdraw_output(output_id=output.pk, because="sold exclusively")
    elif change == "paused":
        Version.objects.filter(pk=output.generation.version_id).update(state=Version.State.PAUSED)
    elif change == "unpublished":
        CreationModel.objects.filter(pk=model.pk).update(state=CreationModel.State.RETIRED)
    elif change == "cannot vary":
        CreationModel.objects.filter(pk=model.pk).update(engine="fake")
    else:
        way = "colours"
    before = everything()
    with pytest.raises((Conflict, Missing, Invalid)):
        typed(output, viewer, key, "After", way)
    assert everything() == before
    if change == "not live":
        return
    # What was asked before is not drawn after it either, and what was never shown does not count.
    left = quota.left(viewer, model).here
    assert sorted(drawn(key)) == ["problem", "sample", "state"]
    assert quota.left(viewer, model).here == left + 1


def test_an_engine_that_fails_says_where_and_is_not_counted_until_something_is_shown(
    output: Output, model: CreationModel, viewer: User, key: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = quota.left(viewer, model).here
    engine = type(contract.engine("sketch"))
    for error, field in ((Busy("No room."), ""), (contract.BriefInvalid("Odd.", where="subject"), "subject")):
        with monkeypatch.context() as patch:
            patch.setattr(engine, "generate", _raising(error))
            typed(output, viewer, key, "Odd")
            assert drawn(key)["problem"]["field"] == field
        assert quota.left(viewer, model).here == left
    with monkeypatch.context() as patch:
        patch.setattr(engine, "generate", _raising(RuntimeError("secret")))
        typed(output, viewer, key, "Odd")
        assert "secret" not in drawn(key)["problem"]["message"]
    typed(output, viewer, key, "Even")
    assert "Even" in drawn(key)["told"]
    assert quota.left(viewer, model).here == left - 1


def _raising(error: BaseException) -> Any:
    def generate(*_each: Any) -> None:
        raise error

    return generate


def test_in_the_playground_it_is_whole_and_not_counted(model: CreationModel, key: uuid.UUID) -> None:
    output = testing.make_playground(model).outputs.first()
    assert output is not None
    typed(output, model.creator.user, key)
    assert "image" in drawn(key)
    assert not SampleCount.objects.filter(viewer=model.creator.user).exists()


def test_words_that_are_not_kept_are_forgotten_after_a_day(output: Output, viewer: User, key: uuid.UUID) -> None:
    typed(output, viewer, key)
    assert drafts.forget() == 0
    Draft.objects.update(queued_at=timezone.now() - drafts.FORGOTTEN_AFTER - timedelta(minutes=1))
    tasks.forget_drafts(timestamp=0)
    assert not Draft.objects.exists()
    typed(output, viewer, key, "Once more")
    assert "Once more" in drawn(key)["told"]


def test_what_is_repeated_is_drawn_by_its_seed(output: Output, viewer: User, key: uuid.UUID) -> None:
    first = testing.finished(lineage.make_another(actor=viewer, output_id=output.pk, way="words", wish=wish("A fair")))
    again = wish("A fair", source=first.pk, again=True)
    drafts.follow(actor=viewer, output_id=output.pk, way="words", key=key, wish=again)
    assert drawn(key)["told"] == first.outputs.get().reduced["told"]
    with pytest.raises(MarketError):
        drafts.follow(
            actor=viewer, output_id=output.pk, way="words", key=uuid.uuid4(), wish=wish(source=uuid.uuid4(), again=True)
        )
    assert Draft.objects.count() == 1
