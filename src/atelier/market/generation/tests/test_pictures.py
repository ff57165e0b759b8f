"""Samples that are pictures: shown as small as they may be, to whoever may see them, from the first preview on."""

from __future__ import annotations

import base64
import io
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from atelier.market.accounts.models import User
from atelier.market.core import blobs, pictures
from atelier.market.core.models import Blob, LiveEvent
from atelier.market.core.testing import client_of, make_user
from atelier.market.generation import actions, queries, tasks, testing
from atelier.market.generation.cards import cards
from atelier.market.generation.models import Generation, Output
from atelier.market.generation.news import News
from atelier.market.hiring import actions as hiring
from atelier.market.studio.models import CreationModel
from atelier.workshop.contract import Preview
from atelier.workshop.runtime import runtime

pytestmark = pytest.mark.django_db


@pytest.fixture
def output(viewer: User) -> Output:
    return testing.make_samples(testing.make_picture_model(), viewer, samples=1).outputs.get()


def uri_of(colour: str = "#446688", size: tuple[int, int] = (30, 20)) -> str:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "WEBP")
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"


def address_of(output: Output) -> str:
    return reverse("generation:picture", args=[output.pk])


def test_a_finished_picture_is_kept_small_and_told_in_words(output: Output) -> None:
    assert (output.kind, output.picture is not None) == ("image", True)
    assert output.picture is not None
    assert output.reduced.keys() == {"width", "height", "told"}
    with Image.open(io.BytesIO(blobs.read(output.picture))) as opened:
        assert opened.size == (output.reduced["width"], output.reduced["height"])
    # Of the pixels of a whole sample (240 by 160) no more than the creator set.
    assert opened.width * opened.height <= 240 * 160 * output.generation.reveal
    assert output.blob.media_type == "image/svg+xml"


def test_pages_show_the_picture_with_its_size_and_words(viewer: User, output: Output) -> None:
    client = client_of(viewer)
    tag = f'src="{address_of(output)}" width="{output.reduced["width"]}" height="{output.reduced["height"]}" alt="'
    for path in (
        reverse("generation:list"),
        reverse("generation:detail", args=[output.generation_id]),
        reverse("generation:output", args=[output.pk]),
        reverse("billing:start") + f"?output={output.pk}&tier=personal",
        reverse("hiring:start") + f"?output={output.pk}",
    ):
        text = client.get(path).content.decode()
        assert tag in text, path
        assert "<svg xmlns=" not in text
        assert "data:image" not in text
    answer = client.get(address_of(output))
    assert answer["Content-Type"] == "image/webp"
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_api_names_the_picture_and_sends_it(viewer: User, output: Output) -> None:
    client = client_of(viewer)
    shown = client.get(f"/api/outputs/{output.pk}").json()["shown"]
    assert shown == {"image": f"/api/outputs/{output.pk}/picture", **output.reduced}
    assert client.get(shown["image"]).content == client.get(address_of(output)).content


def test_nobody_else_sees_the_picture_until_it_is_shown_to_all(output: Output) -> None:
    for client in (Client(), client_of(make_user()), client_of(output.generation.creation_model.creator.user)):
        for address in (address_of(output), f"/api/outputs/{output.pk}/picture"):
            answer = client.get(address)
            assert answer.status_code == 404
            assert "ETag" not in answer
    model = output.generation.creation_model
    shown = testing.make_playground(model, samples=1).outputs.get()
    assert Client().get(address_of(shown)).status_code == 404
    actions.showcase(actor=model.creator.user, output_id=shown.pk)
    assert Client().get(address_of(shown)).status_code == 200
    page = f"/@{model.creator.handle}/{model.slug}/"
    for path in ("/", page):
        assert f'src="{address_of(shown)}"' in Client().get(path).content.decode()
    (piece,) = Client().get(f"/api/listings/{model.pk}").json()["pieces"]
    assert Client().get(piece["shown"]["image"]).status_code == 200


