"""Lists of generations: as cheap when they are long, and there even when the engine that made the pieces is not."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from atelier.market.accounts.models import User
from atelier.market.generation import actions, engines, testing
from atelier.workshop.contract import EngineUnavailable

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(viewer: User) -> Client:
    signed_in = Client()
    signed_in.force_login(viewer)
    return signed_in


@pytest.mark.parametrize("address", ["/generations/", "/api/generations"])
def test_a_longer_list_asks_the_database_no_more_often(client: Client, viewer: User, address: str) -> None:
    def questions() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    model = testing.make_creation_model()
    testing.make_samples(model, viewer)
    client.get(address)
    few = questions()
    for _number in range(4):
        for output in testing.make_samples(model, viewer).outputs.all():
            actions.open_output(output=output, holder=viewer)
    assert questions() == few


def test_a_list_shows_what_each_generation_made_and_what_is_licensed(client: Client, viewer: User) -> None:
    model = testing.make_creation_model()
    first, second = (testing.make_samples(model, viewer, samples=2) for _number in range(2))
    bought = first.outputs.get(sample=1)
    actions.open_output(output=bought, holder=viewer)
    waiting = actions.ask_for_samples(actor=viewer, creation_model=model, wish=testing.wish(samples=1))
    items = client.get("/api/generations").json()["items"]
    assert [item["id"] for item in items] == [str(found.pk) for found in (waiting, second, first)]
    assert [[piece["licensed"] for piece in item["outputs"]] for item in items] == [[], [False, False], [False, True]]
    for item in items:
        assert {piece["generation_id"] for piece in item["outputs"]} <= {item["id"]}


def test_pieces_are_still_there_when_their_engine_is_not(
    client: Client, viewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = testing.make_creation_model()
    made = testing.make_samples(model, viewer, samples=1, subject="a blue door")
    waiting = actions.ask_for_samples(actor=viewer, creation_model=model, wish=testing.wish(samples=1))
    opening = made.outputs.get().reduced["text"].split()[0]

    def gone(name: str) -> None:
        raise EngineUnavailable(f"{name} is not installed.", remedy="Install it.")

    monkeypatch.setattr(engines, "engine", gone)
    for address in (
        reverse("generation:list"),
        reverse("generation:detail", args=[made.pk]),
        reverse("generation:output", args=[made.outputs.get().pk]),
        "/api/generations",
    ):
        page = client.get(address)
        assert page.status_code == 200, address
        assert opening in page.content.decode(), address
        assert "a blue door" in page.content.decode(), address
    assert client.get(reverse("generation:detail", args=[waiting.pk])).status_code == 200
    assert client.get(reverse("generation:brief", args=[model.pk])).status_code == 409
