from __future__ import annotations

import uuid
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from atelier.market.core import blobs
from atelier.market.core.testing import make_user
from atelier.market.generation import engines
from atelier.market.generation.testing import make_output, make_picture_model
from atelier.market.licences import actions
from atelier.market.licences.models import Licence, LicensedFile
from atelier.market.licences.tasks import make_files
from atelier.market.licences.testing import make_licence
from atelier.workshop.contract import EngineUnavailable

pytestmark = pytest.mark.django_db


def signed_in(person: object) -> Client:
    client = Client()
    client.force_login(person)  # type: ignore[arg-type]
    return client


def download(licence: Licence, name: str) -> str:
    return reverse("licences:download", args=[licence.pk, name])


def test_the_holder_finds_the_whole_piece_its_files_and_its_certificate() -> None:
    licence = make_licence()
    client = signed_in(licence.buyer)
    assert licence.number in client.get(reverse("licences:list")).content.decode()
    page = client.get(reverse("licences:licence", args=[licence.pk])).content.decode()
    whole = blobs.read(licence.output.blob).decode()
    assert whole.split()[-1] in page
    for file in licence.files.all():
        assert download(licence, file.format) in page
    assert licence.output.blob_id in page


def test_the_holder_of_a_picture_sees_it_without_the_mark_as_soon_as_a_file_is_there() -> None:
    licence = make_licence(make_output(make_picture_model()), files=False)
    client, creator = signed_in(licence.buyer), signed_in(licence.creator.user)
    address = reverse("licences:licence", args=[licence.pk])
    sample = f'src="{reverse("generation:picture", args=[licence.output_id])}'
    whole = f'src="{download(licence, "png")}"'
    page = client.get(address).content.decode()
    assert sample in page
    assert whole not in page
    make_files(licence_id=str(licence.pk))
    page = client.get(address).content.decode()
    assert whole in page
    assert sample not in page
    assert "SVG drawing" not in page
    assert "SVG, to be edited" in page
    assert b"".join(client.get(download(licence, "png")).streaming_content)[1:4] == b"PNG"
    assert whole not in creator.get(address).content.decode()
    assert creator.get(download(licence, "png")).status_code == 404


def test_files_of_the_same_kind_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    known = actions.engine("sketch").capabilities()
    again = [
        form.model_copy(update={"name": f"{form.name}.large", "title": f"{form.title}, large"})
        for form in known.formats
    ]
    more = known.model_copy(update={"formats": (*known.formats, *again)})
    monkeypatch.setattr(actions, "engine", lambda _name: SimpleNamespace(capabilities=lambda: more))
    licence = make_licence(make_output(make_picture_model()), files=False)
    number = licence.number.lower()
    copies = {file.format: file.filename for file in licence.files.all() if not file.is_certificate}
    assert copies == {
        "svg": f"{number}.svg",
        "png": f"{number}.png",
        "svg.large": f"{number}-svg-large.svg",
        "png.large": f"{number}-png-large.png",
    }


def test_the_creator_sees_what_was_sold_but_no_copy_of_the_piece() -> None:
    licence = make_licence()
    page = signed_in(licence.creator.user).get(reverse("licences:licence", args=[licence.pk])).content.decode()
    assert download(licence, "certificate.pdf") in page
    assert download(licence, "txt") not in page


def test_others_find_nothing() -> None:
    licence = make_licence()
    client = signed_in(make_user())
    for address in (
        reverse("licences:licence", args=[licence.pk]),
        download(licence, "txt"),
        download(licence, "certificate.pdf"),
        f"/api/licences/{licence.pk}",
        f"/api/licences/{licence.pk}/files/txt",
    ):
        assert client.get(address).status_code == 404
    assert licence.number not in client.get(reverse("licences:list")).content.decode()
    assert client.post(reverse("licences:again", args=[licence.pk])).status_code == 404
    assert Client().get(download(licence, "txt")).status_code == 302


def test_a_download_is_safe_named_and_known_by_its_hash() -> None:
    licence = make_licence()
    client = signed_in(licence.buyer)
    response = client.get(download(licence, "txt"))
    assert b"".join(response.streaming_content) == blobs.read(licence.output.blob)
    assert response["Content-Disposition"] == f'attachment; filename="{licence.number.lower()}.txt"'
    assert int(response["Content-Length"]) == licence.output.blob.bytes
    assert response["ETag"] == f'"{licence.output.blob_id}"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"].startswith("private")
    assert client.get(download(licence, "txt"), HTTP_IF_NONE_MATCH=response["ETag"]).status_code == 304


def test_a_file_that_is_not_ready_says_so() -> None:
    licence = make_licence(files=False)
    assert signed_in(licence.buyer).get(download(licence, "txt")).status_code == 409


def test_a_page_with_pending_files_is_live_and_one_without_is_not() -> None:
    licence = make_licence()
    client = signed_in(licence.buyer)
    address = reverse("licences:licence", args=[licence.pk])
    assert "data-live=" not in client.get(address).content.decode()
    LicensedFile.objects.filter(licence=licence, format="txt").update(state="pending", blob=None)
    assert "data-live=" in client.get(address).content.decode()


def test_the_api_tells_the_same_and_sends_the_same() -> None:
    licence = make_licence()
    client = signed_in(licence.buyer)
    (listed,) = client.get("/api/licences").json()
    told = client.get(f"/api/licences/{licence.pk}").json()
    assert listed == told
    assert told["certificate"] == licence.certificate
    file = next(file for file in told["files"] if file["format"] == "html")
    sent = client.get(file["url"])
    assert sent.status_code == 200
    assert sent["ETag"] == f'"{file["sha256"]}"'
    creator = signed_in(licence.creator.user)
    assert {file["format"] for file in creator.get(f"/api/licences/{licence.pk}").json()["files"]} == {
        "certificate.pdf",
        "certificate.json",
    }
    assert creator.get(f"/api/licences/{licence.pk}/files/txt").status_code == 404
    assert client.get(f"/api/licences/{uuid.uuid4()}").status_code == 404


@pytest.mark.parametrize("address", ["/licences/", "/api/licences"])
def test_a_list_of_many_licences_asks_the_database_no_more_often(address: str) -> None:
    licence = make_licence()
    client = signed_in(licence.buyer)
    client.get(address)

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        return len(asked)

    few = questions()
    for _number in range(3):
        make_licence(make_output(licence.version.creation_model, licence.buyer))
    assert questions() == few


def test_what_was_bought_is_there_when_its_engine_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = make_licence()
    client = signed_in(licence.buyer)

    def gone(name: str) -> None:
        raise EngineUnavailable(f"{name} is not installed.")

    monkeypatch.setattr(engines, "engine", gone)
    whole = blobs.read(licence.output.blob).decode()
    for address in (reverse("licences:list"), reverse("licences:licence", args=[licence.pk])):
        page = client.get(address)
        assert page.status_code == 200
        assert whole.split()[-1] in page.content.decode()
    assert client.get(reverse("billing:purchase", args=[licence.purchase_id])).status_code == 200
