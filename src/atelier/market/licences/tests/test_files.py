from __future__ import annotations

import hashlib
import io
import json

import pytest
from procrastinate.jobs import Job
from pypdf import PdfReader

from atelier.market.billing.testing import buy
from atelier.market.core import blobs
from atelier.market.core.errors import Conflict, Missing
from atelier.market.core.models import LiveEvent
from atelier.market.core.testing import make_user
from atelier.market.generation.testing import make_output
from atelier.market.licences import actions, making, paper, queries
from atelier.market.licences.models import Licence, LicensedFile
from atelier.market.licences.tasks import make_files
from atelier.market.licences.testing import make_licence
from atelier.market.provenance.models import Record
from atelier.workshop.contract import WorkshopError

pytestmark = pytest.mark.django_db
S = LicensedFile.State


def states(licence: Licence) -> dict[str, str]:
    return dict(licence.files.values_list("format", "state"))


def content(licence: Licence, format_name: str) -> bytes:
    file = licence.files.get(format=format_name)
    assert file.blob is not None
    return blobs.read(file.blob)


def test_files_are_expected_from_the_start_and_ready_after_the_job() -> None:
    licence = make_licence(files=False)
    wanted = {"txt", "html", "certificate.pdf", "certificate.json"}
    assert states(licence) == dict.fromkeys(wanted, S.PENDING)
    make_files(licence_id=str(licence.pk))
    assert states(licence) == dict.fromkeys(wanted, S.READY)
    assert content(licence, "txt") == blobs.read(licence.output.blob)
    assert LiveEvent.objects.filter(topic=licence.topic).count() == 4


def test_every_file_is_in_the_records_under_its_hash() -> None:
    licence = make_licence()
    master = Record.objects.get(sha256=licence.output.blob_id)
    for file in licence.files.exclude(blob=licence.output.blob_id):
        record = Record.objects.get(sha256=file.blob_id)
        assert record.origin == master
        assert record.kind == ("certificate" if file.is_certificate else "export")
        assert licence.buyer.name not in json.dumps(record.facts)


def test_the_certificate_names_the_delivered_files_by_their_hashes() -> None:
    licence = make_licence()
    told = json.loads(content(licence, "certificate.json"))
    assert {file["format"]: file["sha256"] for file in told["files"]} == {
        name: hashlib.sha256(content(licence, name)).hexdigest() for name in ("txt", "html")
    }
    assert told["number"] == licence.number


def test_the_certificate_on_paper_says_the_same() -> None:
    licence = make_licence(tier="exclusive")
    told = json.loads(content(licence, "certificate.json"))
    reader = PdfReader(io.BytesIO(content(licence, "certificate.pdf")))
    words = "".join(page.extract_text() for page in reader.pages)
    assert len(reader.pages) == 1
    bare = words.replace("\n", "").replace(" ", "")
    for said in (
        licence.number,
        "Exclusive licence",
        told["creator"]["name"],
        told["buyer"]["name"],
        told["piece"]["sha256"],
        told["made_with"]["adapter_sha256"],
        told["made_with"]["dataset_sha256"],
        told["terms"]["sha256"],
        f"/verify/{told['piece']['sha256']}/",
    ):
        assert said.replace(" ", "") in bare


def test_the_same_content_is_the_same_paper_byte_for_byte() -> None:
    told = json.loads(content(make_licence(), "certificate.json"))
    assert paper.as_pdf(told) == paper.as_pdf(json.loads(json.dumps(told)))


@pytest.mark.parametrize("name", ["Łukasz Ωmega 山田", "A" * 120, "word " * 24, ""])
def test_any_name_fits_on_the_paper(name: str) -> None:
    told = json.loads(content(make_licence(), "certificate.json"))
    told["buyer"]["name"] = told["creator"]["name"] = name
    assert len(PdfReader(io.BytesIO(paper.as_pdf(told))).pages) == 1