def test_what_was_sold_exclusively_is_shown_no_more(viewer: User, output: Output) -> None:
    etag = client_of(viewer).get(address_of(output))["ETag"]
    actions.withdraw_output(output_id=output.pk, because="sold exclusively")
    assert client_of(viewer).get(address_of(output), headers={"If-None-Match": etag}).status_code == 404
    actions.open_output(output=output, holder=viewer)
    assert client_of(viewer).get(address_of(output)).status_code == 200


def test_the_holder_of_a_licence_sees_a_picture_and_no_drawing_in_letters(viewer: User, output: Output) -> None:
    actions.open_output(output=output, holder=viewer)
    (card,) = cards([queries.output_seen_by(viewer, output.pk)], viewer)
    assert (card.licensed, card.whole, card.master_text) == (True, True, "")
    text = client_of(viewer).get(reverse("generation:detail", args=[output.generation_id])).content.decode()
    assert address_of(output) in text
    assert "on the page of the licence" in text


def test_both_sides_of_a_conversation_see_the_picture(viewer: User, output: Output) -> None:
    begun = hiring.start_conversation(actor=viewer, output_id=output.pk, body="Larger, please", client_key="a-key-12")
    address = reverse("hiring:picture", args=[begun.pk])
    for person in (viewer, output.generation.creation_model.creator.user):
        client = client_of(person)
        assert f'src="{address}"' in client.get(reverse("hiring:conversation", args=[begun.pk])).content.decode()
        assert client.get(address).status_code == 200
    assert client_of(make_user()).get(address).status_code == 404


def test_words_are_found_in_what_is_seen_and_not_in_the_bytes(viewer: User, output: Output) -> None:
    word = output.reduced["told"].split()[1].strip(",")
    assert queries.search(queries.generations_of(viewer), word).count() == 1
    assert not queries.search(queries.generations_of(viewer), "image").exists()


def test_while_it_is_made_there_is_an_empty_frame_for_each(viewer: User) -> None:
    model = testing.make_picture_model()
    asked = actions.ask_for_samples(actor=viewer, creation_model=model, wish=testing.wish(samples=2))
    text = client_of(viewer).get(reverse("generation:detail", args=[asked.pk])).content.decode()
    assert text.count('data-live-picture="preview"') == 2
    assert "It appears here as it is made." in text
    assert "Each is shown whole, but small." in client_of(viewer).get(f"/models/{model.pk}/brief/").content.decode()


def previews(generation: Generation) -> list[dict[str, Any]]:
    return list(
        LiveEvent.objects.filter(topic=generation.topic, kind="preview").order_by("id").values_list("data", flat=True)
    )


def test_of_previews_only_the_latest_is_kept_for_who_comes_later(output: Output) -> None:
    (told,) = previews(output.generation)
    assert told["sample"] == 0
    assert told["payload"].keys() == {"image", "width", "height"}


@pytest.mark.parametrize(
    "image",
    [
        "",
        None,
        "https://example.org/a.png",
        "data:text/html;base64,PHNjcmlwdD4=",
        "data:image/png;base64,PHN2Zy8+",
        'data:image/webp;base64,AAAA" onload="alert(1)',
        "data:image/png;base64," + "A" * pictures.URI_MOST,
    ],
)
def test_a_preview_that_is_no_picture_is_never_passed_on(image: Any) -> None:
    generation = actions.ask_for_samples(
        actor=make_user(), creation_model=testing.make_picture_model(), wish=testing.wish(samples=1)
    )
    news = News(generation)
    news(Preview(sample=0, payload={"image": image, "width": 1, "height": 1}))
    news.flush()
    assert previews(generation) == []
    news(Preview(sample=0, payload={"image": uri_of(), "width": 9999, "height": -1, "more": "<b>"}))
    news.flush()
    assert [told["payload"] for told in previews(generation)] == [{"image": uri_of(), "width": 30, "height": 20}]


