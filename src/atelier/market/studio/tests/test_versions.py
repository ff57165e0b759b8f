import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import OperationalError, connection, connections, transaction

from atelier.market.core import blobs
from atelier.market.core.errors import Conflict, Denied, Invalid, Missing
from atelier.market.core.models import AuditEntry, Blob, Event
from atelier.market.core.testing import make_creator
from atelier.market.studio import actions, adapters, queries, tasks
from atelier.market.studio.adapters import adapter_folder, hold_off_erasing
from atelier.market.studio.exporting import archive
from atelier.market.studio.models import CreationModel, Version
from atelier.market.studio.tasks import erase_adapter
from atelier.market.studio.testing import key, make_model, make_published_model, make_version
from atelier.market.works import actions as works_actions
from atelier.workshop.contract import AdapterInvalid, engine
from atelier.workshop.runtime import runtime

pytestmark = pytest.mark.django_db


def honest(version: Version, publishable: bool) -> Version:
    Version.objects.filter(pk=version.pk).update(publishable=publishable)
    version.refresh_from_db()
    return version


def test_a_vetted_creator_publishes_a_version_that_its_proof_supports() -> None:
    version = honest(make_version(), True)
    model = actions.publish_model(
        actor=version.creation_model.creator.user, creation_model_id=version.creation_model_id
    )
    assert model.state == "published"
    assert model.published_at is not None
    assert list(queries.published_models()) == [model]
    assert Event.objects.filter(name="studio.model_changed").last().data == {"creation_model_id": model.pk}
    assert AuditEntry.objects.filter(verb="studio.publish_model", subject_id=str(model.pk)).count() == 1


def test_an_unvetted_creator_cannot_publish() -> None:
    version = honest(make_version(make_model(make_creator(vetted=False))), True)
    with pytest.raises(Denied) as caught:
        actions.publish_model(actor=version.creation_model.creator.user, creation_model_id=version.creation_model_id)
    assert caught.value.code == "not_vetted"
    assert not queries.published_models().exists()
    assert not AuditEntry.objects.filter(verb="studio.publish_model").exists()


def test_without_a_version_there_is_nothing_to_publish() -> None:
    model = make_model()
    with pytest.raises(Conflict):
        actions.publish_model(actor=model.creator.user, creation_model_id=model.pk)
    model.refresh_from_db()
    assert model.state == "draft"


def test_no_better_than_the_base_needs_the_creators_explicit_word_which_is_kept() -> None:
    version = honest(make_version(), False)
    ask = {"actor": version.creation_model.creator.user, "creation_model_id": version.creation_model_id}
    with pytest.raises(Invalid) as caught:
        actions.publish_model(**ask)
    version.refresh_from_db()
    assert (caught.value.field, version.published_anyway_at) == ("anyway", None)
    assert not queries.published_models().exists()
    actions.publish_model(**ask, anyway=True)
    version.refresh_from_db()
    assert version.published_anyway_at is not None
    assert AuditEntry.objects.filter(verb="studio.publish_anyway").count() == 1


def test_a_version_that_copies_is_offered_by_no_word() -> None:
    version = honest(make_version(), False)
    version.evaluation = {"copying": {"verdict": "poor", "sentence": "It repeats 41 words."}}
    version.save(update_fields=["evaluation"])
    for anyway in (False, True):
        with pytest.raises(Conflict, match="It repeats 41 words") as caught:
            actions.publish_model(
                actor=version.creation_model.creator.user, creation_model_id=version.creation_model_id, anyway=anyway
            )
        assert caught.value.code == "copies"
    version.refresh_from_db()
    assert (version.published_anyway_at, version.creation_model.state) == (None, "draft")
    assert not AuditEntry.objects.filter(verb__startswith="studio.publish").exists()


