"""Bounds on what a browser sends, kept while it is sent: nothing beyond them is ever written to disk."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from atelier.workshop.contract import engines

from .crafts import capabilities
from .names import sanitised


@dataclass(frozen=True)
class Refused:
    """A file that was not taken at the door, and why, in the shape of a contract Refusal."""

    filename: str
    code: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Incoming:
    """A file on its way in: its name as sent, its bytes, its length."""

    filename: str
    stream: IO[bytes]
    bytes: int


def largest_file() -> int:
    """The most bytes any engine takes in one file."""
    return max((known.capabilities().limits.upload_bytes for known in engines().values()), default=10_000_000)


def too_large(filename: str, most: int) -> Refused:
    """The refusal of a file beyond a bound."""
    return Refused(
        filename,
        "too_large",
        _("The file is larger than %(most)s MB.") % {"most": round(most / 1_000_000, 1)},
        _("Split it into smaller files."),
    )


class BoundedUpload(FileUploadHandler):
    """Stands before Django's own handlers: skips files that are too large, too many, or too much together.

    Skipped files are listed in `request.refused_files`, so that the page can name each with its remedy.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._refused: list[Refused] = []
        if request is not None:
            request.refused_files = self._refused  # type: ignore[attr-defined]
        self._files = 0
        self._bytes = 0
        self._largest = largest_file()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._files += 1

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        # Not in new_file: a file skipped there makes Django close the file before it.
        if self._files > settings.UPLOAD_FILES_A_REQUEST:
            self._refuse(
                "too_many",
                _("More than %(most)s files were sent at once.") % {"most": settings.UPLOAD_FILES_A_REQUEST},
                _("Send the rest in a second step."),
            )
        self._bytes += len(raw_data)
        if self._bytes > settings.UPLOAD_BYTES_A_REQUEST:
            self._refuse(
                "request_too_large",
                _("All files together are larger than %(most)s MB.")
                % {"most": round(settings.UPLOAD_BYTES_A_REQUEST / 1_000_000, 1)},
                _("Send the rest in a second step."),
            )
        if start + len(raw_data) > self._largest:
            refusal = too_large(sanitised(self.file_name or ""), self._largest)
            self._refuse(refusal.code, refusal.message, refusal.remedy)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None

    def _refuse(self, code: str, message: str, remedy: str) -> None:
        self._refused.append(Refused(sanitised(self.file_name or ""), code, message, remedy))
        raise SkipFile


def pasted(engine: str, text: str) -> Incoming:
    """A pasted text as the file it would have been. Errors: Invalid for an unknown engine."""
    kind = capabilities(engine).accepts_pasted
    content = text.replace("\r\n", "\n").encode()
    name = _("Pasted text")
    return Incoming(f"{name}{kind.suffix if kind else ''}", io.BytesIO(content), len(content))


def refused_at_the_door(request: HttpRequest) -> list[Refused]:
    """Files of this request that were skipped while it came in. Reads the request's body when nobody has."""
    _ = request.FILES
    found: list[Refused] = getattr(request, "refused_files", [])
    return found


def incoming(request: HttpRequest, name: str = "files") -> list[Incoming]:
    """The files that came in under a field's name."""
    return [Incoming(file.name or "", file.file, file.size or 0) for file in request.FILES.getlist(name)]  # type: ignore[arg-type]
