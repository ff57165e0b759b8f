from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from atelier.market.core.models import LiveEvent
from atelier.market.core.testing import make_user
from atelier.market.generation.testing import make_output
from atelier.market.licences import attributing, queries
from atelier.market.licences.models import Licence, SaleAttribution, SaleShare
from atelier.market.licences.tasks import attribute_sale
from atelier.market.licences.testing import make_licence
from atelier.market.studio import adapters
from atelier.market.studio.models import DatasetWork, Version
from atelier.market.works.actions import remove_works
from atelier.workshop import contract
from atelier.workshop.contract import Attribution, Share
from atelier.workshop.runtime import runtime

pytestmark = pytest.mark.django_db
HEADING = "Which of your works shaped this sale"


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page_of(licence: Licence, person: Any) -> str:
    answer = signed_in(person).get(reverse("licences:licence", args=[licence.pk]))
    return answer.content.decode() if answer.status_code == 200 else ""


def works_of(licence: Licence) -> list[DatasetWork]:
    return list(licence.version.run.dataset.items.select_related("work"))


def tell(licence: Licence, monkeypatch: pytest.MonkeyPatch, *shares: tuple[int, float, float, float]) -> None:
    """Let the engine name works of the dataset by their place, with value, low and high."""
    works = works_of(licence)
    found = Attribution(
        method="by hand, 1",
        shares=tuple(
            Share(work=works[place].sha256, value=value, low=low, high=high) for place, value, low, high in shares
        ),
        told=sum(share[1] for share in shares),
    )
    fail_with(monkeypatch, found)
    attributing.attribute(licence.pk)


def fail_with(monkeypatch: pytest.MonkeyPatch, outcome: Attribution | Exception) -> None:
    def attribute(*_: Any) -> Attribution:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(type(runtime()), "attribute", attribute)


def test_a_sale_is_attributed_by_its_engine_to_works_of_its_version() -> None:
    licence = make_licence(files=False)
    attributing.attribute(licence.pk)
    known = SaleAttribution.objects.get(licence=licence)
    assert known.method == "shared word pairs, 1"
    assert not known.untold
    shares = list(known.shares.all())
    assert shares
    assert {share.work_id for share in shares} <= {item.work_id for item in works_of(licence)}
    assert abs(known.told - sum(share.parts for share in shares)) <= len(shares)
    assert LiveEvent.objects.filter(topic=licence.topic, kind="attribution").count() == 1


def test_the_job_is_queued_with_the_sale_and_acts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = make_licence(files=False)
    queued = ProcrastinateJob.objects.filter(task_name=attribute_sale.name, args__licence_id=str(licence.pk))
    assert queued.count() == 1
    attributing.attribute(licence.pk)
    before = list(SaleShare.objects.values())
    fail_with(monkeypatch, RuntimeError("asked twice"))
    attributing.attribute(licence.pk)
    assert list(SaleShare.objects.values()) == before
    assert SaleAttribution.objects.count() == 1


def test_what_was_written_down_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = make_licence(files=False)
    tell(licence, monkeypatch, (0, 0.3, 0.2, 0.4))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        SaleAttribution.objects.update(told=1)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        SaleShare.objects.update(parts=300_001)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        SaleShare.objects.all().delete()
    assert list(SaleShare.objects.values_list("parts", flat=True)) == [300_000]


def test_the_creator_sees_the_works_and_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = make_licence(files=False)
    tell(licence, monkeypatch, (0, 0.3, 0.2, 0.4), (2, 0.1, 0.05, 0.15))
    seen = page_of(licence, licence.creator.user)
    assert HEADING in seen
    assert "Piece 0" in seen
    assert "Piece 2" in seen
    assert "Piece 1" not in seen
    assert "about 40\u00a0% of the piece" in seen
    told = signed_in(licence.creator.user).get(f"/api/licences/{licence.pk}").json()["attribution"]
    assert [share["title"] for share in told["shares"]] == ["Piece 0", "Piece 2"]
    assert told["told"] == pytest.approx(0.4)

    other = make_licence(make_output(), files=False).creator.user
    for person in (licence.buyer, other, make_user()):
        page = page_of(licence, person)
        assert HEADING not in page
        assert "Piece 0" not in page
        answer = signed_in(person).get(f"/api/licences/{licence.pk}").json()
        assert answer.get("attribution") is None
        assert "Piece 0" not in signed_in(person).get(reverse("licences:works")).content.decode()


