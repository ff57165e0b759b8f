"""Reads hostile uploads into clean pieces, and fingerprints them."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

from atelier.workshop.contract.errors import Unreadable
from atelier.workshop.contract.specs import Fingerprint, Inspection, Limits, Piece, Refusal, Upload

from .bigrams import words

EXACT = "fake-exact-1"
SHINGLES = "fake-minhash-1"
_SLOTS = 32
_BAND = 4
_SEPARATOR = re.compile(r"^[ \t]*---+[ \t]*$", re.MULTILINE)


def read(upload: Upload, workspace: Path, limits: Limits, suffixes: tuple[str, ...]) -> Inspection:
    """Write each usable piece as UTF-8 text into the workspace. Errors: Unreadable when there is none."""
    name = Path(upload.filename.replace("\\", "/")).name or "file"
    found = _pieces(_text(upload, name, limits, suffixes), name)
    refusals = []
    if len(found) > limits.pieces_per_file:
        refusals.append(
            Refusal(
                where=name,
                code="too_many_pieces",
                message=f"The file holds {len(found)} pieces; the first {limits.pieces_per_file} were taken.",
                remedy="Split the file.",
            )
        )
    pieces = []
    for number, entry in enumerate(found[: limits.pieces_per_file], start=1):
        body = _clean(entry["text"])
        if not any(character.isalnum() for character in body):
            where = f"{name}, piece {number}"
            refusals.append(Refusal(where=where, code="empty", message="It has no words.", remedy="Remove it."))
            continue
        pieces.append(_written(body, entry, number, name, workspace))
    if not pieces:
        raise Unreadable("There are no words in the file.", where=name, remedy="Upload a file with text in it.")
    return Inspection(pieces=tuple(pieces), refusals=tuple(refusals))


def similarity(left: Fingerprint, right: Fingerprint) -> float:
    """Share of equal slots: 1 for equal texts; an estimate of the Jaccard index of word triples (Broder 1997)."""
    if left.scheme != right.scheme:
        return 0.0
    if left.scheme == EXACT:
        return float(left.value == right.value)
    pairs = list(zip(left.value.split("-"), right.value.split("-"), strict=False))
    return sum(a == b for a, b in pairs) / len(pairs)


def fingerprints(text: str) -> tuple[Fingerprint, Fingerprint]:
    """An exact fingerprint of the words, and one by which near copies are found."""
    spoken = [w.casefold() for w in words(text) if w[0].isalnum()]
    exact = hashlib.sha256(" ".join(spoken).encode()).hexdigest()
    shingles = {" ".join(spoken[i : i + 3]) for i in range(max(1, len(spoken) - 2))}
    hashes = [hashlib.shake_128(s.encode()).digest(4 * _SLOTS) for s in shingles]
    slots = [min(int.from_bytes(h[4 * i : 4 * i + 4]) for h in hashes) for i in range(_SLOTS)]
    bands = tuple(_band(i, slots[i : i + _BAND]) for i in range(0, _SLOTS, _BAND))
    value = "-".join(f"{slot:08x}" for slot in slots)
    return Fingerprint(scheme=EXACT, value=exact), Fingerprint(scheme=SHINGLES, value=value, bands=bands)


def _band(index: int, slots: list[int]) -> int:
    return int.from_bytes(hashlib.blake2b(repr((index, slots)).encode(), digest_size=8).digest()) >> 1


def _text(upload: Upload, name: str, limits: Limits, suffixes: tuple[str, ...]) -> str:
    if Path(name).suffix.lower() not in suffixes:
        raise Unreadable("This kind of file is not accepted.", where=name, remedy=f"Use {', '.join(suffixes)}.")
    try:
        with Path(upload.path).open("rb") as file:
            raw = file.read(limits.upload_bytes + 1)
    except OSError as error:
        raise Unreadable("The file cannot be opened.", where=name, remedy="Upload it again.") from error
    if len(raw) > limits.upload_bytes:
        raise Unreadable("The file is too large.", where=name, remedy=f"Keep it under {limits.upload_bytes} bytes.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("The file is not UTF-8 text.", where=name, remedy="Save it as UTF-8 text.") from error
    if "\0" in text:
        raise Unreadable("The file is binary, not text.", where=name, remedy="Save it as plain text.")
    return text


def _pieces(text: str, name: str) -> list[dict[str, Any]]:
    """One entry a piece: a JSON list of {text, title, tags, description}, or texts parted by a line of hyphens."""
    if not name.lower().endswith(".json"):
        return [{"text": part} for part in _SEPARATOR.split(text) if part.strip()] or [{"text": ""}]
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable("The file is not valid JSON.", where=name, remedy="Check it with a JSON editor.") from error
    entries = data if isinstance(data, list) else [data]
    if not all(isinstance(e, dict) and isinstance(e.get("text"), str) for e in entries):
        raise Unreadable("Each piece must be an object with a “text”.", where=name, remedy="Add “text” to each piece.")
    return entries


def _clean(text: str) -> str:
    """Normal form C, plain line ends, and none of the control characters but line feed and tab."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))
    return "".join(kept).strip() + "\n"


def _written(body: str, entry: dict[str, Any], number: int, name: str, workspace: Path) -> Piece:
    raw = body.encode()
    target = workspace / f"piece-{number}.txt"
    target.write_bytes(raw)
    first_line = body.strip().splitlines()[0].lstrip("# ").strip()
    title = entry.get("title") or (first_line if body.startswith("# ") else Path(name).stem)
    tags = entry.get("tags") or []
    extent = sum(1 for w in words(body) if w[0].isalnum())
    return Piece(
        file=target.name,
        sha256=hashlib.sha256(raw).hexdigest(),
        bytes=len(raw),
        media_type="text/plain",
        title=str(title)[:200],
        tags=tuple(str(t)[:50] for t in tags[:20]) if isinstance(tags, list) else (),
        description=str(entry.get("description") or "")[:500],
        extent=extent,
        excerpt=" ".join(body.split())[:200],
        fingerprints=fingerprints(body),
        advice=("Very short: little can be learned from it.",) if extent < 5 else (),
    )
