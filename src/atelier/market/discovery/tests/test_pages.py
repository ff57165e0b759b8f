"""What anyone sees without signing in."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from atelier.market.core.testing import make_creator, make_user
from atelier.market.discovery.testing import make_listed
from atelier.market.generation import actions as generation
from atelier.market.generation.testing import make_creation_model, make_playground
from atelier.market.studio import actions as studio
from atelier.market.studio.models import CreationModel, TrainingRun

pytestmark = pytest.mark.django_db


def page_of(model: CreationModel) -> str:
    return f"/@{model.creator.handle}/{model.slug}/"


def test_an_empty_market_says_so_and_shows_the_next_step(client: Client) -> None:
    page = client.get("/").content.decode()
    assert "Nothing is offered yet" in page
    assert "Train your own" in page


def test_the_front_page_shows_cover_creator_price_and_an_opening(client: Client) -> None:
    model = make_listed("Bread and light", personal_minor=1234)
    output = make_playground(model, samples=1).outputs.get()
    generation.showcase(actor=model.creator.user, output_id=output.pk)
    page = client.get("/").content.decode()
    assert page_of(model) in page
    assert model.creator.user.name in page
    assert "$12.34 USD" in page
    assert "<svg class=" in page
    assert output.reduced["text"].split("\n")[0][:30] in page


def test_a_model_page_shows_proof_prices_and_guardrails(client: Client) -> None:
    model = make_listed("Bread", subjects_refused=["gambling"], words_never=["cheap"])
    page = client.get(page_of(model)).content.decode()
    assert model.version is not None
    assert model.version.evaluation["summary"] in page
    assert model.version.evaluation["copying"]["sentence"] in page
    for words in ("gambling", "cheap", "$9.00 USD", "$29.00 USD", "$149.00 USD", f"/models/{model.pk}/brief/"):
        assert words in page


def test_a_model_page_speaks_to_buyers_where_the_proof_has_words_for_them(client: Client) -> None:
    model = make_listed("Bread")
    assert model.version is not None
    told = {"summary": "Clearly in your voice.", "summary_public": "Clearly in its creator's voice."}
    model.version.evaluation |= told
    model.version.save()
    page = client.get(page_of(model)).content.decode()
    assert "Clearly in your voice" not in page
    assert "Clearly in its creator&#x27;s voice" in page


def test_pieces_are_shown_only_when_chosen_and_only_while_chosen(client: Client) -> None:
    model = make_listed("Bread")
    shown, hidden = make_playground(model, samples=2).outputs.all()
    generation.showcase(actor=model.creator.user, output_id=shown.pk)
    page = client.get(page_of(model)).content.decode()
    assert f"/{shown.pk}/" in page
    assert str(hidden.pk) not in page
    generation.take_from_showcase(actor=model.creator.user, output_id=shown.pk)
    assert str(shown.pk) not in client.get(page_of(model)).content.decode()


def test_what_is_not_offered_is_not_there_for_anyone(client: Client) -> None:
    paused = make_listed("Paused bread")
    studio.pause_model(actor=paused.creator.user, creation_model_id=paused.pk)
    draft = make_creation_model(name="Draft bread", slug="draft-bread", published=False)
    for model in (paused, draft):
        assert client.get(page_of(model)).status_code == 404
        for path in ("/", "/search/?q=bread", "/categories/copywriting/"):
            assert model.name not in client.get(path).content.decode()
    client.force_login(make_user())
    assert client.get(page_of(paused)).status_code == 404


def test_a_creator_page_shows_only_what_is_offered(client: Client) -> None:
    creator = make_creator("Ada Finch")
    offered = make_listed("Bread", creator)
    make_creation_model(creator, name="Secret draft", slug="secret-draft", published=False)
    page = client.get(f"/@{creator.handle}/").content.decode()
    assert "Ada Finch" in page
    assert offered.name in page
    assert "Secret draft" not in page


def test_a_creator_who_is_not_vetted_has_no_public_page(client: Client) -> None:
    creator = make_creator(vetted=False)
    assert client.get(f"/@{creator.handle}/").status_code == 404
    assert client.get("/@nobody/").status_code == 404


def test_a_search_keeps_its_words_and_filters_and_says_when_nothing_is_found(client: Client) -> None:
    page = client.get("/search/?q=<bread>&category=copywriting").content.decode()
    assert 'value="&lt;bread&gt;"' in page
    assert '<option value="copywriting" selected>' in page
    assert "Nothing found" in page


def test_more_than_a_page_is_spread_over_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from atelier.market.discovery import pages

    monkeypatch.setattr(pages, "A_PAGE", 2)
    creator = make_creator()
    names = [make_listed(f"Bread {number}", creator).name for number in range(3)]
    first = client.get("/search/?q=bread").content.decode()
    second = client.get("/search/?q=bread&page=2").content.decode()
    assert [name in first for name in names].count(True) == 2
    assert [name in second for name in names].count(True) == 1
    assert "q=bread&amp;page=2" in first


def test_unknown_crafts_and_odd_pages_are_answered(client: Client) -> None:
    assert client.get("/categories/no-such-craft/").status_code == 404
    assert client.get("/categories/practice/").status_code == 200
    assert client.get("/search/?page=zz&language=%00&category=%27").status_code == 200


def test_who_is_no_creator_yet_is_led_to_become_one_and_never_to_a_closed_door(client: Client) -> None:
    for user, way in ((None, "/me/creator/"), (make_user(), "/me/creator/"), (make_creator().user, "/studio/")):
        client.logout()
        if user:
            client.force_login(user)
        for path in ("/", "/categories/practice/"):
            page = client.get(path).content.decode()
            assert f'<a class="button" href="{way}">' in page
            assert client.get(way).status_code in {200, 302}


def test_ten_models_need_no_more_queries_than_two(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(4):
        make_listed(f"Bread {number}")
    with django_assert_max_num_queries(8):
        client.get("/")


def test_only_a_demo_shows_training_and_only_that_of_its_own_people(client: Client, settings: LazySettings) -> None:
    ours, theirs = make_creator("Demo Dora"), make_creator("Real Rita")
    ours.user.is_demo = True
    ours.user.save()
    for creator in (ours, theirs):
        model = make_creation_model(creator, name=f"In training by {creator.user.name}", published=False)
        TrainingRun.objects.create(
            creation_model=model, dataset=model.datasets.get(), state="running", done=3, planned=40, seconds_left=90
        )
    assert "In training by" not in client.get("/").content.decode()
    settings.DEMO = True
    page = client.get("/").content.decode()
    assert "In training by Demo Dora" in page
    assert "3 of 40 steps" in page
    assert "In training by Real Rita" not in page