def test_nobody_publishes_pauses_retires_or_erases_for_another() -> None:
    model = make_published_model()
    thief, version = make_creator().user, model.version
    audits = AuditEntry.objects.count()
    for deed in (
        lambda: actions.publish_model(actor=thief, creation_model_id=model.pk),
        lambda: actions.pause_model(actor=thief, creation_model_id=model.pk),
        lambda: actions.retire_model(actor=thief, creation_model_id=model.pk),
        lambda: actions.edit_model(actor=thief, creation_model_id=model.pk, values={"name": "Mine"}),
        lambda: actions.choose_version(actor=thief, version_id=version.pk),
        lambda: actions.resume_version(actor=thief, version_id=version.pk),
        lambda: actions.erase_version(actor=thief, version_id=version.pk, confirm_name=str(version)),
        lambda: queries.version_for(thief, version.pk),
    ):
        with pytest.raises(Missing):
            deed()
    model.refresh_from_db()
    version.refresh_from_db()
    assert (model.state, model.name, version.state) == ("published", "Plain words", "ready")
    assert AuditEntry.objects.count() == audits


def test_a_model_is_paused_resumed_retired_and_brought_back() -> None:
    model = make_published_model()
    ask = {"actor": model.creator.user, "creation_model_id": model.pk}
    assert actions.pause_model(**ask).state == "paused"
    with pytest.raises(Conflict):
        actions.pause_model(**ask)
    assert actions.publish_model(**ask).state == "published"
    assert actions.retire_model(**ask).state == "retired"
    with pytest.raises(Conflict):
        actions.publish_model(**ask)
    assert actions.bring_back_model(**ask).state == "draft"


def test_revoking_consent_pauses_the_version_and_the_model_that_sells_it() -> None:
    model = make_published_model()
    item = model.version.run.dataset.items.first()
    works_actions.revoke_consent(actor=model.creator.user, work_ids=[item.work_id])
    for _again in range(2):
        actions.pause_versions_trained_on(item.work_id)
    model.refresh_from_db()
    assert (model.state, model.version.state) == ("paused", "paused")
    assert item.title in model.version.paused_because
    assert AuditEntry.objects.filter(verb="studio.pause_version").count() == 1
    with pytest.raises(Conflict):
        actions.publish_model(actor=model.creator.user, creation_model_id=model.pk, anyway=True)
    with pytest.raises(Conflict):
        actions.resume_version(actor=model.creator.user, version_id=model.version.pk)
    works_actions.give_consent(actor=model.creator.user, work_ids=[item.work_id])
    actions.resume_version(actor=model.creator.user, version_id=model.version.pk)
    assert actions.publish_model(actor=model.creator.user, creation_model_id=model.pk).state == "published"


def test_a_revoked_consent_bars_publishing_even_before_the_news_arrived() -> None:
    version = honest(make_version(), True)
    item = version.run.dataset.items.first()
    works_actions.revoke_consent(actor=version.creation_model.creator.user, work_ids=[item.work_id])
    with pytest.raises(Conflict) as caught:
        actions.publish_model(actor=version.creation_model.creator.user, creation_model_id=version.creation_model_id)
    assert caught.value.code == "consent_revoked"


def test_another_version_serves_once_it_is_chosen() -> None:
    model = make_published_model()
    works = [item.work for item in model.version.run.dataset.items.all()]
    second = make_version(model, works[:6])
    model.refresh_from_db()
    assert (model.version.number, second.number) == (1, 2)
    actions.choose_version(actor=model.creator.user, version_id=second.pk, anyway=True)
    model.refresh_from_db()
    assert (model.version, model.state) == (second, "published")


def test_the_adapters_folder_holds_verified_files_that_the_engine_loads() -> None:
    version = make_version()
    folder = adapter_folder(version)
    hand = engine("fake").load(folder)
    assert hand.adapter_sha256 == version.adapter_sha256
    assert adapter_folder(version) == folder
    assert folder.name == version.adapter_sha256


def test_a_damaged_adapter_is_not_served() -> None:
    version = make_version()
    blob = Blob.objects.get(pk=version.files[0]["sha256"])
    default_storage.delete(blob.storage_name)
    default_storage.save(blob.storage_name, io.BytesIO(b"other bytes"))
    with pytest.raises(AdapterInvalid):
        adapter_folder(version)


