"""PDF files with a text layer."""

from __future__ import annotations

import io
import re

from atelier.workshop.contract import Unreadable

from .pieces import RawPiece
from .plain import read_plain

_PAGES_MAX = 300
_CHARACTERS_MAX = 4_000_000


def read_pdf(data: bytes, filename: str) -> list[RawPiece]:
    """The pieces of a PDF, its lines joined to paragraphs again. Errors: Unreadable, with what to do instead."""
    import pypdf

    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("The PDF is locked with a password.", remedy="Save it without a password.", where=filename)
        if len(reader.pages) > _PAGES_MAX:
            raise Unreadable(
                f"The PDF has {len(reader.pages)} pages; up to {_PAGES_MAX} are read.",
                remedy="Split it and upload the parts.",
                where=filename,
            )
        pages = _page_texts(reader)
    except Unreadable:
        raise
    except Exception as error:  # a hostile PDF breaks the reader in many ways, recursion among them
        raise Unreadable(
            "The PDF is damaged and cannot be read.", remedy="Export it again, or upload its text.", where=filename
        ) from error
    if not any(re.search(r"\w", page) for page in pages):
        raise Unreadable(
            "The PDF holds pictures of pages but no text.",
            remedy="Run text recognition (OCR) on it, or upload the original document.",
            where=filename,
        )
    return read_plain("\n\n".join(_paragraphs(page) for page in pages))


def _page_texts(reader: object) -> list[str]:
    texts: list[str] = []
    total = 0
    for page in reader.pages:  # type: ignore[attr-defined]
        texts.append(page.extract_text() or "")
        total += len(texts[-1])
        if total > _CHARACTERS_MAX:
            break
    return texts


def _paragraphs(page: str) -> str:
    """Join the lines of a page that were broken only because the line was full."""
    lines = [line.strip() for line in page.split("\n")]
    full = 0.75 * max((len(line) for line in lines), default=0)
    out: list[str] = []
    joining = False
    for line in lines:
        if joining and line:
            hyphen = out[-1].endswith("-") and line[:1].islower()
            out[-1] = out[-1][:-1] + line if hyphen else f"{out[-1]} {line}"
        else:
            out.append(line)
        joining = bool(line) and len(line) >= full and full >= 30
    return "\n".join(out)
