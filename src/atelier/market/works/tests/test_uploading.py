import io
import json
import uuid

import pytest

from atelier.market.core.errors import Conflict, Denied, Invalid, TooMany
from atelier.market.core.models import AuditEntry, Event, LiveEvent
from atelier.market.core.testing import make_creator, make_user
from atelier.market.works import actions, queries
from atelier.market.works.models import Attestation, Consent, Upload, Work
from atelier.market.works.names import sanitised
from atelier.market.works.receiving import Incoming
from atelier.market.works.tasks import inspect_upload
from atelier.market.works.testing import make_works, send, some_texts
from atelier.workshop.contract import Inspection

pytestmark = pytest.mark.django_db


def incoming(name: str, content: bytes) -> Incoming:
    return Incoming(name, io.BytesIO(content), len(content))


def wishes(**changes: object) -> actions.Wishes:
    return actions.Wishes(**{"attested": True, "consent": True, **changes})


def test_each_piece_of_a_file_becomes_a_work_with_what_its_maker_said_of_it() -> None:
    creator = make_creator()
    upload = send(creator, "two.txt", b"One short text about bread.\n---\nAnother one about lamps.", tags=["spring"])
    works = list(Work.objects.filter(upload=upload).order_by("position"))
    assert upload.state == Upload.State.INSPECTED
    assert [work.state for work in works] == ["ready", "ready"]
    assert [work.tags for work in works] == [["spring"], ["spring"]]
    assert all(work.fingerprints.count() == 2 for work in works)
    assert Attestation.objects.filter(work__in=works, person=creator.user, statement__startswith="I made").count() == 2
    assert Consent.objects.filter(work__in=works, given_by=creator.user, revoked_at=None).count() == 2
    assert Event.objects.filter(name="works.work_ready").count() == 2
    assert LiveEvent.objects.filter(topic=f"uploads:{upload.batch}", kind="upload").count() == 1


def test_reading_an_upload_twice_makes_its_works_once() -> None:
    creator = make_creator()
    upload = send(creator, "a.txt", b"One short text about bread.")
    inspect_upload(upload_id=upload.pk)
    actions.take_pieces(upload_id=upload.pk, inspection=Inspection(pieces=()), kept=[])
    assert Work.objects.filter(upload=upload).count() == 1
    assert Attestation.objects.count() == 1


def test_the_same_batch_sent_twice_is_kept_once() -> None:
    creator, batch = make_creator(), uuid.uuid4()
    first = send(creator, "a.txt", b"One text.", batch=batch, read=False)
    second = send(creator, "a.txt", b"One text.", batch=batch, read=False)
    assert first == second
    assert Upload.objects.count() == 1


def test_other_files_under_a_used_batch_are_never_dropped_unsaid() -> None:
    creator, batch = make_creator(), uuid.uuid4()
    send(creator, "a.txt", b"One text.", batch=batch, read=False)
    for name, content in (("a.txt", b"Another text."), ("b.txt", b"One text.")):
        with pytest.raises(Conflict) as caught:
            send(creator, name, content, batch=batch, read=False)
        assert caught.value.field == "files"
    assert Upload.objects.count() == 1


def test_a_file_whose_pieces_cannot_be_kept_is_refused_and_does_not_wait_for_ever() -> None:
    upload = send(make_creator(), "odd.json", b'[{"text": "A fine line of words.", "title": "a\\u0000b"}]')
    assert upload.state == Upload.State.REFUSED
    assert upload.report["refusals"][0]["remedy"]
    assert not Work.objects.exists()


def test_one_bad_file_among_good_ones_says_why_and_the_others_are_taken() -> None:
    creator = make_creator()
    files = [incoming("good.txt", b"Fine words here."), incoming("bad.exe", b"MZ"), incoming("empty.txt", b"")]
    uploads = actions.receive_uploads(
        actor=creator.user, engine="fake", files=files, wishes=wishes(), batch=uuid.uuid4()
    )
    assert [upload.state for upload in uploads] == ["received", "refused", "refused"]
    assert ".txt" in uploads[1].report["refusals"][0]["remedy"]
    assert uploads[1].blob is None


def test_a_file_the_engine_cannot_read_keeps_the_engines_reason() -> None:
    upload = send(make_creator(), "broken.json", b"{not json")
    assert upload.state == Upload.State.REFUSED
    assert upload.report["refusals"][0]["code"] == "unreadable"
    assert not Work.objects.exists()


def test_without_the_statement_of_authorship_nothing_is_taken() -> None:
    creator = make_creator()
    with pytest.raises(Invalid) as caught:
        actions.receive_uploads(
            actor=creator.user,
            engine="fake",
            files=[incoming("a.txt", b"Words.")],
            wishes=wishes(attested=False),
            batch=uuid.uuid4(),
        )
    assert caught.value.field == "attested"
    assert not Upload.objects.exists()
    assert not AuditEntry.objects.exists()


def test_only_a_creator_uploads() -> None:
    with pytest.raises(Denied):
        actions.receive_uploads(
            actor=make_user(), engine="fake", files=[incoming("a.txt", b"x")], wishes=wishes(), batch=uuid.uuid4()
        )
    assert not Upload.objects.exists()


def test_a_creators_room_is_bounded(settings: object) -> None:
    settings.UPLOAD_BYTES_A_CREATOR = 30  # type: ignore[attr-defined]
    creator = make_creator()
    send(creator, "a.txt", b"Twenty bytes of text", read=False)
    with pytest.raises(TooMany):
        send(creator, "b.txt", b"Twenty more of these", read=False)
    assert Upload.objects.count() == 1


def test_consent_is_not_given_unless_ticked() -> None:
    creator = make_creator()
    make_works(creator, 3, consent=False)
    assert not Consent.objects.exists()
    assert not queries.trainable_works(creator, "fake").exists()


def test_pasted_pieces_of_json_keep_their_titles() -> None:
    creator = make_creator()
    pieces = json.dumps([{"text": text, "title": f"Nr {n}"} for n, text in enumerate(some_texts(3))]).encode()
    upload = send(creator, "all.json", pieces)
    assert list(Work.objects.filter(upload=upload).order_by("position").values_list("title", flat=True)) == [
        "Nr 0",
        "Nr 1",
        "Nr 2",
    ]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a b.txt", "a b.txt"),
        ("inv\u202etxt.exe", "invtxt.exe"),
        ("tab\tand\nline.md", "tabandline.md"),
        ("...", "file"),
        ("x" * 300 + ".docx", "x" * 115 + ".docx"),
    ],
)
def test_names_are_made_harmless(sent: str, kept: str) -> None:
    assert sanitised(sent) == kept


def test_advice_counts_down_to_enough() -> None:
    creator = make_creator()
    make_works(creator, 3)
    first = queries.enough(creator, "fake")
    assert (first.usable, first.least, first.percent) == (3, 4, 30)
    assert "1 more usable work and you can train" in first.advice
    make_works(creator, 7, seed=1)
    assert queries.enough(creator, "fake").percent == 100
