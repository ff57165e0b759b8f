"""Nothing whole leaves the server unpaid: asserted on the raw bytes of pages, API answers and live events."""

from __future__ import annotations

import json
import uuid
from itertools import count

import pytest
from django.test import Client
from django.urls import reverse

from atelier.market.accounts.models import User
from atelier.market.core import blobs
from atelier.market.core.models import AuditEntry, Event, LiveEvent
from atelier.market.core.testing import client_of, make_user
from atelier.market.generation import actions, queries, testing
from atelier.market.generation.models import Generation, Output
from atelier.market.generation.testing import hidden_words
from atelier.market.studio.models import CreationModel

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def known_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same texts at every run."""
    numbers = count(1)
    monkeypatch.setattr(actions.secrets, "randbelow", lambda _most: next(numbers))


@pytest.fixture
def output(viewer: User) -> Output:
    model = testing.make_creation_model(reveal_percent=30)
    return testing.make_samples(model, viewer, samples=1).outputs.get()


def text_of(output: Output) -> str:
    return blobs.read(output.blob).decode()


def pages_about(output: Output) -> list[str]:
    return [
        reverse("generation:list"),
        reverse("generation:list") + "?q=bakery",
        reverse("generation:detail", args=[output.generation_id]),
        reverse("generation:output", args=[output.pk]),
        reverse("generation:vary", args=[output.generation_id]),
        reverse("provenance:piece", args=[output.pk]),
        "/api/generations",
        f"/api/generations/{output.generation_id}",
        f"/api/outputs/{output.pk}",
    ]


def test_the_opening_is_no_more_than_the_creator_set(output: Output) -> None:
    assert 0 < len(output.reduced["text"]) <= 0.3 * len(text_of(output))


def test_no_page_and_no_answer_of_the_api_holds_more_than_the_opening(viewer: User, output: Output) -> None:
    client, secret = client_of(viewer), hidden_words(output)
    for path in pages_about(output):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert secret.encode() not in answer.content, path
        assert output.blob_id.encode() not in answer.content, path
    assert output.reduced["text"][:20].encode() in client.get(pages_about(output)[2]).content


def test_no_live_event_holds_more_than_the_opening(output: Output) -> None:
    shown = "".join(
        row.data["payload"]["append"]
        for row in LiveEvent.objects.filter(topic=output.generation.topic, kind="preview").order_by("id")
    )
    assert shown
    assert text_of(output).startswith(shown)
    assert len(shown) <= 0.3 * len(text_of(output))
    everything = json.dumps(list(LiveEvent.objects.values_list("data", flat=True)))
    assert hidden_words(output) not in everything


def test_neither_events_nor_the_audit_trail_hold_the_text(output: Output) -> None:
    told = json.dumps(
        [*Event.objects.values_list("data", flat=True), *AuditEntry.objects.values_list("data", flat=True)]
    )
    assert hidden_words(output) not in told


def test_a_buyers_page_never_opens_the_stored_file(
    viewer: User, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_arguments: object) -> bytes:
        raise AssertionError("the master was read")

    monkeypatch.setattr(blobs, "open_blob", opened)
    for path in pages_about(output):
        assert client_of(viewer).get(path).status_code == 200, path


def test_the_holder_of_a_licence_sees_it_whole_and_nobody_else(viewer: User, output: Output) -> None:
    actions.open_output(output=output, holder=viewer)
    secret = hidden_words(output).encode()
    assert secret in client_of(viewer).get(reverse("generation:detail", args=[output.generation_id])).content
    assert client_of(viewer).get(f"/api/outputs/{output.pk}").json()["whole"] is True
    assert client_of(make_user()).get(reverse("generation:output", args=[output.pk])).status_code == 404


def test_foreign_people_find_nothing_and_change_nothing(output: Output) -> None:
    before = (list(Generation.objects.values()), list(Output.objects.values()), AuditEntry.objects.count())
    creator = output.generation.creation_model.creator.user
    for person in (make_user(), make_user(operator=True), creator):
        client = client_of(person)
        for path in pages_about(output):
            if path in {reverse("generation:list"), "/api/generations"} or "?" in path or "/verify/" in path:
                continue
            assert client.get(path).status_code == 404, path
        for path in (
            reverse("generation:cancel", args=[output.generation_id]),
            reverse("generation:showcase", args=[output.pk]),
            f"/api/generations/{output.generation_id}/cancel",
        ):
            assert client.post(path).status_code == 404, path
        assert client.put(f"/api/outputs/{output.pk}/showcase").status_code == 404
        assert client.get("/api/generations").json()["count"] == 0
    assert before == (list(Generation.objects.values()), list(Output.objects.values()), AuditEntry.objects.count())


def test_who_is_not_signed_in_is_led_to_the_door(output: Output) -> None:
    for path in pages_about(output):
        answer = Client().get(path)
        if "/api/" in path:
            assert answer.status_code == 401, path
        elif "/outputs/" in path:
            assert answer.status_code == 404, path
        elif "/verify/" not in path:
            assert answer.status_code == 302, path


def test_a_playground_is_seen_by_its_creator_alone() -> None:
    model = testing.make_creation_model()
    piece = testing.make_playground(model, samples=1).outputs.get()
    whole = text_of(piece)[-40:].encode()
    detail = reverse("generation:detail", args=[piece.generation_id])
    assert whole in client_of(model.creator.user).get(detail).content
    assert client_of(make_user()).get(detail).status_code == 404
    assert client_of(make_user()).get(reverse("generation:output", args=[piece.pk])).status_code == 404
    assert client_of(make_user()).get(f"/api/outputs/{piece.pk}").status_code == 404


def test_a_shown_piece_is_public_until_it_is_taken_back_or_the_model_rests() -> None:
    model = testing.make_creation_model()
    piece = testing.make_playground(model, samples=1).outputs.get()
    page = reverse("generation:output", args=[piece.pk])
    actions.showcase(actor=model.creator.user, output_id=piece.pk)
    assert text_of(piece)[-40:].encode() in Client().get(page).content
    CreationModel.objects.filter(pk=model.pk).update(state="paused")
    assert Client().get(page).status_code == 404
    CreationModel.objects.filter(pk=model.pk).update(state="published")
    actions.take_from_showcase(actor=model.creator.user, output_id=piece.pk)
    assert Client().get(page).status_code == 404


def test_what_was_sold_exclusively_is_shown_to_its_holder_alone(viewer: User, output: Output) -> None:
    model = output.generation.creation_model
    piece = testing.make_playground(model, samples=1).outputs.get()
    actions.showcase(actor=model.creator.user, output_id=piece.pk)
    actions.open_output(output=piece, holder=viewer)
    actions.withdraw_output(output_id=piece.pk, because="Sold exclusively.")
    secret = text_of(piece)[-40:].encode()
    own = client_of(model.creator.user).get(reverse("generation:detail", args=[piece.generation_id]))
    assert own.status_code == 200
    assert secret not in own.content
    assert (
        secret
        not in client_of(model.creator.user).get(reverse("generation:playground", args=[model.version_id])).content
    )
    assert secret in client_of(viewer).get(reverse("generation:output", args=[piece.pk])).content
    assert Client().get(reverse("generation:output", args=[piece.pk])).status_code == 404
    piece.refresh_from_db()
    assert not queries.is_on_sale(piece)
    assert not queries.outputs_for_sale_to(viewer).filter(pk=piece.pk).exists()


def test_while_it_is_made_the_page_has_a_frame_for_each_sample(viewer: User) -> None:
    model = testing.make_creation_model()
    asked = actions.ask_for_samples(actor=viewer, creation_model=model, wish=testing.wish(samples=3))
    page = client_of(viewer).get(reverse("generation:detail", args=[asked.pk])).content.decode()
    assert page.count('data-live-append="preview"') == 3
    assert "data-live=" in page
    Generation.objects.update(state="running", attempt=1, done=3, planned=10, restarts=1)
    page = client_of(viewer).get(reverse("generation:detail", args=[asked.pk])).content.decode()
    assert "3 of 10" in page
    assert "starts again" in page
    over = client_of(viewer).get(reverse("generation:detail", args=[testing.finished(asked).pk])).content.decode()
    assert "data-live-append" not in over


def test_the_queue_says_how_many_are_ahead(viewer: User) -> None:
    model = testing.make_creation_model()
    for _number in range(3):
        asked = actions.ask_for_samples(actor=viewer, creation_model=model, wish=testing.wish(samples=1))
    page = client_of(viewer).get(reverse("generation:detail", args=[asked.pk]))
    assert page.context["ahead"] == 2
    assert b"2 requests before yours" in page.content
    assert client_of(viewer).get(f"/api/generations/{asked.pk}").json()["ahead"] == 2


def test_the_api_asks_once_for_one_key_and_never_stops_for_a_page(viewer: User) -> None:
    model = testing.make_creation_model()
    client = client_of(viewer)
    body = {"creation_model_id": model.pk, "brief": {"subject": "tea"}, "samples": 2}
    sent = [
        client.post("/api/generations", body, "application/json", headers={"Idempotency-Key": "one-wish-1"})
        for _time in range(2)
    ]
    assert [answer.status_code for answer in sent] == [202, 202]
    assert sent[0].json()["id"] == sent[1].json()["id"]
    assert Generation.objects.get().stop_when_left is False
    other = {**body, "brief": {"subject": "soup"}}
    assert (
        client.post(
            "/api/generations", other, "application/json", headers={"Idempotency-Key": "one-wish-1"}
        ).status_code
        == 409
    )
    made = testing.finished(Generation.objects.get())
    assert client.get(f"/api/generations/{made.pk}").json()["state"] == "succeeded"


def test_the_page_tells_whether_leaving_it_stops_the_writing(viewer: User) -> None:
    model = testing.make_creation_model()
    for via_api in (False, True):
        wish = testing.wish(via_api=via_api)
        asked = actions.ask_for_samples(actor=viewer, creation_model=model, wish=wish)
        page = client_of(viewer).get(reverse("generation:detail", args=[asked.pk])).content.decode()
        assert ("Leaving this page stops them" in page) is not via_api


def test_what_is_to_be_stopped_says_so_also_while_it_waits(viewer: User) -> None:
    asked = actions.ask_for_samples(
        actor=viewer, creation_model=testing.make_creation_model(), wish=testing.wish(samples=1)
    )
    Generation.objects.update(cancel_requested=True)
    page = client_of(viewer).get(reverse("generation:detail", args=[asked.pk])).content.decode()
    assert "Stopping…" in page
    assert reverse("generation:cancel", args=[asked.pk]) not in page


def test_the_api_names_what_is_wrong(viewer: User) -> None:
    model = testing.make_creation_model(samples_a_day=1)
    client = client_of(viewer)

    def ask(**body: object) -> tuple[int, str]:
        answer = client.post("/api/generations", body, "application/json")
        return answer.status_code, answer.json()["field"]

    assert ask(brief={"subject": "tea"}) == (422, "creation_model_id")
    assert ask(creation_model_id=model.pk, brief={}) == (422, "subject")
    assert ask(creation_model_id=model.pk, brief={"subject": "tea"}, samples=2) == (429, "samples")
    assert ask(creation_model_id=2**40, brief={"subject": "tea"}) == (404, "")
    assert ask(version_id=model.version_id, brief={"subject": "tea"}) == (404, "")
    assert ask(creation_model_id=model.pk, brief={"subject": "tea"}, source=str(uuid.uuid4())) == (404, "source")
    assert not Generation.objects.exists()


def test_my_generations_are_found_by_brief_opening_and_name(viewer: User) -> None:
    model = testing.make_creation_model()
    tea = testing.make_samples(model, viewer, samples=1, subject="green tea")
    testing.make_samples(model, viewer, samples=1, subject="winter coats")
    opening = tea.outputs.get().reduced["text"].split()[-1]
    client = client_of(viewer)

    def found(words: str) -> int:
        return len(client.get(reverse("generation:list"), {"q": words}).context["rows"])

    assert found("green") == 1
    assert found(opening) >= 1
    assert found(model.name) == 2
    assert found("tea coats") == 0
    assert found("\x00") == 2
    assert b"Nothing of yours" in client.get(reverse("generation:list"), {"q": "zebra"}).content
