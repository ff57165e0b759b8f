"""What is found, in which order, and what never is."""

from __future__ import annotations

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from atelier.config.subscriptions import SUBSCRIPTIONS
from atelier.market.accounts import actions as accounts
from atelier.market.core import events
from atelier.market.core.models import Event
from atelier.market.core.testing import make_creator
from atelier.market.discovery import search as searching
from atelier.market.discovery import tasks
from atelier.market.discovery.actions import index_model
from atelier.market.discovery.models import Listing, SearchMeaning
from atelier.market.discovery.search import fused, search, tidy
from atelier.market.discovery.testing import direction, make_listed
from atelier.market.generation import actions as generation
from atelier.market.generation.testing import make_playground
from atelier.market.studio import actions as studio
from atelier.market.studio.models import Version

pytestmark = pytest.mark.django_db


class Encoder:
    """A runtime whose sentences lie where the test says."""

    def __init__(self, vectors: dict[str, list[float]]) -> None:
        self.vectors = vectors

    def sentence_vectors(self, texts: list[str]) -> list[list[float]]:
        return [self.vectors[text] for text in texts]


def test_a_name_weighs_more_than_a_mention() -> None:
    mentioned = make_listed("Warm lines", about="Texts for bakeries, among others a garden shop.")
    named = make_listed("Garden prose", about="Texts for everyone.")
    assert search("garden") == [named.pk, mentioned.pk]


def test_words_are_found_in_other_forms_and_without_accents() -> None:
    model = make_listed("Café letters", about="Taglines that were polished.", tags=["élan"])
    for query in ("tagline", "cafe", "CAFÉ letter", "elan", "polish"):
        assert search(query) == [model.pk], query


def test_search_operators_of_the_web_work() -> None:
    warm = make_listed("Warm bread", about="bakery")
    cold = make_listed("Cold steel", about="bakery knives")
    assert search("bakery -knives") == [warm.pk]
    assert search('"cold steel"') == [cold.pk]
    assert set(search("bread OR steel")) == {warm.pk, cold.pk}


def test_a_typing_mistake_still_finds() -> None:
    model = make_listed("Restaurant menus")
    make_listed("Garden prose")
    assert search("restuarant") == [model.pk]


def test_the_creator_and_the_craft_are_searched_too() -> None:
    creator = make_creator("Wilhelmina Quist")
    model = make_listed("Plain", creator)
    make_listed("Other", category="practice")
    assert search("wilhelmina") == [model.pk]
    assert search("copywriting") == [model.pk]


def test_meaning_finds_what_no_word_says() -> None:
    near = make_listed("Garden prose", meaning=direction(1, 2))
    nearer = make_listed("Orchard prose", meaning=direction(1))
    make_listed("Steel prose", meaning=direction(9))
    SearchMeaning.objects.create(query="things that grow", meaning=direction(1))
    assert search("Things  that GROW") == [nearer.pk, near.pk]


def test_what_both_words_and_meaning_find_comes_first() -> None:
    words_only = make_listed("Bread", meaning=direction(9))
    both = make_listed("On bread", about="bread and rolls", meaning=direction(1))
    meaning_only = make_listed("Loaves", meaning=direction(1, 2))
    SearchMeaning.objects.create(query="bread", meaning=direction(1))
    assert search("bread")[0] == both.pk
    assert set(search("bread")) == {words_only.pk, both.pk, meaning_only.pk}


def test_rankings_are_fused_by_place_not_by_score() -> None:
    assert fused([[1, 2, 3], [3, 4]]) == [3, 1, 2, 4]
    assert fused([[], []]) == []
    assert fused([[5, 4], [4, 5]]) == [4, 5]


def test_without_a_worker_words_alone_are_used_and_the_meaning_is_asked_for_once() -> None:
    model = make_listed("Bread")
    asked = ProcrastinateJob.objects.filter(task_name=tasks.read_query.name)
    assert search("bread") == [model.pk]
    assert search("bread") == [model.pk]
    assert [job.args for job in asked] == [{"query": "bread"}]


def test_nobody_can_make_the_worker_read_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST_WAITING", 3)
    for number in range(8):
        search(f"query {number}")
    assert ProcrastinateJob.objects.filter(task_name=tasks.read_query.name).count() == 3


