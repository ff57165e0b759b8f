"""The public API: no token needed, nothing hidden leaks, odd input is answered with 4xx."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from atelier.market.core.testing import make_creator
from atelier.market.discovery.testing import make_listed
from atelier.market.generation import actions as generation
from atelier.market.generation.testing import make_creation_model, make_playground

pytestmark = pytest.mark.django_db


def test_categories_come_from_the_engines_with_their_counts(client: Client) -> None:
    make_listed("Bread")
    found = {row["slug"]: row for row in client.get("/api/categories").json()}
    assert found["copywriting"] == {"slug": "copywriting", "title": "Copywriting", "models": 1}
    assert found["practice"]["models"] == 0


def test_models_are_searched_and_paged(client: Client) -> None:
    creator = make_creator()
    models = [make_listed(f"Bread {number}", creator) for number in range(3)]
    make_listed("Steel")
    answer = client.get("/api/listings", {"q": "bread", "limit": 2}).json()
    rest = client.get("/api/listings", {"q": "bread", "limit": 2, "offset": 2}).json()
    assert answer["count"] == 3
    assert {row["id"] for row in answer["items"] + rest["items"]} == {model.pk for model in models}
    assert answer["items"][0]["from_minor"] == 900
    assert answer["items"][0]["currency"] == "USD"


def test_a_model_is_told_with_offers_proof_and_shown_pieces(client: Client) -> None:
    model = make_listed("Bread", subjects_refused=["gambling"])
    output = make_playground(model, samples=1).outputs.get()
    generation.showcase(actor=model.creator.user, output_id=output.pk)
    told = client.get(f"/api/listings/{model.pk}").json()
    assert [offer["tier"] for offer in told["offers"]] == ["personal", "commercial", "exclusive"]
    assert [answer["question"] for answer in told["proof"]] == ["fidelity", "worth", "copying", "safety"]
    assert told["subjects_refused"] == ["gambling"]
    assert told["pieces"] == [
        {
            "id": str(output.pk),
            "kind": "text",
            "extent": output.extent,
            "extent_unit": "words",
            "shown": output.reduced,
        }
    ]
    assert told["brief_schema"]["properties"]


def test_a_creator_is_told_with_what_they_offer(client: Client) -> None:
    creator = make_creator("Ada Finch")
    make_listed("Bread", creator)
    make_creation_model(creator, name="Secret", slug="secret", published=False)
    told = client.get(f"/api/creators/{creator.handle}").json()
    assert told["name"] == "Ada Finch"
    assert [model["name"] for model in told["models"]] == ["Bread"]
    assert "example.org" not in json.dumps(told)


def test_what_is_not_offered_is_missing(client: Client) -> None:
    draft = make_creation_model(published=False)
    answer = client.get(f"/api/listings/{draft.pk}")
    assert answer.status_code == 404
    assert answer.json()["code"] == "missing"
    assert client.get("/api/creators/nobody").status_code == 404
    assert client.get("/api/listings").json()["count"] == 0


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "offset=-1", "offset=100001", "limit=x", f"q={'x' * 201}", f"offset={10**30}"]
)
def test_numbers_out_of_bounds_are_refused_with_the_field(client: Client, query: str) -> None:
    answer = client.get(f"/api/listings?{query}")
    assert answer.status_code == 422
    assert answer.json()["field"] == query.partition("=")[0]


def test_a_huge_key_and_a_zero_byte_are_answered(client: Client) -> None:
    assert client.get(f"/api/listings/{10**40}").status_code == 422
    assert client.get("/api/listings?q=%00bread").status_code == 200
    assert client.get("/api/listings?category=%00").status_code in {200, 422}
