"""Word documents (.docx), with the bounds that keep a zip bomb from being unpacked."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from atelier.workshop.contract import Unreadable

from .pieces import RawPiece
from .plain import read_plain

_ENTRIES_MAX = 2_000
_UNPACKED_MAX = 100_000_000
_REMEDY = "Save it again as .docx, or as .txt, and upload the new file."


def read_word(data: bytes, filename: str) -> list[RawPiece]:
    """The pieces of a document: several "Heading 1" or rulers divide it. Errors: Unreadable."""
    import docx

    _refuse_bomb(data, filename)
    try:
        document = docx.Document(io.BytesIO(data))
        lines = list(_lines(document))
        title = str(document.core_properties.title or "").strip()
    except Exception as error:  # a hostile package breaks python-docx and lxml in many ways
        raise Unreadable("The Word document is damaged and cannot be read.", remedy=_REMEDY, where=filename) from error
    pieces = read_plain("\n\n".join(lines))
    if len(pieces) == 1 and not pieces[0].title:
        return [RawPiece(pieces[0].text, title)]
    return pieces


def _refuse_bomb(data: bytes, filename: str) -> None:
    """zipfile never unpacks more of an entry than its directory declares, so the declared sizes bound the work."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
    if len(entries) > _ENTRIES_MAX or sum(entry.file_size for entry in entries) > _UNPACKED_MAX:
        raise Unreadable(
            "The document unpacks to far more than a text needs.",
            remedy="Copy its text into a new document, or save it as .txt.",
            where=filename,
        )


def _lines(document: Any) -> Any:
    from docx.table import Table

    for block in document.iter_inner_content():
        if isinstance(block, Table):
            for row in block.rows:
                yield " ".join(dict.fromkeys(cell.text.strip() for cell in row.cells if cell.text.strip()))
            continue
        text = block.text.strip()
        if not text:
            continue
        name = (block.style.name if block.style is not None else "" or "").lower()
        level = {"title": 1, "heading 1": 1, "heading 2": 2}.get(name)
        yield f"{'#' * level} {' '.join(text.split())}" if level else text
