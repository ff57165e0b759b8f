"""Bytes in storage, named by their hash. Writing the same bytes twice keeps them once."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from .models import Blob

CHUNK = 1 << 20


def digest(stream: IO[bytes]) -> tuple[str, int]:
    """SHA-256 and length of a stream, which is rewound."""
    found, size = hashlib.sha256(), 0
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        found.update(chunk)
        size += len(chunk)
    stream.seek(0)
    return found.hexdigest(), size


def keep(stream: IO[bytes], media_type: str) -> Blob:
    """Store a stream and return its Blob. Bytes are written before the row, so a row always has its bytes."""
    sha256, size = digest(stream)
    blob = Blob(sha256=sha256, bytes=size, media_type=media_type)
    if not default_storage.exists(blob.storage_name):
        default_storage.save(blob.storage_name, File(stream))
    kept, created = Blob.objects.get_or_create(sha256=sha256, defaults={"bytes": size, "media_type": media_type})
    if not created and kept.erased_at is not None:
        Blob.objects.filter(pk=sha256).update(erased_at=None)
        kept.erased_at = None
    return kept


def keep_bytes(content: bytes, media_type: str) -> Blob:
    """Store bytes and return their Blob."""
    return keep(ContentFile(content), media_type)


def keep_file(path: Path, media_type: str) -> Blob:
    """Store a local file and return its Blob."""
    with path.open("rb") as stream:
        return keep(stream, media_type)


def open_blob(blob: Blob) -> IO[bytes]:
    """The stored bytes as a stream."""
    stream: IO[bytes] = default_storage.open(blob.storage_name, "rb")
    return stream


def read(blob: Blob) -> bytes:
    """The stored bytes."""
    with open_blob(blob) as stream:
        return stream.read()


def chunks(blob: Blob) -> Iterator[bytes]:
    """The stored bytes, a mebibyte at a time."""
    with open_blob(blob) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def copy_to(blob: Blob, path: Path) -> Path:
    """Write the stored bytes to a local file, for an engine to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_blob(blob) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, CHUNK)
    return path


def erase(blob: Blob) -> None:
    """Remove the bytes for good; the row stays and says when. The caller checks that nobody else needs them."""
    default_storage.delete(blob.storage_name)
    Blob.objects.filter(pk=blob.pk).update(erased_at=Now())
