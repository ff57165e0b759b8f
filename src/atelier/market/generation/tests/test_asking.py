"""Asking for samples: once per key, only what is published, only a brief that fits."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from atelier.market.core.errors import Conflict, Invalid, Missing
from atelier.market.core.models import AuditEntry
from atelier.market.core.testing import make_user
from atelier.market.generation import actions, testing
from atelier.market.generation.models import Generation, Output
from atelier.market.studio.models import CreationModel, Version

pytestmark = pytest.mark.django_db


def nothing_was_asked() -> bool:
    return not Generation.objects.exists() and not AuditEntry.objects.filter(verb="generation.asked").exists()


def test_samples_are_made_for_a_brief() -> None:
    made = testing.make_samples(samples=3)
    assert made.state == Generation.State.SUCCEEDED
    assert [output.sample for output in made.outputs.all()] == [0, 1, 2]
    assert len({output.seed for output in made.outputs.all()}) == 3


def test_the_same_key_asks_once() -> None:
    model, viewer = testing.make_creation_model(), make_user()
    wish = testing.wish(key="clicked-twice")
    first = actions.ask_for_samples(actor=viewer, creation_model=model, wish=wish)
    second = actions.ask_for_samples(actor=viewer, creation_model=model, wish=wish)
    assert first == second
    assert Generation.objects.count() == 1


def test_a_key_used_for_another_brief_is_refused() -> None:
    model, viewer = testing.make_creation_model(), make_user()
    actions.ask_for_samples(actor=viewer, creation_model=model, wish=testing.wish("bread", key="one-key-12"))
    with pytest.raises(Conflict):
        actions.ask_for_samples(actor=viewer, creation_model=model, wish=testing.wish("soup", key="one-key-12"))
    assert [found.brief["subject"] for found in Generation.objects.all()] == ["bread"]


def test_the_same_key_of_two_people_is_two_wishes() -> None:
    model = testing.make_creation_model()
    wish = testing.wish(key="same-for-both")
    for viewer in (make_user(), make_user()):
        actions.ask_for_samples(actor=viewer, creation_model=model, wish=wish)
    assert Generation.objects.count() == 2


@pytest.mark.parametrize("state", [CreationModel.State.DRAFT, CreationModel.State.PAUSED, CreationModel.State.RETIRED])
def test_only_a_published_model_takes_briefs(state: str) -> None:
    model = testing.make_creation_model()
    model.state = state
    model.save()
    with pytest.raises(Missing):
        actions.ask_for_samples(actor=make_user(), creation_model=model, wish=testing.wish())
    assert nothing_was_asked()


def test_a_paused_version_takes_no_briefs() -> None:
    model = testing.make_creation_model()
    Version.objects.filter(pk=model.version_id).update(state=Version.State.PAUSED)
    model.refresh_from_db()
    with pytest.raises(Conflict):
        actions.ask_for_samples(actor=make_user(), creation_model=model, wish=testing.wish())
    assert nothing_was_asked()


@pytest.mark.parametrize(
    ("brief", "field"),
    [
        ({}, "subject"),
        ({"subject": "x" * 301}, "subject"),
        ({"subject": "tea", "format": "opera"}, "format"),
        ({"subject": "tea", "length": 4}, "length"),
        ({"subject": "tea", "length": "forty"}, "length"),
        ({"subject": ["tea"]}, "subject"),
        ({"subject": "tea", "volume": 11}, ""),
        ({"subject": "te\x00a"}, ""),
        ({"subject": "\ud800"}, ""),
        ({"subject": "tea", "length": float("nan")}, ""),
        ({"subject": "tea", "details": "y" * 30_000}, ""),
    ],
)
def test_a_brief_that_does_not_fit_names_its_field(brief: dict[str, object], field: str) -> None:
    model = testing.make_creation_model()
    wish = actions.Wish(brief=brief, samples=1, key=uuid.uuid4().hex)
    with pytest.raises(Invalid) as caught:
        actions.ask_for_samples(actor=make_user(), creation_model=model, wish=wish)
    assert caught.value.field == field
    assert caught.value.message
    assert nothing_was_asked()


@pytest.mark.parametrize("samples", [0, 5, -1])
def test_one_to_four_samples_may_be_asked_for(samples: int) -> None:
    model = testing.make_creation_model()
    with pytest.raises(Invalid) as caught:
        actions.ask_for_samples(actor=make_user(), creation_model=model, wish=testing.wish(samples=samples))
    assert caught.value.field == "samples"
    assert nothing_was_asked()


def test_repeating_makes_the_same_and_varying_makes_others() -> None:
    model, viewer = testing.make_creation_model(), make_user()
    first = testing.make_samples(model, viewer)
    again = testing.make_samples(model, viewer, source=first.pk, again=True)
    other = testing.make_samples(model, viewer, source=first.pk)

    def hashes(generation: Generation) -> list[str]:
        return [output.blob_id for output in generation.outputs.all()]

    assert hashes(again) == hashes(first)
    assert hashes(other) != hashes(first)
    assert again.varies == other.varies == first


def test_a_foreign_brief_cannot_be_repeated() -> None:
    first = testing.make_samples()
    with pytest.raises(Missing):
        actions.ask_for_samples(
            actor=make_user(), creation_model=first.creation_model, wish=testing.wish(source=first.pk, again=True)
        )
    assert Generation.objects.count() == 1


def test_only_the_creator_enters_the_playground() -> None:
    model = testing.make_creation_model()
    assert model.version is not None
    with pytest.raises(Missing):
        actions.try_out(actor=make_user(), version=model.version, wish=testing.wish())
    assert nothing_was_asked()


def test_the_playground_works_before_publishing_and_shows_everything() -> None:
    model = testing.make_creation_model(published=False)
    made = testing.make_playground(model)
    output = made.outputs.first()
    assert output is not None
    assert made.reveal == 1.0
    assert output.reduced["text"].startswith("a bakery:")


def test_a_piece_of_the_playground_is_shown_and_taken_back() -> None:
    model = testing.make_creation_model()
    output = testing.make_playground(model).outputs.first()
    assert output is not None
    actions.showcase(actor=model.creator.user, output_id=output.pk)
    output.refresh_from_db()
    assert output.showcased_at is not None
    actions.take_from_showcase(actor=model.creator.user, output_id=output.pk)
    output.refresh_from_db()
    assert output.showcased_at is None


def test_nobody_else_shows_a_piece_nor_one_that_was_made_for_a_buyer() -> None:
    model, viewer = testing.make_creation_model(), make_user()
    theirs = testing.make_samples(model, viewer).outputs.first()
    playground = testing.make_playground(model).outputs.first()
    assert theirs is not None
    assert playground is not None
    for actor, output in ((viewer, playground), (viewer, theirs), (model.creator.user, theirs)):
        with pytest.raises(Missing):
            actions.showcase(actor=actor, output_id=output.pk)
    assert not Output.objects.exclude(showcased_at=None).exists()


def test_a_form_sent_twice_leads_to_one_generation(client: Client) -> None:
    model = testing.make_creation_model()
    client.force_login(make_user())
    page = client.get(f"/models/{model.pk}/brief/")
    sent = {"brief_subject": "tea", "brief_format": "tagline", "samples": "2", "key": str(uuid.uuid4())}
    assert page.status_code == 200
    answers = [client.post(f"/models/{model.pk}/brief/", sent) for _click in range(2)]
    assert answers[0].status_code == 302
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    changed = client.post(f"/models/{model.pk}/brief/", {**sent, "brief_subject": "coffee"})
    assert changed.headers["Location"] != answers[0].headers["Location"]
    assert Generation.objects.count() == 2


def test_what_was_typed_stays_and_errors_stand_at_their_field(client: Client) -> None:
    model = testing.make_creation_model()
    client.force_login(make_user())
    sent = {"brief_subject": "tea", "brief_length": "4000", "samples": "2", "key": str(uuid.uuid4())}
    page = client.post(f"/models/{model.pk}/brief/", sent)
    assert page.status_code == 422
    assert "brief_length" in page.context["form"].errors
    assert b'value="tea"' in page.content
    assert nothing_was_asked()


def test_an_error_of_the_engine_stands_at_its_field_when_the_brief_is_opened_again(client: Client) -> None:
    model, viewer = testing.make_creation_model(subjects_refused=["tobacco"]), make_user()
    refused = testing.make_samples(model, viewer, subject="fine tobacco")
    client.force_login(viewer)
    page = client.get(f"/generations/{refused.pk}/vary/")
    assert page.status_code == 200
    assert "tobacco" in str(page.context["form"].errors["brief_subject"])
    assert page.context["form"]["brief_subject"].value() == "fine tobacco"
