"""Making the files of a licence: copies in every format of the engine, then the certificates that name them."""

from __future__ import annotations

import json
import logging
import mimetypes
import tempfile
import uuid
from pathlib import Path

from django.db import transaction
from django.db.models.functions import Now

from atelier.market.core import blobs, live
from atelier.market.core.models import Blob
from atelier.market.provenance.actions import record_export
from atelier.market.provenance.models import Kind
from atelier.market.provenance.queries import record_of_source
from atelier.workshop.contract import WorkshopError
from atelier.workshop.runtime import runtime

from . import certificate, paper
from .actions import expect_files
from .models import Licence, LicensedFile

log = logging.getLogger(__name__)
S = LicensedFile.State


def make(licence_id: uuid.UUID) -> None:
    """Make every file that is pending. May be killed and begun again at any line: what is ready is left alone."""
    licence = Licence.objects.select_related("output__blob", "version__creation_model").get(pk=licence_id)
    expect_files(licence)
    pending = licence.files.filter(state=S.PENDING)
    copies = [file for file in pending if not file.is_certificate]
    if copies:
        with tempfile.TemporaryDirectory(prefix="atelier-licence-") as folder:
            suffix = mimetypes.guess_extension(licence.output.blob.media_type) or ""
            master = blobs.copy_to(licence.output.blob, Path(folder) / f"piece{suffix}")
            for file in copies:
                _make_copy(licence, file, master, Path(folder))
    _make_certificates(licence)


def _make_copy(licence: Licence, file: LicensedFile, master: Path, folder: Path) -> None:
    workspace = folder / f"file-{file.pk}"
    workspace.mkdir()
    try:
        made = runtime().export(licence.version.creation_model.engine, master, file.format, workspace)
    except WorkshopError as error:
        log.warning("licence %s: the file %s could not be made: %s", licence.number, file.format, error)
        LicensedFile.objects.filter(pk=file.pk, state=S.PENDING).update(state=S.FAILED, error=str(error)[:300])
        live.publish(licence.topic, "file")
        return
    _finish(licence, file, blobs.keep_file(workspace / made.path, made.media_type))


def _make_certificates(licence: Licence) -> None:
    """The JSON first; the page is drawn from the stored JSON, so that the two always say the same."""
    told = licence.files.get(format="certificate.json")
    if told.state != S.READY:
        content = certificate.as_json(licence, licence.files.all())
        _finish(licence, told, blobs.keep_bytes(content, "application/json"))
        told.refresh_from_db()
    page = licence.files.get(format="certificate.pdf")
    if page.state != S.READY and told.blob is not None:
        content = paper.as_pdf(json.loads(blobs.read(told.blob)))
        _finish(licence, page, blobs.keep_bytes(content, "application/pdf"))


@transaction.atomic
def _finish(licence: Licence, file: LicensedFile, blob: Blob) -> None:
    """Write a file down with its birth record, unless another hand was faster."""
    fresh = LicensedFile.objects.filter(pk=file.pk, state=S.PENDING)
    if not fresh.update(state=S.READY, blob=blob, error="", ready_at=Now()):
        return
    origin = record_of_source(f"output:{licence.output_id}")
    if origin is None:
        raise LookupError(f"The piece {licence.output_id} has no birth record.")
    record_export(
        origin=origin,
        source=f"file:{file.pk}",
        sha256=blob.sha256,
        media_type=blob.media_type,
        facts={"format": file.format, "tier": licence.tier, "licence": licence.number},
        kind=Kind.CERTIFICATE if file.is_certificate else Kind.EXPORT,
    )
    live.publish(licence.topic, "file")
