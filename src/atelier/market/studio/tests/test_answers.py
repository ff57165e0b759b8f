"""The proof as people read it: plain words, a sentence, a picture, figures; also where it was stored without them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from atelier.market.core.testing import make_creator
from atelier.market.studio.answers import compared, questions_of
from atelier.market.studio.models import Version
from atelier.market.studio.testing import make_model, make_published_model, make_version

pytestmark = pytest.mark.django_db
QUESTIONS = ["fidelity", "worth", "copying", "safety"]


def measure(value: float, unit: str = "", meaning: str = "how surprised it is") -> dict[str, Any]:
    return {"value": value, "low": value - 1, "high": value + 1, "unit": unit, "meaning": meaning}


def page_of(version: Version) -> str:
    client = Client()
    client.force_login(version.creation_model.creator.user)
    return client.get(reverse("studio:version", args=[version.pk])).content.decode()


def told(version: Version, **evaluation: Any) -> Version:
    version.evaluation = {**version.evaluation, **evaluation}
    version.save()
    return version


def bare(evaluation: dict[str, Any]) -> dict[str, Any]:
    """An evaluation as it was stored before answers had a headline and a picture."""
    old = copy.deepcopy(evaluation)
    for question in QUESTIONS:
        del old[question]["headline"], old[question]["picture"]
    return old


def test_an_answer_is_told_first_in_plain_words_then_in_a_sentence_a_picture_and_figures() -> None:
    version = make_version()
    answer = version.evaluation["fidelity"]
    assert answer["headline"]
    page = page_of(version)
    start = page.index('id="fidelity"')
    places = [
        page.index(said, start)
        for said in (answer["headline"], answer["sentence"][:20], 'class="picture"', 'id="figures-fidelity"')
    ]
    assert places == sorted(places)
    assert answer["picture"]["title"] in page
    assert page.count("picture__row--ours") >= 2


def test_a_proof_that_was_stored_without_words_and_pictures_is_shown_by_its_verdict_and_figures() -> None:
    version = make_version()
    old = bare(version.evaluation)
    old["copying"]["verdict"] = "unknown"
    page = page_of(told(version, **old))
    assert "Not known" in page
    assert 'class="picture"' in page
    assert "This version" in page
    questions = questions_of(old, to_creator=True)
    assert [question.slug for question in questions] == QUESTIONS
    assert all(question.headline for question in questions)


def test_nobody_but_the_creator_is_told_of_their_own_voice() -> None:
    answer = {"verdict": "good", "headline": "Clearly in your voice", "headline_public": "Clearly in its voice"}
    proof = {"fidelity": answer, "worth": {"verdict": "good", "headline": "Better than prompting"}}
    told = {
        to_creator: [question.headline for question in questions_of(proof, to_creator=to_creator)]
        for to_creator in (True, False)
    }
    assert told[True] == ["Clearly in your voice", "Better than prompting"]
    assert told[False] == ["Clearly in its voice", "Better than prompting"]


def test_an_engine_that_compares_with_something_else_asks_in_its_own_words() -> None:
    answer = {"verdict": "good", "question": "Would it be taken for yours?", "question_public": "For its creator's?"}
    proof = {"fidelity": answer, "worth": {"verdict": "good"}}
    asked = {to_creator: [q.title for q in questions_of(proof, to_creator=to_creator)] for to_creator in (True, False)}
    assert asked[True] == ["Would it be taken for yours?", "Does it beat the base with a good prompt?"]
    assert asked[False] == ["For its creator's?", "Is it better than a good prompt?"]


def test_an_empty_proof_is_a_page_without_questions() -> None:
    version = make_version()
    Version.objects.filter(pk=version.pk).update(evaluation={})
    version.refresh_from_db()
    assert 'class="answer' not in page_of(version)


def test_only_figures_of_one_kind_and_unit_are_compared() -> None:
    found = compared(
        {
            "perplexity_base": measure(30),
            "perplexity_adapter": measure(20),
            "perplexity_reference_prompt": measure(25),
            "perplexity_drop": measure(0.3),
            "perplexity_share": measure(0.3, unit="share"),
            "other": measure(7),
        }
    )
    assert found is not None
    assert [(bar["label"], bar["ours"]) for bar in found["bars"]] == [
        ("This version", True),
        ("The base model", False),
        ("The base model, given a reference", False),
    ]
    assert (found["least"], found["most"], found["title"]) == (0, 31, "How surprised it is")
    assert compared({"perplexity_adapter": measure(3)}) is None
    assert compared({"asked": measure(3), "refused": measure(3)}) is None


def test_why_a_version_is_not_to_be_published_is_said_on_its_page_and_where_it_is_published() -> None:
    reason = "Not recommended: it repeats 41 words of “Old Mill” even after a second, gentler training."
    version = make_version(make_model(make_creator()))
    Version.objects.filter(pk=version.pk).update(publishable=False)
    version.refresh_from_db()
    told(version, summary=reason)
    client = Client()
    client.force_login(version.creation_model.creator.user)
    model = version.creation_model_id
    assert reason in page_of(version)
    page = client.get(reverse("studio:model", args=[model])).content.decode()
    assert page.count(reason) == 2, "in the list of versions, and where one publishes"
    assert 'href="#anyway"' in page
    refused = client.post(reverse("studio:publish", args=[model]), follow=True).content.decode()
    assert "not to be published. Not recommended: it repeats 41 words" in refused
    version.creation_model.refresh_from_db()
    assert version.creation_model.state == "draft"


def test_buyers_read_the_same_answers_and_the_reason_against_it(client: Client) -> None:
    model = make_published_model()
    version = told(model.version, summary="It copies.")
    Version.objects.filter(pk=version.pk).update(published_anyway_at=version.created_at)
    page = client.get(f"/@{model.creator.handle}/{model.slug}/").content.decode()
    for question in QUESTIONS:
        assert version.evaluation[question]["headline"] in page
    assert page.count('class="picture"') >= 3
    assert "It copies." in page
    assert "Its proof does not recommend this version" in page
    told_by_api = client.get(f"/api/listings/{model.pk}").json()["proof"]
    assert [answer["headline"] for answer in told_by_api] == [version.evaluation[q]["headline"] for q in QUESTIONS]
    assert told_by_api[0]["picture"]["bars"][-1]["ours"] is True
