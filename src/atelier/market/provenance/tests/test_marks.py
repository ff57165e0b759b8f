"""Hidden marks: every creator has a key that nobody sees, and a pasted text leads to whose mark it carries."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from atelier.market.accounts.models import Creator
from atelier.market.core import blobs
from atelier.market.core.models import LiveEvent
from atelier.market.core.testing import make_creator
from atelier.market.generation.models import Output
from atelier.market.generation.testing import make_creation_model, make_samples
from atelier.market.provenance import actions, tasks
from atelier.market.provenance.models import MarkKey, MarkSearch
from atelier.market.provenance.telling import odds, verdict
from atelier.workshop.contract import Busy, Trace, Unreadable
from atelier.workshop.contract.fake import FakeEngine
from atelier.workshop.contract.fake.marking import marked

pytestmark = pytest.mark.django_db

TEXT = "The lamp stands by the window and burns all night, and the moths know it by name."


@pytest.fixture(autouse=True)
def only_the_fake_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "engines", lambda: {"fake": FakeEngine()})


def paste(client: Client, text: str) -> MarkSearch:
    """Send a text to the verify page; the search it leads to."""
    answer = client.post(reverse("provenance:verify"), {"text": text})
    assert answer.status_code == 302, answer.content
    return MarkSearch.objects.get(pk=answer.headers["Location"].strip("/").split("/")[-1])


def read(search: MarkSearch) -> MarkSearch:
    """Do the search's job."""
    tasks.find_marks(search_id=str(search.pk))
    search.refresh_from_db()
    return search


def page(client: Client, search: MarkSearch) -> str:
    return client.get(reverse("provenance:marks", args=[search.pk])).content.decode()


def text_of(creator: Creator) -> str:
    return marked(TEXT, actions.mark_key_of(creator))


def test_a_key_is_made_once_and_never_changed_or_removed() -> None:
    one, two = make_creator(), make_creator()
    key = actions.mark_key_of(one)
    assert actions.mark_key_of(one) == key != actions.mark_key_of(two)
    assert len(bytes.fromhex(key)) == 32
    changes: list[Callable[[], object]] = [
        lambda: MarkKey.objects.update(key=b"x" * 32),
        lambda: MarkKey.objects.all()._raw_delete("default"),
    ]
    for change in changes:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert actions.mark_key_of(one) == key


def test_keys_do_not_hang_on_the_sites_secret_and_are_in_no_admin(settings: Any) -> None:
    creator = make_creator()
    key = actions.mark_key_of(creator)
    settings.SECRET_KEY = "another"
    assert actions.mark_key_of(creator) == key
    assert not admin.site.is_registered(MarkKey)
    assert not admin.site.is_registered(MarkSearch)


def test_samples_carry_their_creators_mark(tmp_path: Path) -> None:
    make_samples()
    outputs = list(Output.objects.select_related("generation__creation_model__creator"))
    assert outputs
    for output in outputs:
        own = actions.mark_key_of(output.generation.creation_model.creator)
        stranger = actions.mark_key_of(make_creator())
        file = tmp_path / "piece.txt"
        file.write_bytes(blobs.read(output.blob))
        found, other = FakeEngine().detect(file, [own, stranger])
        assert found.p_value < 1e-6
        assert other.p_value == 1


def test_a_pasted_text_leads_to_whose_mark_it_carries(client: Client) -> None:
    creators = [make_creator(f"Creator {name}") for name in ("Ash", "Birch", "Cedar")]
    texts = [text_of(creator) for creator in creators]
    search = paste(client, texts[1])
    waiting = page(client, search)
    assert "being read" in waiting
    assert 'data-live="/live/' in waiting
    assert read(search).state == MarkSearch.State.DONE
    assert LiveEvent.objects.filter(topic=search.topic, kind="read").count() == 1
    shown = page(client, search)
    assert "Creator Birch" in shown
    assert "Creator Ash" not in shown
    assert "once in" in shown
    for creator in creators:
        assert actions.mark_key_of(creator) not in waiting + shown


def test_a_text_without_a_mark_and_one_too_short_are_told_apart(client: Client) -> None:
    actions.mark_key_of(make_creator())
    assert "No mark found" in page(client, read(paste(client, TEXT)))
    assert "Too short to say" in page(client, read(paste(client, "Three short words.")))


def test_where_nothing_was_ever_made_no_mark_is_found(client: Client) -> None:
    search = read(paste(client, "Two words."))
    assert (verdict(search), search.keys) == ("none", 0)


def test_the_text_is_kept_only_until_it_was_read(client: Client) -> None:
    search = paste(client, TEXT)
    assert search.text == TEXT
    assert read(search).text == ""
    read(search)
    assert LiveEvent.objects.filter(topic=search.topic).count() == 1


