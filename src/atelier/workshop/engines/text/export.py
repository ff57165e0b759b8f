"""Delivers a master as plain text, Markdown or a Word document; the same master always gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from datetime import datetime
from pathlib import Path

from atelier.workshop.contract import FileRef, OutputFormat, WorkshopError

FORMATS = (
    OutputFormat(name="txt", title="Plain text", media_type="text/plain", suffix=".txt"),
    OutputFormat(name="md", title="Markdown", media_type="text/markdown", suffix=".md"),
    OutputFormat(
        name="docx",
        title="Word document",
        media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        suffix=".docx",
    ),
)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold
_MARKS = re.compile(r"([\\`*_\[\]<>])")
_LINE_MARKS = re.compile(r"^(\s*)(#{1,6}(?=\s)|[-+](?=\s)|={3,}\s*$|-{3,}\s*$|~{3,})", re.M)
_NUMBERED = re.compile(r"^(\s*\d{1,9})([.)])(?=\s)", re.M)


def export(master: Path, format_name: str, workspace: Path) -> FileRef:
    """Write a master in one of `FORMATS`. Errors: WorkshopError for another format or a master that is gone."""
    form = next((form for form in FORMATS if form.name == format_name), None)
    if form is None:
        names = ", ".join(form.name for form in FORMATS)
        raise WorkshopError(f"There is no format “{format_name}”.", remedy=f"Choose one of: {names}.")
    try:
        text = master.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorkshopError("The master cannot be read.", where=master.name, remedy="Make the text again.") from error
    if format_name == "docx":
        data = _word(text)
    elif format_name == "md":
        data = (_markdown(text) + "\n").encode("utf-8")
    else:
        data = (text + "\n").encode("utf-8")
    workspace.mkdir(parents=True, exist_ok=True)
    path = f"{master.stem}{form.suffix}"
    if (workspace / path).resolve() == master.resolve():
        path = f"{master.stem}-delivered{form.suffix}"
    (workspace / path).write_bytes(data)
    return FileRef(path=path, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), media_type=form.media_type)


def _markdown(text: str) -> str:
    """The text with the signs that Markdown would take for its own escaped, and line breaks kept."""
    escaped = _NUMBERED.sub(r"\1\\\2", _LINE_MARKS.sub(r"\1\\\2", _MARKS.sub(r"\\\1", text)))
    return re.sub(r"(?<=\S)\n(?=\S)", "  \n", escaped)


def _word(text: str) -> bytes:
    import docx

    document = docx.Document()
    properties = document.core_properties
    properties.created = properties.modified = datetime(*_EPOCH)
    properties.author = properties.last_modified_by = properties.comments = ""
    properties.title = ""
    for paragraph in re.split(r"\n{2,}", _printable(text)):
        document.add_paragraph(paragraph)  # a single line break becomes a break within the paragraph
    buffer = io.BytesIO()
    document.save(buffer)
    return _timeless(buffer.getvalue())


def _printable(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(c for c in text if c in "\n\t" or (c >= " " and c not in "\ufffe\uffff"))


def _timeless(package: bytes) -> bytes:
    """The same zip with its entries in order of name and without times."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        names = sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name))
        for name in names:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            target.writestr(entry, source.read(name))
    return out.getvalue()
