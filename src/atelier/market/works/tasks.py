"""Jobs: files are read in the worker, in a process of their own."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from atelier.market.core import blobs, pictures
from atelier.market.core.models import Blob
from atelier.workshop import contract
from atelier.workshop.runtime import runtime

from . import actions
from .models import Upload
from .names import suffix_of

log = logging.getLogger(__name__)

# Only a database that went away makes it worth doing again; what an engine says of a file it says every time.
RETRY = RetryStrategy(wait=2, retry_exceptions=[OperationalError, InterfaceError])

PREVIEW_BYTES, PREVIEW_SIDE = 1_000_000, 512


@app.task(queue="inspect", retry=RETRY)
def inspect_upload(*, upload_id: int) -> None:
    """Have an engine read an uploaded file, and make works of what it finds. Run twice, it acts once."""
    upload = Upload.objects.select_related("blob").filter(pk=upload_id, state=Upload.State.RECEIVED).first()
    if upload is None or upload.blob is None:
        return
    try:
        with tempfile.TemporaryDirectory(prefix="atelier-inspect-") as scratch:
            inspection, kept, previews = _inspect(upload, upload.blob, Path(scratch))
        actions.take_pieces(upload_id=upload_id, inspection=inspection, kept=kept, previews=previews)
    except contract.WorkshopError as error:
        actions.refuse_upload(upload_id=upload_id, code=error.code, message=error.message, remedy=error.remedy)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("inspecting upload %s failed", upload_id)
        actions.refuse_upload(
            upload_id=upload_id,
            code="failed",
            message=_("Reading the file failed, and it was not your doing."),
            remedy=_("Send it again; if it fails again, tell the operator the name of the file."),
        )


def _inspect(upload: Upload, blob: Blob, scratch: Path) -> tuple[contract.Inspection, list[Blob], list[Blob | None]]:
    """What the engine found, the bytes of each piece in storage, and its picture, where it has one."""
    workspace = scratch / "pieces"
    workspace.mkdir()
    path = blobs.copy_to(blob, scratch / f"upload{suffix_of(upload.filename)}")
    sent = contract.Upload(path=str(path), filename=upload.filename, sha256=blob.sha256, bytes=blob.bytes)
    inspection = runtime().inspect(upload.engine, sent, workspace)
    kept = []
    for piece in inspection.pieces:
        file = (workspace / piece.file).resolve()
        if not file.is_relative_to(workspace.resolve()):
            raise ValueError(f"the engine {upload.engine} names a file outside its workspace: {piece.file}")
        kept.append(blobs.keep_file(file, piece.media_type))
    return inspection, kept, [_preview(upload, piece, workspace) for piece in inspection.pieces]


def _preview(upload: Upload, piece: contract.Piece, workspace: Path) -> Blob | None:
    """The stored picture of a piece. One that is none, or too large, is left out: the work itself is as good."""
    if piece.preview is None:
        return None
    try:
        named = piece.preview.model_dump()
        return pictures.keep_from(workspace, named, bytes_most=PREVIEW_BYTES, side_most=PREVIEW_SIDE)
    except pictures.BadPicture as error:
        log.warning("the engine %s shows upload %s by what is no picture: %s", upload.engine, upload.pk, error)
        return None
