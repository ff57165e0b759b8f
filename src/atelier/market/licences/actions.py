"""Licences are issued by a payment; afterwards their holder may only have failed files made again."""

from __future__ import annotations

import secrets
import uuid

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.billing.models import Purchase
from atelier.market.core import audit, events, live
from atelier.market.core.errors import Conflict
from atelier.market.generation.actions import open_output, withdraw_output
from atelier.market.generation.models import Pick
from atelier.market.generation.picks import note_pick
from atelier.market.studio.models import Tier
from atelier.workshop.contract import Attribution, EngineUnavailable, engine

from . import certificate
from .models import CERTIFICATES, Licence, LicensedFile, SaleAttribution, SaleShare
from .queries import licence_of
from .tasks import attribute_sale, make_files

# Letters and digits that nobody mistakes for one another when reading aloud.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
SUFFIX = 6
SOLD_EXCLUSIVELY = "sold exclusively"
PARTS = 1_000_000

WITH_PIECE = (
    "output__blob",
    "output__generation__version__run__dataset",
    "output__generation__version__creation_model__creator__user",
    "buyer",
    "terms",
)


@transaction.atomic
def issue_for_purchase(*, purchase_id: str) -> None:
    """Issue the licence of a purchase, once, in the transaction that writes down its payment.

    An exclusive one takes the piece off the market for ever. Errors: Purchase.DoesNotExist unless it is paid.
    """
    purchase = Purchase.objects.select_related(*WITH_PIECE).get(pk=purchase_id, state=Purchase.State.PAID)
    if Licence.objects.filter(purchase=purchase).exists():
        return
    version = purchase.output.generation.version
    licence = Licence(
        number=_next_number(),
        purchase=purchase,
        output=purchase.output,
        version=version,
        creator=version.creation_model.creator,
        buyer=purchase.buyer,
        tier=purchase.tier,
        terms=purchase.terms,
        issued_at=timezone.now(),
    )
    licence.certificate = certificate.content(licence)
    licence.save(force_insert=True)
    expect_files(licence)
    open_output(output=purchase.output, holder=purchase.buyer)
    note_pick(purchase.output, Pick.Because.BOUGHT)
    audit.record(purchase.buyer, "licences.issue", licence, number=licence.number, tier=licence.tier)
    if licence.tier == Tier.EXCLUSIVE:
        events.emit("licences.exclusive_sold", output_id=str(licence.output_id), licence_id=str(licence.pk))
        withdraw_output(output_id=licence.output_id, because=SOLD_EXCLUSIVELY)
    make_files.defer(licence_id=str(licence.pk))
    attribute_sale.defer(licence_id=str(licence.pk))


def expect_files(licence: Licence) -> None:
    """Note which files a licence is to have: one a format of the engine, and the certificates. Twice is once."""
    name = licence.number.lower()
    try:
        formats = engine(licence.version.creation_model.engine).capabilities().formats
    except EngineUnavailable:
        # Nobody's payment waits for an engine to be installed again: the job looks for its formats once more.
        formats = ()
    taken: set[str] = set()
    wanted = []
    for form in formats:
        # Two files in one folder: the first of a kind has the plain name.
        filename = f"{name}{form.suffix}" if form.suffix not in taken else f"{name}-{_plain(form.name)}{form.suffix}"
        taken.add(form.suffix)
        wanted.append(LicensedFile(licence=licence, format=form.name, filename=filename, title=form.title[:120]))
    wanted += [LicensedFile(licence=licence, format=f, filename=f"{name}-{f}") for f in CERTIFICATES]
    LicensedFile.objects.bulk_create(wanted, ignore_conflicts=True)


def _plain(format_name: str) -> str:
    return format_name.replace(".", "-")


@transaction.atomic
def make_failed_files_again(*, actor: User, licence_id: uuid.UUID) -> Licence:
    """Have the files that could not be made tried once more. Errors: Missing; Conflict when none failed."""
    licence = licence_of(actor, licence_id)
    failed = LicensedFile.objects.filter(licence=licence, licence__buyer=actor, state=LicensedFile.State.FAILED)
    if not failed.update(state=LicensedFile.State.PENDING, error=""):
        raise Conflict(_("No file of this licence has failed."), remedy=_("Reload the page to see how they stand."))
    audit.record(actor, "licences.make_files_again", licence)
    live.publish(licence.topic, "file")
    make_files.defer(licence_id=str(licence.pk))
    return licence


@transaction.atomic
def keep_attribution(*, licence: Licence, found: Attribution | None, untold: str = "") -> bool:
    """Write down which works shaped a sale, or why that cannot be told; False when it was written down before.

    Shares of what is no work of the version's dataset are left out.
    """
    Licence.objects.select_for_update().get(pk=licence.pk)
    if SaleAttribution.objects.filter(licence=licence).exists():
        return False
    works: dict[str, int] = {}
    for item in licence.version.run.dataset.items.order_by("position"):
        works.setdefault(item.sha256, item.work_id)
    known = [share for share in (found.shares if found else ()) if share.work in works]
    kept = SaleAttribution.objects.create(
        licence=licence,
        method=found.method[:80] if found else "",
        told=min(PARTS, round(PARTS * sum(share.value for share in known))),
        untold=untold,
    )
    SaleShare.objects.bulk_create(
        SaleShare(
            attribution=kept,
            work_id=works[share.work],
            parts=round(PARTS * share.value),
            low=round(PARTS * share.low),
            high=round(PARTS * share.high),
        )
        for share in known
    )
    audit.record(None, "licences.attribute", licence, method=kept.method, untold=untold, works=len(known))
    live.publish(licence.topic, "attribution")
    return True


def _next_number() -> str:
    """A number that nobody can guess from another one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('licences_number')")
        (count,) = cursor.fetchone()
    suffix = "".join(secrets.choice(ALPHABET) for _ in range(SUFFIX))
    return f"ATL-{timezone.now():%Y}-{count:06d}-{suffix}"
