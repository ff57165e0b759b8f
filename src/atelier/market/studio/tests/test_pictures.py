"""What a version shows: sheets to be judged by eye, and parts that its creator vetoes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from atelier.market.core import blobs
from atelier.market.core.errors import Conflict, Denied, MarketError, Missing
from atelier.market.core.models import AuditEntry
from atelier.market.core.testing import client_of, make_creator, make_user
from atelier.market.generation import actions as generation
from atelier.market.generation import testing as made_with
from atelier.market.studio import actions, showing
from atelier.market.studio.models import CreationModel, Version, VersionPart, VersionSheet
from atelier.market.studio.tasks import erase_adapter, train_version
from atelier.market.studio.testing import make_model, make_run, make_version
from atelier.market.works.testing import make_sheets
from atelier.workshop.contract import Evaluation, FileRef, Part, Sheet, TrainResult

pytestmark = pytest.mark.django_db


def vetoes(version: Version) -> list[str]:
    return list(Version.objects.values_list("vetoed", flat=True).get(pk=version.pk))


def test_a_training_keeps_its_sheets_and_parts_with_their_pictures() -> None:
    version = make_version(make_model(craft="sketch/sketches"))
    palette, held_out = version.sheets.all()
    assert (palette.public, held_out.public) == (True, False)
    with Image.open(io.BytesIO(blobs.read(palette.blob))) as opened:
        assert opened.size == (palette.width, palette.height)
    names = list(version.parts.values_list("name", flat=True))
    assert "shape:circle" in names
    colour = version.parts.filter(group="Colours").first()
    assert colour is not None
    assert colour.work in [item.work for item in version.run.dataset.items.all()]
    assert version.vetoed == []


def test_the_creator_judges_by_eye_and_vetoes_a_part_with_a_way_back(model: CreationModel, version: Version) -> None:
    client = client_of(model.creator.user)
    part = version.parts.get(name="shape:circle")
    page = client.get(reverse("studio:version", args=[version.pk])).content.decode()
    for sheet in version.sheets.all():
        assert f'src="{reverse("studio:sheet", args=[sheet.pk])}"' in page
        assert sheet.told in page
    assert f'src="{reverse("studio:part_picture", args=[part.pk])}" alt="Circle"' in page
    assert "Do not use" in page
    done = client.post(reverse("studio:veto_part", args=[part.pk]), follow=True).content.decode()
    assert vetoes(version) == ["shape:circle"]
    undo = reverse("studio:allow_part", args=[part.pk])
    assert done.count(f'action="{undo}"') == 2
    client.post(undo)
    assert vetoes(version) == []
    verbs = AuditEntry.objects.filter(verb__endswith="_part").order_by("pk").values_list("verb", "data")
    assert list(verbs) == [
        ("studio.veto_part", {"part": "shape:circle"}),
        ("studio.allow_part", {"part": "shape:circle"}),
    ]


def test_twice_is_once(model: CreationModel, version: Version) -> None:
    for _time in range(2):
        actions.veto_part(actor=model.creator.user, version_id=version.pk, name="shape:circle")
    assert vetoes(version) == ["shape:circle"]
    assert AuditEntry.objects.filter(verb="studio.veto_part").count() == 1


@pytest.mark.parametrize("who", ["another creator", "a buyer"])
def test_nobody_else_vetoes_or_sees_what_is_not_public(who: str, version: Version) -> None:
    stranger = make_creator().user if who == "another creator" else make_user()
    part = version.parts.get(name="shape:circle")
    with pytest.raises((Missing, Denied)):
        actions.veto_part(actor=stranger, version_id=version.pk, name=part.name)
    client = client_of(stranger)
    for verb in ("veto", "allow"):
        assert client.post(reverse(f"studio:{verb}_part", args=[part.pk])).status_code == 404
    veto = {"part": part.name, "vetoed": True}
    answer = client.put(f"/api/versions/{version.pk}/vetoes", veto, content_type="application/json")
    assert answer.status_code in {403, 404}
    secret = version.sheets.get(public=False)
    for path in (
        reverse("studio:part_picture", args=[part.pk]),
        reverse("studio:sheet", args=[secret.pk]),
        f"/api/sheets/{secret.pk}",
        f"/api/parts/{part.pk}/picture",
    ):
        assert client.get(path).status_code == 404, path
    assert Client().get(reverse("studio:sheet", args=[secret.pk])).status_code == 404
    assert vetoes(version) == []
    assert not AuditEntry.objects.filter(verb__endswith="_part").exists()


def test_an_unknown_part_and_an_erased_version_are_left_as_they_are(model: CreationModel, version: Version) -> None:
    def veto(name: str) -> None:
        actions.veto_part(actor=model.creator.user, version_id=version.pk, name=name)

    with pytest.raises(Missing):
        veto("shape:star")
    Version.objects.filter(pk=version.pk).update(state=Version.State.ERASED)
    with pytest.raises(Conflict):
        veto("shape:circle")
    assert vetoes(version) == []
    assert not AuditEntry.objects.filter(verb="studio.veto_part").exists()


def test_a_veto_goes_with_every_generation_and_is_written_down_with_it(model: CreationModel, version: Version) -> None:
    actions.veto_part(actor=model.creator.user, version_id=version.pk, name="shape:circle")
    model.refresh_from_db()
    made = made_with.make_samples(model, samples=3)
    assert made.vetoed == ["shape:circle"]
    assert all(b"<circle" not in blobs.read(output.blob) for output in made.outputs.all())
    actions.allow_part(actor=model.creator.user, version_id=version.pk, name="shape:circle")
    model.refresh_from_db()
    assert made_with.make_samples(model, samples=1).vetoed == []
    made.refresh_from_db()
    assert made.vetoed == ["shape:circle"]


def test_a_veto_holds_for_the_next_version_where_the_part_is_the_same() -> None:
    model = make_model(craft="sketch/sketches")
    first = make_version(model, make_sheets(model.creator, 8))
    colour = first.parts.filter(group="Colours").first()
    assert colour is not None
    for name in ("shape:circle", colour.name):
        actions.veto_part(actor=model.creator.user, version_id=first.pk, name=name)
    second = make_version(model, make_sheets(model.creator, 8))
    has = set(second.parts.values_list("name", flat=True))
    assert second.vetoed == sorted({"shape:circle", colour.name} & has)
    actions.allow_part(actor=model.creator.user, version_id=second.pk, name="shape:circle")
    assert "shape:circle" not in make_version(model, make_sheets(model.creator, 8)).vetoed
    assert "shape:circle" in vetoes(first)


def test_public_sheets_are_shown_to_all_while_the_model_is_published(model: CreationModel, version: Version) -> None:
    palette = version.sheets.get(public=True)
    page = f"/@{model.creator.handle}/{model.slug}/"
    text = Client().get(page).content.decode()
    assert f'src="{reverse("studio:sheet", args=[palette.pk])}"' in text
    assert palette.told in text
    assert version.sheets.get(public=False).told not in text
    answer = Client().get(reverse("studio:sheet", args=[palette.pk]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    (shown,) = Client().get(f"/api/listings/{model.pk}").json()["sheets"]
    assert Client().get(shown["picture"]).content == answer.content
    CreationModel.objects.filter(pk=model.pk).update(state=CreationModel.State.PAUSED)
    assert Client().get(reverse("studio:sheet", args=[palette.pk])).status_code == 404


def test_the_api_tells_sheets_and_parts_and_takes_vetoes(model: CreationModel, version: Version) -> None:
    client = client_of(model.creator.user)
    told = client.get(f"/api/versions/{version.pk}").json()
    assert [sheet["title"] for sheet in told["sheets"]] == ["Palette", "A work held out"]
    assert client.get(told["parts"][0]["picture"]).status_code == 200
    wish = {"part": "shape:circle", "vetoed": True}
    answer = client.put(f"/api/versions/{version.pk}/vetoes", wish, content_type="application/json")
    assert [part["name"] for part in answer.json()["parts"] if part["vetoed"]] == ["shape:circle"]


def test_erasing_a_version_takes_the_pictures_of_its_parts_and_leaves_the_proof(version: Version) -> None:
    before = {part.blob_id for part in version.parts.all()}
    actions.erase_version(actor=version.creation_model.creator.user, version_id=version.pk, confirm_name=str(version))
    erase_adapter(version_id=version.pk)
    assert not version.parts.exclude(blob=None).exists()
    assert not blobs.Blob.objects.filter(pk__in=before, erased_at=None).exists()
    assert version.sheets.count() == 2
    assert blobs.read(version.sheets.first().blob)  # type: ignore[union-attr]
    client = client_of(version.creation_model.creator.user)
    assert client.get(reverse("studio:version", args=[version.pk])).status_code == 200


def hostile(tmp_path: Path) -> TrainResult:
    (tmp_path / "a.png").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    bad = FileRef(path="a.png", sha256="0" * 64, bytes=1, media_type="image/png")
    outside = bad.model_copy(update={"path": "/etc/hostname"})
    parts = [Part(name=name, title="A", group="G", picture=picture) for name, picture in (("a", bad), ("a", outside))]
    answer: dict[str, Any] = {"verdict": "good", "sentence": "x"}
    return TrainResult(
        adapter_dir="adapter",
        adapter_files=(),
        adapter_sha256="0" * 64,
        evaluation=Evaluation.model_validate(
            {**dict.fromkeys(("fidelity", "worth", "copying", "safety"), answer), "publishable": True, "summary": ""}
        ),
        card={},
        seconds=1,
        parts=tuple(parts),
        sheets=(Sheet(title="S", told="T", picture=bad, width=1, height=1, public=True),),
    )


def test_what_a_training_shows_is_believed_only_by_its_bytes(tmp_path: Path) -> None:
    shown = showing.stored(hostile(tmp_path), tmp_path)
    assert shown.sheets == ()
    assert [(part.name, blob) for part, blob in shown.parts] == [("a", None)]
    assert not VersionSheet.objects.exists()


def test_a_version_without_pictures_has_a_page_like_before() -> None:
    version = make_version()
    page = client_of(version.creation_model.creator.user).get(reverse("studio:version", args=[version.pk]))
    assert "What it draws on" not in page.content.decode()
    assert "To be judged by eye" not in page.content.decode()
    assert not VersionPart.objects.exists()


def test_a_run_taken_up_twice_makes_its_parts_once() -> None:
    run = make_run(make_model(craft="sketch/sketches"))
    for _time in range(2):
        train_version(run_id=run.pk)
    assert VersionSheet.objects.count() == 2
    with pytest.raises(MarketError):
        generation.try_out(actor=make_user(), version=Version.objects.get(run=run), wish=made_with.wish())