def test_the_export_holds_the_adapter_its_card_and_where_it_came_from() -> None:
    version = make_version()
    stream = io.BytesIO(b"".join(archive(version)))
    with zipfile.ZipFile(stream) as opened:
        assert opened.testzip() is None
        names = set(opened.namelist())
        card = json.loads(opened.read("card.json"))
        readme = opened.read("README.md").decode()
        engine_files = {file["path"]: opened.read(file["path"]) for file in version.files}
    assert {"adapter.json", "README.md", "card.json"} <= names
    assert card["adapter"]["sha256"] == version.adapter_sha256
    assert card["base"]["licence"] == "AGPL-3.0-or-later"
    assert card["dataset"]["sha256"] == version.run.dataset.sha256
    assert [work["sha256"] for work in card["dataset"]["works"]] == [
        item.sha256 for item in version.run.dataset.items.all()
    ]
    assert version.evaluation["summary"] in readme
    assert "AGPL-3.0-or-later" in readme
    assert version.run.dataset.sha256 in readme
    assert engine_files["adapter.json"] == (adapter_folder(version) / "adapter.json").read_bytes()


def test_erasing_removes_the_bytes_everywhere_and_says_so() -> None:
    model = make_published_model()
    version = model.version
    folder, blob = adapter_folder(version), Blob.objects.get(pk=version.files[0]["sha256"])
    actions.erase_version(actor=model.creator.user, version_id=version.pk, confirm_name=str(version))
    model.refresh_from_db()
    assert (model.state, model.version) == ("paused", None)
    assert not queries.published_models().exists()
    for _again in range(2):
        erase_adapter(version_id=version.pk)
    version.refresh_from_db()
    blob.refresh_from_db()
    assert (version.state, version.erased_at is not None, blob.erased_at is not None) == ("erased", True, True)
    assert not default_storage.exists(blob.storage_name)
    assert not folder.exists()
    assert AuditEntry.objects.filter(verb="studio.forget_adapter").count() == 1
    with pytest.raises(Conflict):
        adapter_folder(version)
    with pytest.raises(Conflict):
        actions.resume_version(actor=model.creator.user, version_id=version.pk)


def test_the_engine_is_asked_to_remove_what_it_made_of_the_erased_files(monkeypatch: pytest.MonkeyPatch) -> None:
    version = make_published_model().version
    folder, seen = adapter_folder(version), list[tuple[str, bool]]()
    monkeypatch.setattr(runtime(), "tidy", lambda engine: seen.append((engine, folder.exists())))
    erase(version)
    assert seen == [(version.creation_model.engine, False)]


def erase(version: Version) -> None:
    """Erase a version and let the job that removes its files run to its end."""
    actions.erase_version(actor=version.creation_model.creator.user, version_id=version.pk, confirm_name=str(version))
    erase_adapter(version_id=version.pk)


