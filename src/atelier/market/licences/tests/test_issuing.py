from __future__ import annotations

import hashlib
import re

import pytest
from django.db import DatabaseError, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from atelier.market.billing import terms
from atelier.market.billing.models import LicenceTerms
from atelier.market.billing.testing import POOR, buy
from atelier.market.core.models import AuditEntry, Event
from atelier.market.generation.models import Access, Output
from atelier.market.generation.testing import make_output
from atelier.market.licences import actions
from atelier.market.licences.models import Licence
from atelier.market.licences.testing import make_licence
from atelier.market.studio.models import Tier

pytestmark = pytest.mark.django_db


def test_a_licence_names_all_that_it_is_about() -> None:
    output = make_output()
    licence = make_licence(output, "commercial", files=False)
    model, version = output.generation.creation_model, output.generation.version
    told = licence.certificate
    assert re.fullmatch(r"ATL-\d{4}-\d{6}-[2-9A-HJKMNP-TV-Z]{6}", licence.number)
    assert told["number"] == licence.number
    assert told["piece"]["sha256"] == output.blob_id
    assert told["made_with"] == {
        "creation_model": model.name,
        "version": 1,
        "adapter_sha256": version.adapter_sha256,
        "dataset_sha256": version.run.dataset.sha256,
    }
    assert told["creator"]["name"] == model.creator.user.name
    assert told["buyer"] == {"name": licence.buyer.name}
    assert told["terms"]["sha256"] == terms.in_force("commercial").sha256
    assert told["issued_at"] == licence.issued_at.isoformat(timespec="seconds")
    assert AuditEntry.objects.filter(verb="licences.issue", subject_id=str(licence.pk)).exists()


def test_the_buyer_may_see_the_piece_whole_from_then_on() -> None:
    output = make_output()
    licence = make_licence(output, files=False)
    assert Access.objects.filter(output=output, holder=licence.buyer).exists()


def test_issuing_again_changes_nothing() -> None:
    licence = make_licence(files=False)
    jobs = ProcrastinateJob.objects.count()
    actions.issue_for_purchase(purchase_id=str(licence.purchase_id))
    assert list(Licence.objects.all()) == [licence]
    assert ProcrastinateJob.objects.count() == jobs


def test_an_unpaid_purchase_has_no_licence() -> None:
    purchase = buy(card=POOR)
    with pytest.raises(type(purchase).DoesNotExist):
        actions.issue_for_purchase(purchase_id=str(purchase.pk))
    assert not Licence.objects.exists()


def test_an_exclusive_licence_is_told_and_takes_the_piece_off_the_market() -> None:
    output = make_output()
    licence = make_licence(output, "exclusive", files=False)
    output.refresh_from_db()
    assert (output.state, output.withdrawn_because) == (Output.State.WITHDRAWN, actions.SOLD_EXCLUSIVELY)
    (event,) = Event.objects.filter(name="licences.exclusive_sold")
    assert event.data == {"output_id": str(output.pk), "licence_id": str(licence.pk)}


def test_other_tiers_leave_the_piece_on_the_market() -> None:
    output = make_output()
    make_licence(output, "personal", files=False)
    output.refresh_from_db()
    assert output.state == Output.State.OFFERED


def test_numbers_do_not_repeat_and_do_not_tell_the_next() -> None:
    numbers = [actions._next_number() for _ in range(50)]
    counts = [int(number.split("-")[2]) for number in numbers]
    assert counts == list(range(counts[0], counts[0] + 50))
    assert len({number.split("-")[3] for number in numbers}) > 40


@pytest.mark.parametrize("tier", Tier.values)
def test_terms_stand_for_every_tier_and_are_never_changed(tier: str) -> None:
    row = terms.in_force(tier)
    assert row == terms.in_force(tier)
    assert len(row.body.split()) > 150
    assert len(row.summary) >= 3
    before = row.sha256
    for deed in (lambda: LicenceTerms.objects.filter(pk=row.pk).update(body="x"), row.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()
    assert LicenceTerms.objects.get(pk=row.pk).sha256 == before


def test_a_new_text_is_a_new_row_and_old_licences_keep_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    licence = make_licence(files=False)
    newer = terms.Text("personal", 2, "Personal licence", ("New",), "## New\nWords.")
    monkeypatch.setattr(terms, "TEXTS", (*terms.TEXTS, newer))
    assert terms.in_force("personal").number == 2
    licence.refresh_from_db()
    assert licence.terms.number == 1
    assert make_licence(files=False).terms.number == 2


def test_the_hash_of_terms_covers_every_word() -> None:
    row = terms.in_force("personal")
    first = row.sha256
    row.body += " more"
    assert row.sha256 != first
    assert len(first) == len(hashlib.sha256().hexdigest())