def test_where_the_engine_is_gone_the_page_is_told_so() -> None:
    model = testing.make_picture_model()
    generation = actions.ask_for_samples(actor=make_user(), creation_model=model, wish=testing.wish(samples=1))
    CreationModel.objects.filter(pk=model.pk).update(engine="gone")
    testing.finished(generation)
    assert (generation.state, generation.error_code) == ("failed", "engine_unavailable")
    page = client_of(generation.viewer).get(reverse("generation:detail", args=[generation.pk]))
    assert "There is no engine called" in page.content.decode()


def test_a_sample_that_cannot_be_shown_fails_and_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    generation = actions.ask_for_samples(
        actor=make_user(), creation_model=testing.make_picture_model(), wish=testing.wish(samples=1)
    )

    class Engine:
        def generate(self, *arguments: Any) -> Any:
            made = runtime().generate(*arguments)
            return [out.model_copy(update={"reduced": {"image": "data:image/svg+xml;base64,PHN2Zy8+"}}) for out in made]

    monkeypatch.setattr(tasks, "runtime", Engine)
    testing.finished(generation)
    assert (generation.state, generation.error_code) == ("failed", "crashed")
    assert not Output.objects.exists()
    assert not Blob.objects.filter(media_type="image/webp").exists()


def test_a_picture_in_the_brief_reaches_the_engine_and_no_page(viewer: User) -> None:
    model = testing.make_picture_model()
    brought = base64.b64decode(uri_of("#ff00ff").partition(",")[2])
    sent = {"brief_subject": "A fair", "brief_shape": "any", "samples": "1", "key": str(uuid.uuid4())}
    client, address = client_of(viewer), reverse("generation:brief", args=[model.pk])
    form = client.get(address).content.decode()
    assert 'enctype="multipart/form-data"' in form
    assert '<input type="file" name="brief_picture" accept="image/*"' in form
    answer = client.post(address, {**sent, "brief_picture": SimpleUploadedFile("a.webp", brought)})
    assert answer.status_code == 302, answer.content.decode()
    made = testing.finished(Generation.objects.get())
    assert base64.b64decode(made.brief["picture"]) == brought
    assert made.brief_told["picture"] == {"bytes": len(brought)}
    assert b"<image " in blobs.read(made.outputs.get().blob)
    encoded = made.brief["picture"].encode()
    again = reverse("generation:vary", args=[made.pk])
    for path in (
        answer["Location"],
        reverse("generation:list"),
        again,
        "/api/generations",
        f"/api/generations/{made.pk}",
    ):
        page = client.get(path)
        assert page.status_code == 200
        assert encoded not in page.content, path
    kept = client.post(address, {**sent, "key": str(uuid.uuid4()), "source": str(made.pk)})
    assert kept.status_code == 302
    assert Generation.objects.latest("created_at").brief["picture"] == made.brief["picture"]


def test_the_picture_of_somebody_elses_brief_is_not_to_be_had(viewer: User) -> None:
    model = testing.make_picture_model()
    with_picture = {"subject": "A fair", "picture": uri_of().partition(",")[2]}
    wish = actions.Wish(brief=with_picture, samples=1, key="a-key-1234")
    foreign = actions.ask_for_samples(actor=make_user(), creation_model=model, wish=wish)
    sent = {"brief_subject": "A fair", "samples": "1", "key": str(uuid.uuid4()), "source": str(foreign.pk)}
    answer = client_of(viewer).post(reverse("generation:brief", args=[model.pk]), sent)
    assert answer.status_code == 422
    assert Generation.objects.count() == 1


def test_a_brief_larger_than_is_read_at_all_is_refused_in_words(viewer: User) -> None:
    body = {"creation_model_id": 1, "brief": {"picture": "A" * 5_100_000}}
    answer = client_of(viewer).post("/api/generations", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert not Generation.objects.exists()