def test_a_removed_work_keeps_its_share_and_is_shown_as_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = make_licence(files=False)
    tell(licence, monkeypatch, (0, 0.3, 0.2, 0.4))
    work = works_of(licence)[0].work
    remove_works(actor=licence.creator.user, work_ids=[work.pk])
    assert "Piece 0 (removed)" in page_of(licence, licence.creator.user)
    (share,) = signed_in(licence.creator.user).get(f"/api/licences/{licence.pk}").json()["attribution"]["shares"]
    assert share["removed"]
    assert share["value"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("error", "untold", "said"),
    [
        (contract.Untold("Nothing was kept."), "nothing kept", "nothing was kept to tell it by"),
        (contract.AdapterInvalid("Damaged."), "failed", "It could not be told"),
    ],
)
def test_what_cannot_be_told_is_said_plainly(
    monkeypatch: pytest.MonkeyPatch, error: Exception, untold: str, said: str
) -> None:
    licence = make_licence(files=False)
    fail_with(monkeypatch, error)
    attributing.attribute(licence.pk)
    assert SaleAttribution.objects.get(licence=licence).untold == untold
    assert said in page_of(licence, licence.creator.user)
    assert not SaleShare.objects.exists()


def test_an_old_version_without_anything_kept_says_so() -> None:
    licence = make_licence(files=False)
    version = licence.version
    Version.objects.filter(pk=version.pk).update(files=[f for f in version.files if f["path"] != "works.json"])
    adapters.shutil.rmtree(adapters._folder(version.adapter_sha256), ignore_errors=True)
    attributing.attribute(licence.pk)
    assert SaleAttribution.objects.get(licence=licence).untold == SaleAttribution.Untold.NOTHING_KEPT


def test_the_sale_of_an_erased_version_says_so() -> None:
    licence = make_licence(files=False)
    Version.objects.filter(pk=licence.version_id).update(state=Version.State.ERASED)
    attributing.attribute(licence.pk)
    assert SaleAttribution.objects.get(licence=licence).untold == SaleAttribution.Untold.ERASED


def test_what_may_pass_is_tried_again_and_given_up_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = make_licence(files=False)
    fail_with(monkeypatch, contract.OverTime("It took too long."))
    with pytest.raises(contract.OverTime):
        attributing.attribute(licence.pk)
    assert not SaleAttribution.objects.exists()
    assert "It is being worked out" in page_of(licence, licence.creator.user)
    attributing.attribute(licence.pk, last=True)
    assert SaleAttribution.objects.get(licence=licence).untold == SaleAttribution.Untold.FAILED


def test_a_work_that_is_not_of_the_dataset_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = make_licence(files=False)
    strange = Share(work="0" * 64, value=0.5, low=0.4, high=0.6)
    fail_with(monkeypatch, Attribution(method="by hand, 1", shares=(strange,), told=0.5))
    attributing.attribute(licence.pk)
    assert SaleAttribution.objects.get(licence=licence).told == 0
    assert "No single work stands out" in page_of(licence, licence.creator.user)


def test_the_sums_of_works_over_sales(monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_licence(files=False)
    second = make_licence(make_output(first.version.creation_model), files=False)
    tell(first, monkeypatch, (0, 0.3, 0.2, 0.4), (1, 0.1, 0.1, 0.1))
    tell(second, monkeypatch, (0, 0.5, 0.5, 0.5))
    page = signed_in(first.creator.user).get(reverse("licences:works")).content.decode()
    assert page.index("Piece 0") < page.index("Piece 1")
    assert "0.80" in page
    assert "0.70 – 0.90" in page
    assert "Piece 2" not in page


def test_forgotten_sales_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = make_licence(files=False)
    assert queries.sales_without_attribution() == []
    Licence.objects.filter(pk=licence.pk).update(issued_at="2026-01-01T00:00:00Z")
    assert queries.sales_without_attribution() == [licence.pk]
    tell(licence, monkeypatch, (0, 0.3, 0.2, 0.4))
    assert queries.sales_without_attribution() == []


def test_the_engine_is_given_the_master_and_the_brief(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = make_licence(files=False)
    given: dict[str, Any] = {}

    def attribute(_: Any, engine: str, adapter: Path, output: Path, brief: dict[str, Any]) -> Attribution:
        given.update(engine=engine, adapter=adapter.name, text=output.read_bytes(), brief=brief)
        return Attribution(method="by hand, 1")

    monkeypatch.setattr(type(runtime()), "attribute", attribute)
    attributing.attribute(licence.pk)
    assert given["engine"] == "fake"
    assert given["adapter"] == licence.version.adapter_sha256
    assert given["brief"] == licence.output.generation.brief
    assert given["text"] == attributing.blobs.read(licence.output.blob)
