"""Reads the hash of a file as it streams in: nothing of it is stored, and no more is read than may be sent."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

MOST_BYTES = 25_000_000
FORM_BYTES = 100_000
"""Room for what a form with a file holds besides the file."""


class HashingUpload(FileUploadHandler):
    """Computes the SHA-256 of the first uploaded file while it comes; `sha256` is empty when there was none."""

    chunk_size = 1 << 20

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.sha256 = ""
        self.size = 0
        self.too_long = False
        self._digest = hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Counts and hashes a chunk. Errors: StopUpload beyond the limit."""
        self.size += len(raw_data)
        if self.size > MOST_BYTES:
            self.too_long = True
            raise StopUpload(connection_reset=True)
        self._digest.update(raw_data)

    def file_complete(self, file_size: int) -> Any:
        """The file is over. An empty form field has no name and no bytes."""
        if self.file_name and not self.too_long and not self.sha256:
            self.sha256 = self._digest.hexdigest()
        return None


def announced_too_long(request: HttpRequest) -> bool:
    """Whether the request says itself that it is longer than may be sent, before anything of it is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return not str(length).isdecimal() or int(length) > MOST_BYTES + FORM_BYTES