def test_a_search_is_forgotten_after_a_day(client: Client) -> None:
    old, new = paste(client, TEXT), paste(client, TEXT + " Again.")
    MarkSearch.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    tasks.forget_mark_searches(timestamp=0)
    assert list(MarkSearch.objects.all()) == [new]
    assert client.get(reverse("provenance:marks", args=[old.pk])).status_code == 404


def test_a_known_text_needs_no_search(client: Client) -> None:
    make_samples(make_creation_model())
    output = Output.objects.first()
    assert output is not None
    answer = client.post(reverse("provenance:verify"), {"text": blobs.read(output.blob).decode()})
    assert output.blob_id in answer.headers["Location"]
    assert not MarkSearch.objects.exists()


def test_while_too_many_wait_nobody_else_is_taken(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "SEARCHES_WAITING_MOST", 1)
    paste(client, TEXT)
    answer = client.post(reverse("provenance:verify"), {"text": "Another text."})
    assert answer.status_code == 429
    assert answer.context["form"].errors["text"]
    assert client.post("/api/records/marks", {"text": "x"}, "application/json").status_code == 429
    assert MarkSearch.objects.count() == 1
    assert ProcrastinateJob.objects.filter(task_name__endswith="find_marks").count() == 1


def test_a_long_text_is_read_from_its_beginning_only(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "MARKED_CHARACTERS_MOST", 10)
    search = paste(client, TEXT)
    assert (search.text, search.cut) == (TEXT[:10], True)
    assert "The first 10 characters were read" in page(client, read(search))


class Stub:
    """Stands in for the runtime: answers what a test says."""

    def __init__(self, answer: Callable[[Sequence[str]], list[Trace]]) -> None:
        self.answer = answer

    def detect(self, engine: str, file: Path, keys: Sequence[str]) -> list[Trace]:
        return self.answer(keys)


def use(monkeypatch: pytest.MonkeyPatch, answer: Callable[[Sequence[str]], list[Trace]]) -> None:
    monkeypatch.setattr(tasks, "runtime", lambda: Stub(answer))


def test_many_keys_make_chance_likelier_and_that_is_reckoned_with(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [actions.mark_key_of(make_creator()) for _ in range(4)]
    monkeypatch.setattr(tasks, "KEYS_AT_ONCE", 3)
    p = 0.0003
    use(monkeypatch, lambda asked: [Trace(p_value=p if k == keys[3] else 0.4, places=80, enough=True) for k in asked])
    assert verdict(read(paste(client, TEXT))) == "none", "0.0003 of one key is 0.0012 of four"
    p = 0.0002
    found = read(paste(client, TEXT))
    assert verdict(found) == "found"
    assert found.found[0]["p_value"] == pytest.approx(1 - (1 - 0.0002) ** 4)


@pytest.mark.parametrize("error", [Unreadable("Not a text.", remedy="Paste a text."), RuntimeError("a bug")])
def test_a_search_that_fails_says_so_and_keeps_no_text(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_: Sequence[str]) -> list[Trace]:
        raise error

    actions.mark_key_of(make_creator())
    use(monkeypatch, fail)
    search = read(paste(client, TEXT))
    assert (verdict(search), search.text) == ("failed", "")
    assert search.error
    assert search.error in page(client, search)


def test_a_search_without_room_waits(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_: Sequence[str]) -> list[Trace]:
        raise Busy("No process.")

    actions.mark_key_of(make_creator())
    use(monkeypatch, busy)
    search = paste(client, TEXT)
    with pytest.raises(Busy):
        read(search)
    search.refresh_from_db()
    assert (verdict(search), search.text) == ("waiting", TEXT)


def test_where_no_engine_marks_the_page_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "engines", dict)
    assert "No engine of this market marks texts" in page(client, read(paste(client, TEXT)))


def test_programs_look_for_marks_without_a_token(client: Client) -> None:
    creator = make_creator("Creator Dogwood")
    asked = client.post("/api/records/marks", {"text": text_of(creator)}, "application/json")
    assert (asked.status_code, asked.json()["verdict"]) == (202, "waiting")
    read(MarkSearch.objects.get())
    told = client.get(f"/api/records/marks/{asked.json()['id']}").json()
    assert told["verdict"] == "found"
    assert told["found"][0]["creator"] == {"name": "Creator Dogwood", "handle": creator.handle}
    assert told["found"][0]["p_value"] < 1e-8
    assert client.get(f"/api/records/marks/{uuid.uuid4()}").status_code == 404
    for wrong in ({}, {"text": ""}, {"text": " \0 "}, {"text": "x" * 200_001}):
        assert client.post("/api/records/marks", wrong, "application/json").status_code == 422
    assert MarkSearch.objects.count() == 1


@pytest.mark.parametrize(
    ("p_value", "words"),
    [(0.00098, "about once in 1,000 texts"), (3.2e-6, "about once in 300,000 texts"), (1e-12, "less than once in a")],
)
def test_how_sure_is_said_in_round_numbers(p_value: float, words: str) -> None:
    assert words in odds(p_value)