def test_the_worker_reads_queries_and_listings(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_listed("Bread")
    text = Listing.objects.get(creation_model=model).text
    monkeypatch.setattr(tasks, "runtime", lambda: Encoder({text: direction(1), "rolls": direction(1)}))
    search("rolls")
    tasks.read_query(query="rolls")
    tasks.read_listing(creation_model_id=model.pk)
    assert search("rolls") == [model.pk]


def test_a_text_that_changed_while_it_was_read_gets_no_stale_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_listed("Bread")

    class Slow:
        def sentence_vectors(self, texts: list[str]) -> list[list[float]]:
            Listing.objects.filter(creation_model=model).update(text="changed meanwhile")
            return [direction(1)]

    monkeypatch.setattr(tasks, "runtime", Slow)
    tasks.read_listing(creation_model_id=model.pk)
    assert Listing.objects.get(creation_model=model).meaning is None


@pytest.mark.parametrize("leave", [studio.pause_model, studio.retire_model])
def test_a_model_that_left_the_market_is_not_found_even_before_the_index_hears(leave: object) -> None:
    model = make_listed("Bread", meaning=direction(1))
    SearchMeaning.objects.create(query="bread", meaning=direction(1))
    leave(actor=model.creator.user, creation_model_id=model.pk)  # type: ignore[operator]
    assert search("bread") == []
    assert Listing.objects.filter(creation_model=model).exists()
    index_model(model.pk)
    assert not Listing.objects.filter(creation_model=model).exists()


def test_a_draft_and_a_model_with_a_paused_version_are_not_found() -> None:
    draft = make_listed("Bread draft", published=False)
    paused = make_listed("Bread paused")
    Version.objects.filter(creation_model=paused).update(state=Version.State.PAUSED)
    assert search("bread") == []
    assert search("") == []
    assert not Listing.objects.filter(creation_model=draft).exists()


def test_indexing_twice_changes_nothing_and_keeps_the_meaning() -> None:
    model = make_listed("Bread", meaning=direction(1))
    before = Listing.objects.get(creation_model=model)
    index_model(model.pk)
    after = Listing.objects.get(creation_model=model)
    assert (after.pk, after.text, after.words) == (before.pk, before.text, before.words)
    assert list(after.meaning) == pytest.approx(direction(1))


def test_a_changed_text_is_found_anew_and_its_old_meaning_forgotten() -> None:
    model = make_listed("Bread", meaning=direction(1))
    model.name = "Steel"
    model.save()
    index_model(model.pk)
    assert search("bread") == []
    assert search("steel") == [model.pk]
    assert Listing.objects.get(creation_model=model).meaning is None


def test_a_creator_is_found_under_a_new_name_and_headline_and_no_longer_under_the_old() -> None:
    creator = make_creator("Wilhelmina Quist")
    model = make_listed("Plain", creator)
    draft = make_listed("Draft", creator, published=False)
    accounts.rename(actor=creator.user, name="Ada Finch")
    accounts.save_creator(actor=creator.user, handle=creator.handle, headline="Lighthouses", about="", languages=["en"])
    told = Event.objects.filter(name="accounts.creator_changed")
    assert told.count() == 2
    for event in told:
        events.hand_over(event.pk, "atelier.market.discovery.actions.index_creator")
    for query in ("finch", "lighthouse"):
        assert search(query) == [model.pk], query
    assert search("wilhelmina") == []
    assert not Listing.objects.filter(creation_model=draft).exists()
    subscribed = {(known.name, known.handler) for known in SUBSCRIPTIONS}
    assert ("accounts.creator_changed", "atelier.market.discovery.actions.index_creator") in subscribed


def test_briefs_of_shown_pieces_are_searched_and_no_other_briefs() -> None:
    model = make_listed("Plain")
    shown = make_playground(model, subject="a lighthouse keeper", samples=1).outputs.get()
    make_playground(model, subject="a secret launch", samples=1)
    generation.showcase(actor=model.creator.user, output_id=shown.pk)
    index_model(model.pk)
    assert search("lighthouse") == [model.pk]
    assert search("launch") == []


def test_filters_narrow_by_craft_and_language() -> None:
    french = make_creator()
    french.languages = ["fr", "en"]
    french.save()
    first = make_listed("Bread one", french)
    second = make_listed("Bread two", category="practice")
    assert search("bread", language="fr") == [first.pk]
    assert search("bread", category="practice") == [second.pk]
    assert search("", language="fr", category="practice") == []


@pytest.mark.parametrize("query", ["'", '"', "a & | ! :*", "\x00bread", "((", "-", "—", "x" * 5000, "İ" * 200, "%_\\"])
def test_no_query_breaks_the_search(query: str) -> None:
    make_listed("Bread")
    assert isinstance(search(query), list)
    assert len(tidy(query)) <= 200
