import json

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from atelier.market.accounts.models import User
from atelier.market.core import audit, blobs, events, live
from atelier.market.core.models import AuditEntry, Delivery, LiveEvent

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


def test_a_forged_ticket_opens_no_stream() -> None:
    ticket = live.ticket("generation:1")
    assert live.topic_of(ticket) == "generation:1"
    with pytest.raises(live.Denied):
        live.topic_of(ticket[:-1] + ("a" if ticket[-1] != "a" else "b"))
