"""A version's adapter as a local folder, made from storage when it is first needed on a machine."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import uuid
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from atelier.market.core import blobs
from atelier.market.core.errors import Conflict
from atelier.market.core.models import Blob
from atelier.workshop.contract import AdapterInvalid

from .models import Version


def erased() -> Conflict:
    """The error of whoever comes for an adapter too late."""
    return Conflict(_("This version was erased."), remedy=_("Choose another version."), code="erased")


def refuse_erased(version: Version) -> None:
    """Errors: Conflict when a version is erased by now, whatever this instance says."""
    if Version.objects.filter(pk=version.pk, state=Version.State.ERASED).exists():
        raise erased()


def hold_off_erasing(version: Version) -> None:
    """Make erasing a version wait until the end of this transaction; any number may do so at once.

    Errors: Conflict when it was erased before.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM studio_version WHERE id = %s FOR SHARE", [version.pk])
        (state,) = cursor.fetchone()
    if state == Version.State.ERASED:
        raise erased()


def adapter_folder(version: Version) -> Path:
    """The folder with a version's adapter files, whole and verified; many callers at once share it.

    Errors: Conflict for an erased version; AdapterInvalid when the bytes in storage are damaged or gone.
    """
    refuse_erased(version)
    folder = _folder(version.adapter_sha256)
    if not folder.is_dir():
        try:
            _make(version, folder)
        finally:
            # Erased while its files were written: whoever removed the folder may have come before it stood here.
            remove_unneeded(version.adapter_sha256)
            refuse_erased(version)
    return folder


def remove_unneeded(adapter_sha256: str) -> None:
    """Remove the local copies of an adapter, unfinished ones too, unless a version that is not erased has it."""
    if Version.objects.filter(adapter_sha256=adapter_sha256).exclude(state=Version.State.ERASED).exists():
        return
    folder = _folder(adapter_sha256)
    with contextlib.suppress(FileNotFoundError):
        # Renamed first, so that nobody finds half a folder.
        folder.rename(folder.with_name(f".gone-{adapter_sha256}-{uuid.uuid4().hex}"))
    # Also what a process left that was killed while it made or removed the folder.
    for leftover in folder.parent.glob(f".*-{adapter_sha256}-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _folder(adapter_sha256: str) -> Path:
    folder: Path = settings.DATA / "adapters" / adapter_sha256
    return folder


def _make(version: Version, folder: Path) -> None:
    """Write all files beside the folder's place, check each hash, and move the whole into place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".making-{folder.name}-", dir=folder.parent))
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
        with blobs.copy_to(blob, scratch / name).open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise AdapterInvalid("A file of the adapter is gone.", where=str(name), remedy=remedy) from error
    if found != file["sha256"]:
        raise AdapterInvalid("A file of the adapter is damaged.", where=str(name), remedy=remedy)
