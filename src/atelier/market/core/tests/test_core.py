import json
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import connection, connections, transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from atelier.market.accounts.models import User
from atelier.market.core import audit, blobs, events, live, pages, tasks
from atelier.market.core.models import AuditEntry, Blob, Delivery, LiveEvent, Watch

pytestmark = pytest.mark.django_db

heard: list[dict[str, object]] = []


def hear(**data: object) -> None:
    heard.append(data)


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> None:
    heard.clear()
    table = (events.Subscription("test.inline", f"{__name__}.hear", inline=True),)
    monkeypatch.setattr(events, "_table", lambda: table)


def test_an_inline_handler_runs_once_in_the_same_transaction(listening: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "import_string", lambda path: hear)
    event = events.emit("test.inline", answer=42)
    events.hand_over(event.pk, f"{__name__}.hear")
    assert heard == [{"answer": 42}]
    assert Delivery.objects.filter(event=event).count() == 1


def test_news_longer_than_a_notice_takes_the_place_of_what_was_told_of_the_same_sample() -> None:
    for number in range(3):
        live.publish_anew("test:long", "preview", sample=0, payload={"image": f"{number}" * 60_000})
        live.publish_anew("test:long", "preview", sample=1, payload={"image": "other"})
    live.publish("test:long", "progress", done=1)
    told = list(LiveEvent.objects.filter(topic="test:long").order_by("pk").values_list("kind", "data__sample"))
    assert told == [("preview", 0), ("preview", 1), ("progress", None)]
    assert LiveEvent.objects.filter(topic="test:long").first().data["payload"]["image"].startswith("222")  # type: ignore[union-attr]


def test_an_audit_entry_can_be_neither_changed_nor_removed() -> None:
    user = User.objects.create_user("a@example.org", name="A")
    with transaction.atomic():
        entry = audit.record(user, "test.did", user, why="because")
    for deed in (lambda: AuditEntry.objects.update(verb="x"), lambda: entry.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()
    assert AuditEntry.objects.get(pk=entry.pk).verb == "test.did"


@pytest.mark.django_db(transaction=True)
def test_news_for_open_pages_ring_the_bell_short_ones_whole_long_ones_by_number() -> None:
    params = connection.get_connection_params()
    for name in ("cursor_factory", "context"):
        params.pop(name, None)
    with psycopg.connect(**params, autocommit=True) as listener:
        listener.execute("LISTEN atelier_live")
        live.publish("t:1", "word", append="hello")
        live.publish("t:1", "word", append="x" * 9000)
        notices = [json.loads(n.payload) for n in listener.notifies(timeout=5, stop_after=2)]
    assert notices[0]["data"] == {"append": "hello"}
    assert "data" not in notices[1]
    assert LiveEvent.objects.get(pk=notices[1]["id"]).data["append"] == "x" * 9000


def test_the_same_bytes_are_kept_once() -> None:
    first, second = blobs.keep_bytes(b"hello", "text/plain"), blobs.keep_bytes(b"hello", "text/plain")
    assert first == second
    assert blobs.read(first) == b"hello"


def test_a_file_that_broke_off_is_not_taken_for_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"a work that nobody else made" * 99

    def break_off(_handle: int) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", break_off)
        with pytest.raises(OSError, match="No space"):
            blobs.keep_bytes(content, "text/plain")
    assert not Blob.objects.exists()
    kept = blobs.keep_bytes(content, "text/plain")
    assert blobs.read(kept) == content
    place = Path(default_storage.path(kept.storage_name))
    assert [file.name for file in place.parent.iterdir()] == [kept.sha256]


def test_erased_bytes_are_gone_until_they_are_sent_again() -> None:
    blob = blobs.keep_bytes(b"to be erased", "text/plain")
    blobs.erase(blob)
    blob.refresh_from_db()
    assert blob.erased_at is not None
    assert not default_storage.exists(blob.storage_name)
    assert blobs.read(blobs.keep_bytes(b"to be erased", "text/plain")) == b"to be erased"
    assert Blob.objects.get().erased_at is None


@pytest.mark.django_db(transaction=True)
async def test_a_stream_replays_all_that_was_missed_however_much_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "PORTION", 3)
    topic = "generation:long"

    def publish() -> list[int]:
        return [live.publish(topic, "word", append=str(number)).pk for number in range(8)]

    known = await sync_to_async(publish)()
    stream = pages._stream(topic, known[0])
    heard: list[int] = []
    async for chunk in stream:
        heard += [int(line[4:]) for line in chunk.decode().splitlines() if line.startswith("id: ")]
        if len(heard) == len(known) - 1:
            break
    await stream.aclose()
    await sync_to_async(connections.close_all)()
    assert heard == known[1:]


def test_what_open_pages_no_longer_need_is_forgotten_and_what_they_need_is_kept() -> None:
    live.publish("t:old", "word")
    live.publish("t:new", "word")
    LiveEvent.objects.filter(topic="t:old").update(at=timezone.now() - timedelta(days=2))
    live.watch("t:old")
    live.watch("t:new")
    Watch.objects.filter(topic="t:old").update(until=timezone.now() - timedelta(days=2))
    tasks.prune_live_events(timestamp=0)
    assert [event.topic for event in LiveEvent.objects.all()] == ["t:new"]
    assert [watch.topic for watch in Watch.objects.all()] == ["t:new"]


def test_a_session_that_ended_is_forgotten() -> None:
    for key, days in (("old", -1), ("new", 1)):
        Session.objects.create(session_key=key, session_data="x", expire_date=timezone.now() + timedelta(days=days))
    tasks.forget_old_sessions(timestamp=0)
    assert [session.session_key for session in Session.objects.all()] == ["new"]


def test_a_forged_ticket_opens_no_stream() -> None:
    ticket = live.ticket("generation:1")
    assert live.topic_of(ticket) == "generation:1"
    with pytest.raises(live.Denied):
        live.topic_of(ticket[:-1] + ("a" if ticket[-1] != "a" else "b"))
