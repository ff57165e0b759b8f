"""What a file is, by its content; the name decides only between kinds of text."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import PurePath
from typing import Literal

from atelier.workshop.contract import Unreadable

Kind = Literal["plain", "markdown", "html", "word", "pdf", "table", "records"]

_REFUSED = (
    (b"{\\rtf", "an RTF document", "Open it and save it as .docx or .txt."),
    (b"\xd0\xcf\x11\xe0", "an old Office document (.doc)", "Open it and save it as .docx or .txt."),
    (b"\x89PNG", "a picture", "Upload the text itself; text inside pictures cannot be read."),
    (b"\xff\xd8\xff", "a picture", "Upload the text itself; text inside pictures cannot be read."),
    (b"GIF8", "a picture", "Upload the text itself; text inside pictures cannot be read."),
    (b"RIFF", "a sound, film or picture", "Upload the text itself."),
    (b"ID3", "a sound", "Upload the text itself."),
    (b"\x1f\x8b", "a compressed file", "Unpack it and upload the files inside."),
    (b"7z\xbc\xaf", "a compressed file", "Unpack it and upload the files inside."),
    (b"Rar!", "a compressed file", "Unpack it and upload the files inside."),
    (b"\x7fELF", "a program", "Upload texts only."),
    (b"MZ\x90", "a program", "Upload texts only."),
    (b"SQLite format 3", "a database", "Export its texts as .csv or .json."),
)
_HTML_START = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_HTML_TAG = re.compile(r"</(?:p|div|h[1-6]|article|section|span|li|ul|body|table)\s*>", re.I)


def binary_kind(data: bytes, filename: str) -> Literal["word", "pdf"] | None:
    """`word` or `pdf` when the bytes are one, None when they may be text. Errors: Unreadable for other binaries."""
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return _archive_kind(data, filename)
    for magic, what, remedy in _REFUSED:
        if data.startswith(magic):
            raise Unreadable(f"This is {what}, not a text.", remedy=remedy, where=filename)
    return None


def _archive_kind(data: bytes, filename: str) -> Literal["word"]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise Unreadable(
            "The file is damaged: it begins like a .docx but cannot be opened.",
            remedy="Save it again and upload the new file.",
            where=filename,
        ) from error
    if "word/document.xml" in names:
        return "word"
    if "mimetype" in names:
        raise Unreadable("This is an OpenDocument or e-book file.", remedy="Save it as .docx or .txt.", where=filename)
    if "[Content_Types].xml" in names:
        raise Unreadable(
            "This is a spreadsheet or slides, not a text.", remedy="Save its texts as .csv or .docx.", where=filename
        )
    raise Unreadable("This is a .zip archive.", remedy="Unpack it and upload the files inside.", where=filename)


def text_kind(text: str, filename: str) -> Kind:
    """Which kind of text it is: what the content shows, and between equals what the name says."""
    suffix = PurePath(filename).suffix.lower()
    start = text.lstrip()[:1]
    if suffix == ".json" or (start in ("[", "{") and _parses_as_json(text)):
        return "records"
    if _HTML_START.match(text) or (start == "<" and len(_HTML_TAG.findall(text[:20_000])) >= 2):
        return "html"
    if suffix in (".html", ".htm", ".xhtml") and _HTML_TAG.search(text):
        return "html"
    if suffix in (".csv", ".tsv"):
        return "table"
    return "markdown" if suffix in (".md", ".markdown") else "plain"


def _parses_as_json(text: str) -> bool:
    import json

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
