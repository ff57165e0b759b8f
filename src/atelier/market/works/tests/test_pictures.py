"""Works that are looked at: their small picture is shown to whoever may see them, and nothing in a file can run."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from atelier.market.core import blobs, pictures
from atelier.market.core.models import Blob
from atelier.market.core.testing import client_of, make_creator, make_user
from atelier.market.works import tasks
from atelier.market.works.models import Resemblance, Upload, Work
from atelier.market.works.testing import make_sheets, make_works, send, some_sheet
from atelier.workshop.contract import FileRef, Inspection, Piece

pytestmark = pytest.mark.django_db


def png(wide: int = 20, high: int = 20, form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (wide, high), "#334455").save(out, form)
    return out.getvalue()


def test_a_works_picture_is_kept_and_shown_with_its_title() -> None:
    creator = make_creator()
    (work,) = make_sheets(creator, 1)
    assert work.preview is not None
    client, address = client_of(creator.user), reverse("works:preview", args=[work.pk])
    for page in (reverse("works:list"), reverse("works:work", args=[work.pk])):
        text = client.get(page).content.decode()
        assert f'src="{address}" alt="sheet-0"' in text
    answer = client.get(address)
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cache-Control"].startswith("private")
    assert answer.content == blobs.read(work.preview)
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert client.get(f"/api/works/{work.pk}").json()["preview"] == f"/api/works/{work.pk}/preview"
    assert client.get(f"/api/works/{work.pk}/preview").content == answer.content


def test_nobody_else_sees_the_picture_of_a_work() -> None:
    (work,) = make_sheets(make_creator(), 1)
    address = reverse("works:preview", args=[work.pk])
    for stranger in (make_user(), make_creator().user):
        answer = client_of(stranger).get(address)
        assert answer.status_code == 404
        assert "ETag" not in answer
        assert client_of(stranger).get(f"/api/works/{work.pk}/preview").status_code == 404
    assert Client().get(address).status_code == 302
    assert client_of(make_user(operator=True)).get(address).status_code == 200


def test_a_work_that_is_read_has_no_picture() -> None:
    creator = make_creator()
    (work,) = make_works(creator, 1)
    client = client_of(creator.user)
    assert client.get(reverse("works:preview", args=[work.pk])).status_code == 404
    assert "<img" not in client.get(reverse("works:list")).content.decode()
    assert client.get(f"/api/works/{work.pk}").json()["preview"] is None


def test_an_operator_compares_pictures() -> None:
    sheet = some_sheet(7)
    send(make_creator(), "first.svg", sheet, engine="sketch")
    send(make_creator(), "again.svg", sheet, engine="sketch")
    found = Resemblance.objects.get()
    client = client_of(make_user(operator=True))
    for page in (reverse("works:resemblances"), reverse("works:resemblance", args=[found.pk])):
        text = client.get(page).content.decode()
        for work in (found.work, found.other):
            assert f'src="{reverse("works:preview", args=[work.pk])}" alt="{work.title}"' in text


def test_a_drawing_is_only_ever_a_download() -> None:
    creator = make_creator()
    (work,) = make_sheets(creator, 1)
    answer = client_of(creator.user).get(reverse("works:file", args=[work.pk]))
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"


def inspected_with(
    preview: bytes, monkeypatch: pytest.MonkeyPatch, *, path: str = "preview.png", sha: str = ""
) -> Work:
    """A work whose engine says that these bytes are its picture."""

    class Engine:
        def inspect(self, _engine: str, _upload: object, workspace: Path) -> Inspection:
            (workspace / "piece.svg").write_bytes(b"<svg/>")
            (workspace / "preview.png").write_bytes(preview)
            (workspace.parent / "outside.png").write_bytes(preview)
            ref = FileRef(path=path, sha256=sha or hashlib.sha256(preview).hexdigest(), bytes=9, media_type="text/html")
            piece = Piece(
                file="piece.svg", sha256="", bytes=6, media_type="image/svg+xml", title="A", extent=1, excerpt="",
                preview=ref,
            )  # fmt: skip
            return Inspection(pieces=(piece,))

    monkeypatch.setattr(tasks, "runtime", Engine)
    return Work.objects.get(upload=send(make_creator(), "a.svg", some_sheet(1), engine="sketch"))


def test_only_the_bytes_say_what_a_picture_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for content, told in ((png(), "image/png"), (png(form="WEBP"), "image/webp")):
        work = inspected_with(content, monkeypatch)
        assert client_of(work.creator.user).get(reverse("works:preview", args=[work.pk]))["Content-Type"] == told


@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><script>alert(1)</script>",
        b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
        b"RIFF\x00\x00\x00\x00WEBP<script>",
        b"GIF89a",
        png(513, 10),
        png() + bytes(1_000_000),
        b"",
    ],
)
def test_what_is_no_small_picture_is_left_out_and_the_work_stays(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = inspected_with(content, monkeypatch)
    assert work.upload.state == Upload.State.INSPECTED
    assert work.preview is None
    assert not Blob.objects.filter(pk=hashlib.sha256(content).hexdigest()).exists()
    assert client_of(work.creator.user).get(reverse("works:preview", args=[work.pk])).status_code == 404


def test_a_picture_outside_the_workspace_or_other_than_named_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert inspected_with(png(), monkeypatch, path="../outside.png").preview is None
    assert inspected_with(png(), monkeypatch, sha="0" * 64).preview is None
    assert not Blob.objects.filter(media_type="image/png").exists()


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "https://example.org/a.png",
        "data:image/svg+xml;base64,PHN2Zy8+",
        "data:image/png;base64,PHN2Zy8+",
        "data:image/png;base64,%%%",
        'data:image/png;base64,AAAA" onerror="alert(1)',
        "data:image/png;base64," + "A" * pictures.URI_MOST,
    ],
)
def test_a_data_uri_of_anything_but_a_picture_is_refused(uri: object) -> None:
    with pytest.raises(pictures.BadPicture):
        pictures.from_uri(uri)
