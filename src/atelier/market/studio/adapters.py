"""A version's adapter as a local folder, made from storage when it is first needed on a machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.utils.translation import gettext as _

from atelier.market.core import blobs
from atelier.market.core.errors import Conflict
from atelier.market.core.models import Blob
from atelier.workshop.contract import AdapterInvalid

from .models import Version


def adapter_folder(version: Version) -> Path:
    """The folder with a version's adapter files, whole and verified; many callers at once share it.

    Errors: Conflict for an erased version; AdapterInvalid when the bytes in storage are damaged or gone.
    """
    if version.state == Version.State.ERASED:
        raise Conflict(_("This version was erased."), remedy=_("Choose another version."))
    folder = _folder(version.adapter_sha256)
    if not folder.is_dir():
        _make(version, folder)
    return folder


def remove_folder(adapter_sha256: str) -> None:
    """Remove the local copy of an adapter, if there is one."""
    folder = _folder(adapter_sha256)
    with contextlib.suppress(FileNotFoundError):
        # Renamed first, so that nobody finds half a folder.
        doomed = folder.with_name(f".gone-{folder.name}-{os.getpid()}")
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _folder(adapter_sha256: str) -> Path:
    folder: Path = settings.DATA / "adapters" / adapter_sha256
    return folder


def _make(version: Version, folder: Path) -> None:
    """Write all files beside the folder's place, check each hash, and move the whole into place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        for file in version.files:
            _write(file, scratch)
        try:
            scratch.rename(folder)
        except OSError:
            # Another thread or process was first; its folder went through the same checks.
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(file: dict[str, str], scratch: Path) -> None:
    name = PurePosixPath(file["path"])
    if name.is_absolute() or ".." in name.parts:
        raise AdapterInvalid("The adapter names a file outside its folder.", where=str(name))
    blob = Blob.objects.filter(pk=file["sha256"], erased_at=None).first()
    remedy = "Train the version again, or restore the file storage from a backup."
    if blob is None:
        raise AdapterInvalid("A file of the adapter is gone.", where=str(name), remedy=remedy)
    try:
        path = blobs.copy_to(blob, scratch / name)
    except FileNotFoundError as error:
        raise AdapterInvalid("A file of the adapter is gone.", where=str(name), remedy=remedy) from error
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != file["sha256"]:
            raise AdapterInvalid("A file of the adapter is damaged.", where=str(name), remedy=remedy)
