"""Conversations: two people, one piece, nothing said twice, nobody else listening."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from atelier.market.accounts.models import User
from atelier.market.core.errors import Conflict, Denied, Invalid, Missing
from atelier.market.core.models import AuditEntry, Event, LiveEvent
from atelier.market.core.testing import client_of, make_user
from atelier.market.generation.actions import open_output, withdraw_output
from atelier.market.generation.models import Output
from atelier.market.generation.testing import hidden_words, make_output
from atelier.market.hiring import actions, queries, tasks
from atelier.market.hiring.models import Conversation, Message
from atelier.market.hiring.testing import make_conversation

pytestmark = pytest.mark.django_db


def say(actor: User, conversation: Conversation, body: str, key: str = "") -> Message:
    return actions.send_message(
        actor=actor, conversation_id=conversation.pk, body=body, client_key=key or uuid.uuid4().hex
    )


def mails_due() -> list[int]:
    jobs = ProcrastinateJob.objects.filter(task_name="atelier.market.hiring.tasks.tell_by_mail").order_by("id")
    return [job.args["message_id"] for job in jobs]


def test_the_first_message_opens_the_conversation_and_reaches_the_creator() -> None:
    conversation = make_conversation(body="Could you make it shorter?")
    creator = conversation.creator.user
    assert queries.unread_count(creator) == 1
    assert queries.unread_count(conversation.buyer) == 0
    assert list(queries.conversations_of(creator)) == [conversation]
    assert Event.objects.filter(name="hiring.message_sent").count() == 1
    assert LiveEvent.objects.filter(topic=conversation.topic, kind="message").count() == 1


def test_a_second_start_about_the_same_piece_goes_on_in_the_first() -> None:
    conversation = make_conversation()
    again = make_conversation(output=conversation.output, body="One more thing.")
    assert again == conversation
    assert conversation.messages.count() == 2


def test_nobody_writes_to_themselves_nor_about_a_piece_they_cannot_see() -> None:
    output = make_output()
    creator = output.generation.creation_model.creator.user
    for actor, error in ((make_user(), Missing), (creator, Missing)):
        with pytest.raises(error):
            actions.start_conversation(actor=actor, output_id=output.pk, body="Hello.", client_key="key-12345")
    Output.objects.filter(pk=output.pk).update(showcased_at="2026-01-01T00:00Z")
    with pytest.raises(Denied):
        actions.start_conversation(actor=creator, output_id=output.pk, body="Hello.", client_key="key-12345")
    assert not Conversation.objects.exists()
    assert not Message.objects.exists()


def test_a_piece_sold_to_someone_else_opens_no_conversation_but_its_holder_may_write() -> None:
    output = make_output()
    buyer = output.generation.viewer
    withdraw_output(output_id=output.pk, because="Sold exclusively.")
    with pytest.raises(Conflict):
        make_conversation(output=output)
    assert not Conversation.objects.exists()
    open_output(output=output, holder=buyer)
    assert make_conversation(output=output).messages.count() == 1


def test_the_same_key_says_it_once_and_another_text_under_it_is_refused() -> None:
    conversation = make_conversation()
    first = say(conversation.buyer, conversation, "Is it possible?", key="same-key")
    assert say(conversation.buyer, conversation, "Is it possible?", key="same-key") == first
    with pytest.raises(Conflict):
        say(conversation.buyer, conversation, "Something else", key="same-key")
    assert conversation.messages.count() == 2


@pytest.mark.parametrize("body", ["", "  \n ", "x" * (actions.BODY_MOST + 1), "a\x00b"])
def test_empty_and_endless_messages_are_refused(body: str) -> None:
    conversation = make_conversation()
    with pytest.raises(Invalid) as caught:
        say(conversation.buyer, conversation, body)
    assert caught.value.field == "body"
    assert conversation.messages.count() == 1


def test_foreign_people_hear_nothing_and_say_nothing() -> None:
    conversation = make_conversation(body="Between us.")
    before = AuditEntry.objects.count()
    page = reverse("hiring:conversation", args=[conversation.pk])
    api = f"/api/conversations/{conversation.pk}/messages"
    for stranger in (make_user(), make_user(operator=True)):
        client = client_of(stranger)
        assert client.get(page).status_code == 404
        assert client.post(page, {"body": "Hi", "client_key": str(uuid.uuid4())}).status_code == 404
        assert client.get(api).status_code == 404
        assert client.post(api, {"body": "Hi"}, "application/json").status_code == 404
        assert b"Between us." not in client.get(reverse("hiring:list")).content
        assert client.get("/api/conversations").json() == {"count": 0, "unread": 0, "items": []}
    assert Message.objects.count() == 1
    assert AuditEntry.objects.count() == before


def test_what_is_shown_counts_as_read_and_an_answer_is_new_to_the_other_side() -> None:
    conversation = make_conversation()
    buyer, creator = conversation.buyer, conversation.creator.user
    page = reverse("hiring:conversation", args=[conversation.pk])
    client_of(creator).get(page)
    assert queries.unread_count(creator) == 0
    sent = client_of(creator).post(page, {"body": "Gladly.", "client_key": str(uuid.uuid4())})
    assert sent.status_code == 302
    assert queries.unread_count(buyer) == 1
    assert queries.conversations_of(buyer).get().unread == 1
    assert b"Gladly." in client_of(buyer).get(page).content
    assert queries.unread_count(buyer) == 0


def test_reading_never_goes_back() -> None:
    conversation = make_conversation()
    first = conversation.messages.get()
    second = say(conversation.buyer, conversation, "And another thing.")
    creator = conversation.creator.user
    actions.mark_read(actor=creator, conversation=conversation, until=second.at)
    actions.mark_read(actor=creator, conversation=conversation, until=first.at)
    assert queries.unread_count(creator) == 0
    assert second.at > first.at


def test_only_a_first_unread_message_sends_a_letter_and_only_once() -> None:
    conversation = make_conversation()
    say(conversation.buyer, conversation, "Are you there?")
    due = mails_due()
    assert len(due) == 1
    for _time in range(2):
        tasks.tell_by_mail(message_id=due[0])
    assert len(mail.outbox) == 1
    letter = mail.outbox[0]
    assert letter.to == [conversation.creator.user.email]
    assert reverse("hiring:conversation", args=[conversation.pk]) in letter.body
    assert "Are you there?" not in letter.body


def test_who_has_read_it_gets_no_letter() -> None:
    conversation = make_conversation()
    client_of(conversation.creator.user).get(reverse("hiring:conversation", args=[conversation.pk]))
    tasks.tell_by_mail(message_id=mails_due()[0])
    assert mail.outbox == []


def test_a_letter_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    make_conversation()
    due = mails_due()[0]

    def no_server(**_letter: object) -> None:
        raise OSError("no mail server")

    with monkeypatch.context() as patch:
        patch.setattr(tasks, "send_mail", no_server)
        with pytest.raises(OSError, match="no mail server"):
            tasks.tell_by_mail(message_id=due)
    assert Message.objects.get().noticed_at is None
    tasks.tell_by_mail(message_id=due)
    assert len(mail.outbox) == 1


def test_both_sides_see_the_piece_reduced_until_it_is_licensed() -> None:
    conversation = make_conversation()
    output = conversation.output
    secret = hidden_words(output).encode()
    page = reverse("hiring:conversation", args=[conversation.pk])
    people = (conversation.buyer, conversation.creator.user)
    for person in people:
        content = client_of(person).get(page).content
        assert secret not in content
        assert output.reduced["text"][:20].encode() in content
    open_output(output=output, holder=conversation.buyer)
    for person in people:
        assert secret in client_of(person).get(page).content


def test_a_message_is_text_and_never_markup() -> None:
    conversation = make_conversation(body="<script>alert(1)</script>")
    page = client_of(conversation.creator.user).get(reverse("hiring:conversation", args=[conversation.pk]))
    assert b"<script>alert(1)" not in page.content


def test_writing_from_the_page_of_a_piece_leads_to_the_conversation() -> None:
    output = make_output()
    client = client_of(output.generation.viewer)
    where = reverse("hiring:start") + f"?output={output.pk}"
    assert client.get(where).status_code == 200
    empty = client.post(where, {"body": "", "client_key": str(uuid.uuid4())})
    assert empty.status_code == 422
    assert not Conversation.objects.exists()
    sent = client.post(where, {"body": "Hello.", "client_key": str(uuid.uuid4())})
    conversation = Conversation.objects.get()
    there = reverse("hiring:conversation", args=[conversation.pk])
    assert sent.headers["Location"] == there
    assert client.get(where).headers["Location"] == there
    assert client.get(reverse("hiring:start") + "?output=nonsense").status_code == 404


def test_what_was_typed_while_the_conversation_began_elsewhere_is_said_in_it() -> None:
    conversation = make_conversation()
    where = reverse("hiring:start") + f"?output={conversation.output_id}"
    sent = client_of(conversation.buyer).post(where, {"body": "One more thing.", "client_key": str(uuid.uuid4())})
    assert sent.headers["Location"] == reverse("hiring:conversation", args=[conversation.pk])
    assert [message.body for message in conversation.messages.all()] == ["Hello.", "One more thing."]


def test_a_conversation_goes_on_when_its_piece_was_sold_to_someone_else() -> None:
    conversation = make_conversation()
    withdraw_output(output_id=conversation.output_id, because="Sold exclusively.")
    assert make_conversation(output=conversation.output, body="A pity.") == conversation
    assert conversation.messages.count() == 2


def test_a_letter_waits_a_moment_for_the_reader_to_read_on_the_page() -> None:
    make_conversation()
    job = ProcrastinateJob.objects.filter(task_name=tasks.tell_by_mail.name).latest("id")
    assert job.scheduled_at is not None
    assert job.scheduled_at > timezone.now()


def test_the_same_is_done_over_the_api() -> None:
    output = make_output()
    buyer, creator = output.generation.viewer, output.generation.creation_model.creator.user
    body = {"output_id": str(output.pk), "body": "Hello."}
    for _time in range(2):
        begun = client_of(buyer).post(
            "/api/conversations", body, "application/json", headers={"Idempotency-Key": "first-words"}
        )
        assert begun.status_code == 201
    there = f"/api/conversations/{begun.json()['id']}/messages"
    listed = client_of(creator).get("/api/conversations").json()
    assert (listed["unread"], listed["items"][0]["role"], listed["items"][0]["unread"]) == (1, "creator", 1)
    said = client_of(creator).get(there).json()
    assert [(m["body"], m["mine"]) for m in said["items"]] == [("Hello.", False)]
    assert client_of(creator).post(there, {"body": "Hi."}, "application/json").status_code == 201
    assert client_of(buyer).get("/api/conversations").json()["unread"] == 1


@pytest.mark.django_db(transaction=True)
def test_ten_starts_at_once_are_one_conversation_with_one_message() -> None:
    output = make_output()

    def start(_number: int) -> object:
        try:
            return actions.start_conversation(
                actor=output.generation.viewer, output_id=output.pk, body="Hello.", client_key="one-click"
            ).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(start, range(10)))) == 1
    assert Message.objects.count() == 1