@pytest.mark.parametrize("late", ["before the bytes", "after the bytes", "in place"])
def test_an_adapter_erased_while_it_is_fetched_is_neither_served_nor_left_behind(
    late: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = make_version()
    real_copy, real_make = blobs.copy_to, adapters._make

    def copy(blob: Blob, path: Path) -> Path:
        if late == "before the bytes":
            erase(version)
        copied = real_copy(blob, path)
        if late == "after the bytes":
            erase(version)
        return copied

    def make(*arguments: Any) -> None:
        real_make(*arguments)
        if late == "in place":
            # The job has looked for the folder before it stood there.
            with monkeypatch.context() as patch:
                patch.setattr(tasks, "remove_unneeded", lambda _sha256: None)
                erase(version)

    monkeypatch.setattr(blobs, "copy_to", copy)
    monkeypatch.setattr(adapters, "_make", make)
    with pytest.raises(Conflict):
        adapter_folder(version)
    assert list((settings.DATA / "adapters").glob(f"*{version.adapter_sha256}*")) == []


def test_an_erased_adapter_is_refused_whatever_a_worker_still_remembers() -> None:
    remembered = make_version()
    folder = adapter_folder(remembered)
    actions.erase_version(
        actor=remembered.creation_model.creator.user, version_id=remembered.pk, confirm_name=str(remembered)
    )
    assert (remembered.state, folder.is_dir()) == ("ready", True)
    with pytest.raises(Conflict):
        adapter_folder(remembered)


def test_what_a_killed_process_left_of_an_adapter_goes_with_it() -> None:
    version = make_version()
    folder = adapter_folder(version)
    for name in (f".making-{folder.name}-x1", f".gone-{folder.name}-x2"):
        (folder.parent / name).mkdir()
    erase(version)
    assert list(folder.parent.glob(f"*{folder.name}*")) == []


def test_an_export_under_way_ends_when_the_version_is_erased() -> None:
    version = make_version()
    parts = archive(version)
    sent, creator = [next(parts)], version.creation_model.creator.user
    # The job that removes the files has not run yet: they could still be read.
    actions.erase_version(actor=creator, version_id=version.pk, confirm_name=str(version))
    with pytest.raises(Conflict):
        sent.extend(parts)
    assert not zipfile.is_zipfile(io.BytesIO(b"".join(sent)))
    with pytest.raises(Conflict):
        queries.exportable(creator, version.pk)


@pytest.mark.django_db(transaction=True)
def test_erasing_waits_for_whoever_keeps_what_the_version_made() -> None:
    version, outcome = make_version(), []

    def impatient() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '100ms'")
                erase(version)
        except OperationalError as error:
            outcome.append(error)
        finally:
            connections.close_all()

    with transaction.atomic():
        hold_off_erasing(version)
        thread = threading.Thread(target=impatient)
        thread.start()
        thread.join()
    assert len(outcome) == 1
    version.refresh_from_db()
    assert version.state == "ready"
    erase(version)
    with pytest.raises(Conflict), transaction.atomic():
        hold_off_erasing(version)


def test_erasing_asks_for_the_name() -> None:
    version = make_version()
    with pytest.raises(Invalid):
        actions.erase_version(
            actor=version.creation_model.creator.user, version_id=version.pk, confirm_name="Plain words"
        )
    version.refresh_from_db()
    assert version.state == "ready"
    assert adapter_folder(version).is_dir()


def test_bytes_that_another_version_needs_stay() -> None:
    first = make_version()
    works = [item.work for item in first.run.dataset.items.all()]
    twin = make_version(first.creation_model, works)
    assert twin.adapter_sha256 == first.adapter_sha256
    actions.erase_version(actor=first.creation_model.creator.user, version_id=first.pk, confirm_name=str(first))
    erase_adapter(version_id=first.pk)
    first.refresh_from_db()
    assert first.erased_at is not None
    assert adapter_folder(twin).is_dir()
    assert Blob.objects.get(pk=twin.files[0]["sha256"]).erased_at is None


def test_a_double_click_makes_one_model() -> None:
    creator, twice = make_creator(), key()
    ask = {"actor": creator.user, "values": {"name": "Quiet", "craft": "fake/practice"}, "idempotency_key": twice}
    assert actions.create_model(**ask) == actions.create_model(**ask)
    other = actions.create_model(**{**ask, "idempotency_key": key()})
    assert sorted(CreationModel.objects.values_list("slug", flat=True)) == ["quiet", "quiet-2"]
    assert (other.engine, other.category) == ("fake", "practice")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " x "),
        ("craft", "nowhere/else"),
        ("about", "x" * 2001),
        ("palette", ["red"]),
        ("palette", ["#112233"] * 1 + [f"#11223{n}" for n in range(7)]),
        ("words_never", ["x" * 81]),
        ("samples_a_day", 1001),
        ("reveal_percent", 95),
        ("personal_minor", 100),
        ("exclusive_minor", 1000),
        ("floor_minor", 10),
        ("commercial_minor", 10**9),
    ],
)
def test_settings_out_of_bounds_name_their_field_and_change_nothing(field: str, value: object) -> None:
    model = make_model()
    with pytest.raises(Invalid) as caught:
        actions.edit_model(actor=model.creator.user, creation_model_id=model.pk, values={field: value})
    assert caught.value.field == field
    assert caught.value.remedy
    before = CreationModel.objects.get(pk=model.pk)
    assert getattr(before, "engine" if field == "craft" else field) == getattr(
        model, "engine" if field == "craft" else field
    )


def test_the_craft_stays_once_something_was_trained() -> None:
    model = make_version().creation_model
    actions.edit_model(actor=model.creator.user, creation_model_id=model.pk, values={"craft": "fake/practice"})
    model.refresh_from_db()
    assert model.category == "practice"
    assert model.engine == "fake"
