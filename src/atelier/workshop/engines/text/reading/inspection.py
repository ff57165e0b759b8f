"""The way of an upload: detect, read, clean, judge each piece, and write what is usable."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePath

from atelier.workshop.contract import Inspection, Piece, Refusal, Unreadable, Upload
from atelier.workshop.engines.text.fingerprints import fingerprints

from .decoding import clean, decode, one_line
from .detection import binary_kind, text_kind
from .html import read_html
from .languages import guess_language
from .pdf import read_pdf
from .pieces import PIECES_MAX, WORDS_MAX, WORDS_MIN, RawPiece
from .plain import read_plain
from .records import read_records
from .table import read_table
from .word import read_word

_TITLE_CHARACTERS = 120
_EXCERPT_CHARACTERS = 280
_DESCRIPTION_CHARACTERS = 500
_REFUSALS_MAX = 50
_NAMELESS = frozenset(["pasted", "paste", "untitled", "document", "text", "upload", "file", "new"])


def inspect(upload: Upload, workspace: Path, *, bytes_max: int) -> Inspection:
    """Every usable piece of a hostile file, written as UTF-8 `.txt` into the workspace, and why others were not taken.

    Errors: Unreadable when the file cannot be read or nothing in it can be used.
    """
    name = PurePath(upload.filename.replace("\\", "/")).name or "the file"
    raw = _read(_bytes(upload, name, bytes_max), name)
    pieces: list[Piece] = []
    refusals: list[Refusal] = []
    for piece in raw:
        where = f"{name}, {piece.where}" if piece.where else name
        refusal = _refusal(piece, where) or (_too_many(where) if len(pieces) >= PIECES_MAX else None)
        if refusal is None:
            pieces.append(_written(piece, name, workspace, number=len(pieces) + 1, alone=len(raw) == 1))
        else:
            refusals.append(refusal)
    if not pieces:
        raise _nothing(refusals, name)
    return Inspection(pieces=tuple(pieces), refusals=_bounded(refusals, name), advice=_advice(pieces))


def _bytes(upload: Upload, name: str, bytes_max: int) -> bytes:
    path = Path(upload.path)
    try:
        size = path.stat().st_size
        if size > bytes_max:
            raise Unreadable(
                f"The file has {size / 1e6:.1f} MB; up to {bytes_max / 1e6:.0f} MB are taken.",
                remedy="Split it into smaller files.",
                where=name,
            )
        return path.read_bytes()
    except OSError as error:
        raise Unreadable("The file could not be opened.", remedy="Upload it again.", where=name) from error


def _read(data: bytes, name: str) -> list[RawPiece]:
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise Unreadable("The file is empty.", remedy="Upload a file that holds text.", where=name)
    binary = binary_kind(data, name)
    if binary == "pdf":
        return read_pdf(data, name)
    if binary == "word":
        return read_word(data, name)
    text = decode(data, declared=b"<" in data[:2048])
    if text is None:
        raise Unreadable(
            "This is not a text in any encoding known here.", remedy="Save it as UTF-8 text, .docx or .pdf.", where=name
        )
    kind = text_kind(text, name)
    if kind == "records":
        return read_records(text, name)
    if kind == "html":
        return read_html(text, name)
    if kind == "table":
        return read_table(text, name)
    return read_plain(text, markdown=kind == "markdown")


def _refusal(piece: RawPiece, where: str) -> Refusal | None:
    text = clean(piece.text)
    words = len(text.split())
    if words == 0:
        return Refusal(
            where=where, code="empty", message="There is no text here.", remedy="Add the text or drop the entry."
        )
    if sum(c.isalpha() for c in text) < 0.4 * sum(not c.isspace() for c in text):
        return Refusal(
            where=where,
            code="not_text",
            message="This is mostly numbers or signs, not words.",
            remedy="Upload the text itself.",
        )
    if words < WORDS_MIN:
        return Refusal(
            where=where,
            code="too_short",
            message=f"It has {words} {'word' if words == 1 else 'words'}; a work needs at least {WORDS_MIN}.",
            remedy="Join it with the text it belongs to.",
        )
    if words > WORDS_MAX:
        return Refusal(
            where=where,
            code="too_long",
            message=f"It has {words:,} words; a work may have {WORDS_MAX:,}.",
            remedy="Divide it into chapters or parts with a line of --- between them.",
        )
    return None


def _nothing(refusals: list[Refusal], name: str) -> Unreadable:
    """The error for a file of which no piece can be used: the reason of the first, and how many there were."""
    if not refusals:
        return Unreadable("The file is empty.", remedy="Upload a file that holds text.", where=name)
    first = refusals[0]
    if len(refusals) == 1:
        return Unreadable(first.message, remedy=first.remedy, where=first.where)
    return Unreadable(
        f"None of its {len(refusals)} pieces can be used. The first: {first.message}",
        remedy=first.remedy,
        where=first.where,
    )


def _too_many(where: str) -> Refusal:
    return Refusal(
        where=where,
        code="too_many_pieces",
        message=f"Only the first {PIECES_MAX} pieces of a file are taken.",
        remedy="Put the others into another file.",
    )


def _written(raw: RawPiece, filename: str, workspace: Path, *, number: int, alone: bool) -> Piece:
    text = clean(raw.text)
    data = text.encode("utf-8")
    file = f"piece-{number:04d}.txt"
    workspace.mkdir(parents=True, exist_ok=True)
    (workspace / file).write_bytes(data)
    words = len(text.split())
    return Piece(
        file=file,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        media_type="text/plain",
        title=_title(raw, text, filename, alone=alone),
        tags=tuple(tag for tag in (one_line(tag, 50) for tag in raw.tags) if tag),
        description=one_line(raw.description, _DESCRIPTION_CHARACTERS),
        language=guess_language(text),
        extent=words,
        excerpt=one_line(text, _EXCERPT_CHARACTERS),
        fingerprints=fingerprints(text),
        advice=_piece_advice(words),
    )


def _title(raw: RawPiece, text: str, filename: str, *, alone: bool) -> str:
    """The title found with the piece, else the file's name when it is one's own, else the first words."""
    if found := one_line(raw.title, _TITLE_CHARACTERS):
        return found
    stem = one_line(PurePath(filename).stem.replace("_", " ").replace("-", " "), _TITLE_CHARACTERS)
    if alone and any(c.isalpha() for c in stem) and stem.lower().split()[0] not in _NAMELESS:
        return stem[:1].upper() + stem[1:]
    return one_line(text, 60)


def _piece_advice(words: int) -> tuple[str, ...]:
    if words < 20:
        return ("Shorter than 20 words: it teaches little.",)
    if words > 1500:
        return ("Longer than 1,500 words: divided into its parts it teaches more.",)
    return ()


def _advice(pieces: list[Piece]) -> tuple[str, ...]:
    advice = []
    languages = sorted({piece.language for piece in pieces if piece.language})
    if len(languages) > 1:
        advice.append(f"The pieces are in {len(languages)} languages ({', '.join(languages)}); one teaches best.")
    short = sum(piece.extent < 20 for piece in pieces)
    if len(pieces) > 4 and short > len(pieces) / 2:
        advice.append(f"{short} of {len(pieces)} pieces are shorter than 20 words; longer ones teach more.")
    if len(pieces) == 1 and pieces[0].extent > 800:
        advice.append("One long piece was found. If it holds several works, put a line of --- between them.")
    return tuple(advice)


def _bounded(refusals: list[Refusal], name: str) -> tuple[Refusal, ...]:
    if len(refusals) <= _REFUSALS_MAX:
        return tuple(refusals)
    rest = len(refusals) - _REFUSALS_MAX
    more = Refusal(
        where=name,
        code=refusals[_REFUSALS_MAX].code,
        message=f"{rest} more pieces were not taken for the same kind of reason.",
        remedy=refusals[_REFUSALS_MAX].remedy,
    )
    return (*refusals[:_REFUSALS_MAX], more)
