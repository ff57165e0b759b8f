"""Samples made anew from others, what clients pick among them, and the taste that is learned from it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from atelier.market.accounts.models import User
from atelier.market.billing.testing import buy
from atelier.market.core import blobs
from atelier.market.core.errors import Conflict, Invalid, Missing, TooMany
from atelier.market.core.models import AuditEntry
from atelier.market.core.testing import client_of, make_user
from atelier.market.generation import actions, quota, tasks, testing
from atelier.market.generation.lineage import DEPTH_MOST, ancestor_of, make_another
from atelier.market.generation.models import Generation, Output, Pick
from atelier.market.studio import actions as studio
from atelier.market.studio.models import CreationModel, Version

pytestmark = pytest.mark.django_db


@pytest.fixture
def output(model: CreationModel, viewer: User) -> Output:
    first = testing.make_samples(model, viewer, samples=2).outputs.first()
    assert first is not None
    return first


def wish(**more: Any) -> actions.Wish:
    return actions.Wish(**{"brief": {}, "samples": 1, "key": uuid.uuid4().hex, **more})


def another(output: Output, actor: User, way: str = "colours", **more: Any) -> Generation:
    return make_another(actor=actor, output_id=output.pk, way=way, wish=wish(**more))


def asked_of(output: Output) -> tuple[int, int]:
    return Generation.objects.filter(parent=output).count(), AuditEntry.objects.filter(verb="generation.asked").count()


def test_another_is_made_from_a_sample_by_the_version_that_made_it(output: Output, viewer: User) -> None:
    made = testing.finished(another(output, viewer, samples=2))
    assert made.state == "succeeded", made.error
    assert (made.parent, made.vary_way, made.depth) == (output, "colours", 1)
    assert (made.version_id, made.brief) == (output.generation.version_id, output.generation.brief)
    assert output.seed not in made.seeds
    ancestor = ancestor_of(made)
    assert ancestor is not None
    assert (ancestor.way, ancestor.seed, ancestor.vary) == ("colours", output.seed, None)
    before, after = blobs.read(output.blob).decode(), blobs.read(made.outputs.first().blob).decode()  # type: ignore[union-attr]
    assert before != after
    assert before.count("<") == after.count("<")


def test_the_same_request_makes_the_same_again_a_step_further(output: Output, viewer: User) -> None:
    child = testing.finished(another(output, viewer)).outputs.get()
    grandchild = testing.finished(another(child, viewer, way="words", brief=testing.brief("A fair")))
    ancestor = ancestor_of(grandchild)
    assert ancestor is not None
    assert ancestor.vary is not None
    assert (ancestor.way, ancestor.vary.way, ancestor.vary.seed) == ("words", "colours", output.seed)
    assert "A fair" in blobs.read(grandchild.outputs.get().blob).decode()
    again = another(child, viewer, way="words", brief=testing.brief("A fair"), source=grandchild.pk, again=True)
    testing.finished(again)
    assert again.outputs.get().blob_id == grandchild.outputs.get().blob_id


def test_only_who_asked_for_a_sample_has_another_made(output: Output, model: CreationModel) -> None:
    before = asked_of(output)
    holder = make_user()
    actions.open_output(output=output, holder=holder)
    for stranger in (make_user(), holder, model.creator.user):
        with pytest.raises(Missing):
            another(output, stranger)
        address = reverse("generation:another", args=[output.pk, "colours"])
        assert client_of(stranger).get(address).status_code == 404
        assert client_of(stranger).post(address, {"key": str(uuid.uuid4()), "samples": "1"}).status_code == 404
        answer = client_of(stranger).post(
            f"/api/outputs/{output.pk}/another", {"way": "colours"}, content_type="application/json"
        )
        assert answer.status_code == 404
        assert (
            "Make another like this"
            not in client_of(stranger).get(f"/generations/outputs/{output.pk}/").content.decode()
        )
    assert asked_of(output) == before
    assert not Pick.objects.exists()


@pytest.mark.parametrize(
    ("way", "more", "field"),
    [
        ("upside-down", {}, "way"),
        ("colours", {"brief": {"subject": "another"}}, "brief"),
        ("words", {"brief": {}}, "subject"),
        ("colours", {"samples": 99}, "samples"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_asked(
    output: Output, viewer: User, way: str, more: dict[str, Any], field: str
) -> None:
    before = asked_of(output)
    with pytest.raises(Invalid) as caught:
        another(output, viewer, way, **more)
    assert caught.value.field == field
    assert asked_of(output) == before
    assert not Pick.objects.exists()


def test_a_double_click_asks_once_and_counts_once(output: Output, model: CreationModel, viewer: User) -> None:
    left = quota.left(viewer, model).here
    first = another(output, viewer, key="clicked-twice")
    assert another(output, viewer, key="clicked-twice") == first
    assert quota.left(viewer, model).here == left - 1
    with pytest.raises(Conflict):
        another(output, viewer, "words", key="clicked-twice", brief=output.generation.brief)
    assert asked_of(output)[0] == 1


def test_it_counts_against_the_days_samples(output: Output, model: CreationModel, viewer: User) -> None:
    CreationModel.objects.filter(pk=model.pk).update(samples_a_day=2)
    before = asked_of(output)
    with pytest.raises(TooMany):
        another(output, viewer)
    assert asked_of(output) == before
    assert not Pick.objects.exists()


@pytest.mark.parametrize("change", ["sold", "paused", "unpublished", "too deep"])
def test_what_is_no_longer_offered_is_not_made_anew(
    change: str, output: Output, model: CreationModel, viewer: User
) -> None:
    if change == "sold":
        actions.withdraw_output(output_id=output.pk, because="sold exclusively")
    elif change == "paused":
        Version.objects.filter(pk=output.generation.version_id).update(state=Version.State.PAUSED)
    elif change == "unpublished":
        CreationModel.objects.filter(pk=model.pk).update(state=CreationModel.State.RETIRED)
    else:
        other = testing.make_samples(model, viewer, samples=1).outputs.get()
        Generation.objects.filter(pk=output.generation_id).update(depth=DEPTH_MOST, parent=other, vary_way="colours")
    before = asked_of(output)
    with pytest.raises((Conflict, Missing)):
        another(output, viewer)
    assert asked_of(output) == before
    page = client_of(viewer).get(reverse("generation:detail", args=[output.generation_id])).content.decode()
    assert reverse("generation:another", args=[output.pk, "colours"]) not in page


def test_the_card_offers_each_way_and_one_press_asks(output: Output, viewer: User) -> None:
    client = client_of(viewer)
    page = client.get(reverse("generation:detail", args=[output.generation_id])).content.decode()
    colours, words = (reverse("generation:another", args=[output.pk, way]) for way in ("colours", "words"))
    assert f'action="{colours}"' in page
    assert f'href="{words}"' in page
    answer = client.post(colours, {"key": str(uuid.uuid4()), "samples": "2"})
    made = Generation.objects.get(parent=output)
    assert answer["Location"] == reverse("generation:detail", args=[made.pk])
    assert "The sample this was made from" in client.get(answer["Location"]).content.decode()
    form = client.get(words).content.decode()
    assert 'value="a bakery"' in form
    sent = {"brief_subject": "A fair", "brief_shape": "any", "samples": "1", "key": str(uuid.uuid4())}
    assert client.post(words, {**sent, "brief_subject": ""}).status_code == 422
    assert client.post(words, sent).status_code == 302
    assert Generation.objects.get(parent=output, vary_way="words").brief["subject"] == "A fair"
    repeated = client.get(reverse("generation:repeat", args=[made.pk]))
    assert repeated["Location"] == f"{colours}?repeat={made.pk}"
    form = client.get(repeated["Location"]).content.decode()
    assert "brief_subject" not in form
    assert f'value="{made.pk}"' in form


def test_a_failed_one_is_tried_again_as_it_was(output: Output, viewer: User) -> None:
    failed = another(output, viewer)
    actions.cancel(actor=viewer, generation_id=failed.pk)
    client_of(viewer).post(reverse("generation:try_again", args=[failed.pk]))
    again = Generation.objects.exclude(pk=failed.pk).get(parent=output)
    assert (again.vary_way, again.seeds) == ("colours", failed.seeds)


def test_the_api_has_another_made(output: Output, viewer: User) -> None:
    client = client_of(viewer)
    told = client.get(f"/api/models/{output.generation.creation_model_id}/brief").json()
    assert [way["name"] for way in told["variations"]] == ["colours", "words"]
    for _time in range(2):
        answer = client.post(
            f"/api/outputs/{output.pk}/another",
            {"way": "colours", "samples": 1},
            content_type="application/json",
            headers={"Idempotency-Key": "another-one"},
        )
        assert answer.status_code == 202, answer.content
        assert (answer.json()["parent"], answer.json()["way"]) == (str(output.pk), "colours")
    assert Generation.objects.filter(parent=output).count() == 1


def test_in_the_playground_it_is_not_counted_and_no_pick(model: CreationModel) -> None:
    output = testing.make_playground(model).outputs.first()
    assert output is not None
    made = testing.finished(another(output, model.creator.user))
    assert (made.is_playground, made.reveal, made.state) == (True, 1.0, "succeeded")
    assert not Pick.objects.exists()


def test_a_sample_made_anew_is_a_pick_once_and_teaches_the_engine(
    output: Output, model: CreationModel, viewer: User
) -> None:
    for _time in range(2):
        another(output, viewer)
    pick = Pick.objects.get()
    sibling = output.generation.outputs.exclude(pk=output.pk).get()
    assert (pick.output, pick.because, pick.creation_model) == (output, "varied", model)
    assert (pick.chosen, pick.others) == (output.features, [sibling.features])
    tasks.learn_taste(creation_model_id=model.pk)
    model.refresh_from_db()
    assert model.taste_picks == 1
    assert model.taste.keys() == output.features.keys()
    made = testing.make_samples(model, viewer, samples=1)
    assert made.taste == model.taste
    assert output.generation.taste == {}


def test_a_purchase_is_a_pick(output: Output, viewer: User) -> None:
    buy(output)
    assert Pick.objects.get().because == "bought"
    another(output, viewer)
    assert Pick.objects.get().because == "bought"


def test_where_there_was_no_choice_there_is_no_pick(model: CreationModel, viewer: User) -> None:
    lonely = testing.make_samples(model, viewer, samples=1).outputs.get()
    another(lonely, viewer)
    text = testing.make_samples(viewer=viewer, samples=2).outputs.first()
    assert text is not None
    buy(text)
    assert not Pick.objects.exists()


def test_a_pick_is_never_changed(output: Output, viewer: User) -> None:
    another(output, viewer)
    for deed in (lambda: Pick.objects.update(because="bought"), lambda: Pick.objects.get().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()
    assert Pick.objects.get().because == "varied"


def test_a_taste_learned_from_fewer_picks_never_replaces_one_from_more(model: CreationModel) -> None:
    assert studio.keep_taste(creation_model_id=model.pk, taste={"warm": 1.0, "odd": float("nan")}, picks=5)
    assert not studio.keep_taste(creation_model_id=model.pk, taste={"warm": -1.0}, picks=4)
    model.refresh_from_db()
    assert (model.taste, model.taste_picks) == ({"warm": 1.0}, 5)


def test_an_engine_that_fails_to_learn_leaves_the_taste_as_it_was(
    model: CreationModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.keep_taste(creation_model_id=model.pk, taste={"warm": 1.0}, picks=1)

    class Broken:
        def prefer(self, *_arguments: Any) -> dict[str, float]:
            raise RuntimeError

    monkeypatch.setattr(tasks, "runtime", Broken)
    tasks.learn_taste(creation_model_id=model.pk)
    model.refresh_from_db()
    assert model.taste == {"warm": 1.0}


def test_a_repeat_has_the_taste_of_before(output: Output, model: CreationModel, viewer: User) -> None:
    studio.keep_taste(creation_model_id=model.pk, taste={"warm": 1.0}, picks=1)
    model.refresh_from_db()
    source = output.generation
    repeated = actions.Wish(brief=source.brief, samples=2, key=uuid.uuid4().hex, source=source.pk, again=True)
    again = testing.finished(actions.ask_for_samples(actor=viewer, creation_model=model, wish=repeated))
    assert again.taste == {}
    assert [out.blob_id for out in again.outputs.all()] == [out.blob_id for out in source.outputs.all()]