@pytest.mark.parametrize(
    ("name", "spelt", "note"),
    [
        ("Łukasz Ωmega Жанна", "Łukasz Ωmega Жанна", False),
        ("Nguye\u0302\u0303n", "Nguyễn", False),
        ("山田 Ines", "?? Ines", True),
    ],
)
def test_names_are_spelt_as_they_are_and_what_cannot_be_shown_is_said(name: str, spelt: str, note: bool) -> None:
    told = json.loads(content(make_licence(), "certificate.json"))
    told["buyer"]["name"] = name
    words = PdfReader(io.BytesIO(paper.as_pdf(told))).pages[0].extract_text()
    assert words.count(spelt) == 2
    assert ("certificate.json has it" in words) is note


def test_a_job_that_fails_is_tried_again_for_as_long_as_it_takes() -> None:
    job = Job(id=1, queue="quick", lock=None, queueing_lock=None, task_name=make_files.name, attempts=500)
    assert make_files.get_retry_exception(OSError("the disk is full"), job) is not None


def test_making_again_changes_nothing() -> None:
    licence = make_licence()
    before = list(licence.files.values_list("format", "blob_id", "ready_at"))
    records = Record.objects.count()
    make_files(licence_id=str(licence.pk))
    assert list(licence.files.values_list("format", "blob_id", "ready_at")) == before
    assert Record.objects.count() == records


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_a_job_killed_after_any_file_is_taken_up_where_it_was(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    licence = make_licence(files=False)
    finish, done = making._finish, []

    def dying(*args: object) -> None:
        if len(done) == kept:
            raise Killed
        done.append(args)
        finish(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as killing:
        killing.setattr(making, "_finish", dying)
        with pytest.raises(Killed):
            make_files(licence_id=str(licence.pk))
    ready = dict(licence.files.filter(state=S.READY).values_list("format", "blob_id"))
    assert len(ready) == kept
    make_files(licence_id=str(licence.pk))
    assert set(states(licence).values()) == {S.READY}
    assert dict(licence.files.filter(format__in=ready).values_list("format", "blob_id")) == ready


def test_a_format_that_fails_says_why_and_can_be_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = make_licence(files=False)
    real = making.runtime().export

    class Broken:
        def export(self, engine: str, master: object, name: str, workspace: object) -> object:
            if name == "html":
                raise WorkshopError("It is broken.", remedy="Try later.")
            return real(engine, master, name, workspace)  # type: ignore[arg-type]

    with monkeypatch.context() as breaking:
        breaking.setattr(making, "runtime", Broken)
        make_files(licence_id=str(licence.pk))
    failed = licence.files.get(format="html")
    assert (failed.state, failed.error) == (S.FAILED, "It is broken. Try later.")
    assert states(licence)["certificate.pdf"] == states(licence)["txt"] == S.READY
    with pytest.raises(Missing):
        actions.make_failed_files_again(actor=make_user(), licence_id=licence.pk)
    actions.make_failed_files_again(actor=licence.buyer, licence_id=licence.pk)
    make_files(licence_id=str(licence.pk))
    assert states(licence)["html"] == S.READY
    with pytest.raises(Conflict):
        actions.make_failed_files_again(actor=licence.buyer, licence_id=licence.pk)


def test_the_holder_has_all_files_the_creator_the_certificates_and_others_none() -> None:
    licence = make_licence()
    creator, other = licence.creator.user, make_user()
    for name in ("txt", "certificate.pdf"):
        assert queries.file_for(licence.buyer, licence.pk, name).format == name
    assert queries.file_for(creator, licence.pk, "certificate.pdf").format == "certificate.pdf"
    for person, name in ((creator, "txt"), (other, "txt"), (other, "certificate.pdf"), (licence.buyer, "nothing")):
        with pytest.raises(Missing):
            queries.file_for(person, licence.pk, name)


def test_the_creator_cannot_have_files_made_again() -> None:
    licence = make_licence(files=False)
    LicensedFile.objects.filter(licence=licence).update(state=S.FAILED)
    with pytest.raises(Conflict):
        actions.make_failed_files_again(actor=licence.creator.user, licence_id=licence.pk)
    assert set(states(licence).values()) == {S.FAILED}


def test_another_buyer_of_the_same_piece_has_files_of_their_own() -> None:
    output = make_output()
    first = make_licence(output)
    second = Licence.objects.get(purchase=buy(output, "commercial"))
    make_files(licence_id=str(second.pk))
    assert set(first.files.values_list("filename", flat=True)).isdisjoint(
        second.files.values_list("filename", flat=True)
    )
