"""Birth records: the first stays, every time is noted, nothing is changed, and the verify page says what is known."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from atelier.market.provenance import queries, reading
from atelier.market.provenance.actions import record_export, record_output
from atelier.market.provenance.models import Kind, Occurrence, Record

pytestmark = pytest.mark.django_db

TEXT = "Warm bread,\nsold before eight.\n\nCafé Ünder"
FACTS: dict[str, Any] = {
    "creator": {"name": "Juno", "handle": "juno"},
    "creation_model": {"name": "Warm lines", "slug": "warm-lines"},
    "version": {"number": 2, "adapter_sha256": "a" * 64},
    "dataset_sha256": "d" * 64,
    "engine": {"name": "fake", "version": "1"},
    "base": {"name": "word pairs", "sha256": "b" * 64, "licence": "AGPL-3.0-or-later"},
    "seed": 41,
    "made_for": "brief",
}


def sha(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def make_record(text: str = TEXT, source: str = "output:1", **facts: Any) -> Record:
    return record_output(source=source, sha256=sha(text), media_type="text/plain", facts={**FACTS, **facts})


def test_the_same_bytes_made_twice_keep_the_first_record_and_note_the_second() -> None:
    first = make_record(source="output:1", seed=1)
    second = make_record(source="output:2", seed=2)
    assert first == second
    assert Record.objects.get().facts["seed"] == 1
    assert [time.facts["seed"] for time in Occurrence.objects.all()] == [1, 2]


def test_recording_one_source_again_changes_nothing() -> None:
    for seed in (1, 2):
        make_record(source="output:1", seed=seed)
    assert Occurrence.objects.count() == 1
    assert Record.objects.get().facts["seed"] == 1


def test_a_licensed_copy_leads_to_the_piece_it_was_made_from() -> None:
    master = make_record()
    copy = record_export(origin=master, source="file:7", sha256=sha("copy"), media_type="text/markdown")
    assert (copy.kind, copy.origin) == (Kind.EXPORT, master)


def test_a_copy_with_the_very_bytes_of_its_master_is_noted_on_the_masters_record() -> None:
    master = make_record()
    copy = record_export(origin=master, source="file:7", sha256=master.sha256, media_type="text/plain")
    assert copy == master
    assert [time.kind for time in master.occurrences.all()] == ["output", "export"]
    assert copy.origin is None


def test_no_record_is_ever_changed_or_removed() -> None:
    record = make_record()
    changes: list[Callable[[], object]] = [
        lambda: Record.objects.update(facts={}),
        lambda: Record.objects.all()._raw_delete("default"),
        lambda: Occurrence.objects.update(kind="export"),
        lambda: Occurrence.objects.all()._raw_delete("default"),
    ]
    for change in changes:
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    record.refresh_from_db()
    assert record.facts == FACTS
    assert Occurrence.objects.count() == 1


@pytest.mark.parametrize("bad", ["", "A" * 64, "a" * 63, "g" * 64])
def test_what_is_no_hash_is_not_recorded(bad: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        record_output(source="output:1", sha256=bad, media_type="text/plain", facts={})
    assert not Record.objects.exists()


@pytest.mark.parametrize(
    "pasted",
    [
        TEXT,
        TEXT + "\n",
        f"\n\n  {TEXT}  \n",
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "  \n"),
        TEXT.replace("é", "e\u0301").replace("Ü", "U\u0308"),
    ],
)
def test_a_pasted_text_is_found_however_its_lines_end(pasted: str) -> None:
    record = make_record(TEXT)
    assert queries.find_text(pasted).record == record


@pytest.mark.parametrize("stored", [TEXT + "\n", TEXT.replace("\n", "\r\n"), TEXT.replace("\n", "\r\n") + "\r\n"])
def test_a_text_is_found_however_it_was_stored(stored: str) -> None:
    record = make_record(stored)
    assert queries.find_text(TEXT).record == record


def test_a_text_with_one_other_letter_is_not_found() -> None:
    make_record(TEXT)
    assert queries.find_text(TEXT.replace("bread", "Bread")).record is None


def test_a_file_a_text_and_a_hash_lead_to_the_same_record(client: Client) -> None:
    make_record()
    where = reverse("provenance:record", args=[sha(TEXT)])
    page = reverse("provenance:verify")
    assert client.get(page).status_code == 200
    sent = [
        {"file": SimpleUploadedFile("piece.txt", TEXT.encode())},
        {"text": TEXT},
        {"sha256": f" {sha(TEXT).upper()} "},
    ]
    for data in sent:
        assert client.post(page, data).headers["Location"].split("?")[0] == where
    shown = client.get(where)
    assert shown.status_code == 200
    for words in ("Juno", "Warm lines", "41", "a" * 64, "Not signed yet"):
        assert words.encode() in shown.content


def test_the_page_says_how_a_pasted_text_had_to_be_read(client: Client) -> None:
    make_record(TEXT + "\n")
    answer = client.post(reverse("provenance:verify"), {"text": TEXT}, follow=True)
    assert b"apart from the line end" in answer.content


def test_an_unknown_file_is_told_honestly(client: Client) -> None:
    unknown = SimpleUploadedFile("a.txt", b"Never made here.")
    answer = client.post(reverse("provenance:verify"), {"file": unknown}, follow=True)
    assert answer.status_code == 404
    assert b"no proof that it was not made here" in answer.content
    told = client.get(reverse("provenance:record", args=[sha("x")]), headers={"Accept": "application/json"})
    assert told.json() == {"sha256": sha("x"), "known": False, "record": None}


@pytest.mark.parametrize("data", [{}, {"sha256": "nonsense"}, {"text": "x" * 200_001}])
def test_what_cannot_be_looked_for_is_said_on_the_form(client: Client, data: dict[str, str]) -> None:
    answer = client.post(reverse("provenance:verify"), data)
    assert answer.status_code == 422
    assert answer.context["form"].errors


def test_a_file_beyond_the_limit_is_refused_while_it_comes(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_BYTES", 1000)
    page = reverse("provenance:verify")
    within = client.post(page, {"file": SimpleUploadedFile("a.bin", b"x" * 1000)})
    assert within.headers["Location"] == reverse("provenance:record", args=[sha(b"x" * 1000)])
    answer = client.post(page, {"file": SimpleUploadedFile("a.bin", b"x" * 1001)})
    assert answer.status_code == 422
    assert "25 MB" in str(answer.context["form"].errors["file"])
    monkeypatch.setattr(reading, "FORM_BYTES", 0)
    announced = client.post(page, {"file": SimpleUploadedFile("a.bin", b"x" * 5000)})
    assert announced.status_code == 422


def test_of_several_files_the_first_is_looked_up(client: Client) -> None:
    files = [SimpleUploadedFile(f"{name}.txt", name.encode()) for name in ("first", "second")]
    answer = client.post(reverse("provenance:verify"), {"file": files})
    assert answer.headers["Location"] == reverse("provenance:record", args=[sha("first")])


def test_nothing_of_a_verified_file_is_stored(client: Client, settings: Any, tmp_path: Any) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    client.post(reverse("provenance:verify"), {"file": SimpleUploadedFile("a.bin", b"x" * 3_000_000)})
    assert list(tmp_path.iterdir()) == []
    assert not Record.objects.exists()


def test_a_piece_is_found_by_its_own_id_without_the_hash_of_its_file(client: Client) -> None:
    made = "6f9619ff-8b86-4d01-b42d-00c04fc964ff"
    record = make_record(source=f"output:{made}")
    answer = client.get(reverse("provenance:piece", args=[made]))
    assert answer.status_code == 200
    assert b"Juno" in answer.content
    assert record.sha256.encode() not in answer.content
    other = client.get(reverse("provenance:piece", args=["6f9619ff-8b86-4d01-b42d-00c04fc964f0"]))
    assert other.status_code == 404


def test_programs_look_up_without_a_token(client: Client) -> None:
    master = make_record()
    record_export(
        origin=master, source="file:1", sha256=sha("copy"), media_type="application/pdf", facts={"format": "pdf"}
    )
    found = client.get(f"/api/records/{master.sha256}").json()
    assert (found["kind"], found["facts"]["seed"], found["signature"]) == ("output", 41, None)
    copy = client.get(f"/api/records/{sha('copy')}").json()
    assert (copy["kind"], copy["made_from"], copy["made_from_facts"]["seed"]) == ("export", master.sha256, 41)
    assert client.get(f"/api/records/{sha('unknown')}").status_code == 404
    assert client.get("/api/records/xyz").status_code == 422
    as_json = client.get(reverse("provenance:record", args=[master.sha256]), headers={"Accept": "application/json"})
    assert as_json.json()["record"]["sha256"] == master.sha256
