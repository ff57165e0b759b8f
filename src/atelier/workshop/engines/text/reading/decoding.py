"""Bytes of unknown origin to text, and text to clean text."""

from __future__ import annotations

import codecs
import re
import unicodedata

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark begins the same way
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_BREAKS = re.compile(r"\r\n?|[\u0085\u2028\u2029\x0b\x0c]")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_JOINERS = "\u200c\u200d"  # carry meaning in Persian, Hindi and emoji
_CONTROL_SHARE = 0.02


def decode(data: bytes, *, declared: bool = False) -> str | None:
    """The text of a file, or None when the bytes are no text in an encoding known here.

    With `declared`, an encoding named in the first two kilobytes (HTML) is tried before guessing.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _text_or_none(data[len(mark) :], encoding)
    candidates = ["utf-8"]
    if declared and (found := _META_CHARSET.search(data[:2048])):
        candidates.insert(0, found.group(1).decode("ascii"))
    if encoding_16 := _utf16_without_mark(data):
        candidates = [encoding_16]
    for encoding in candidates:
        text = _text_or_none(data, encoding)
        if text is not None:
            return text
    if b"\x00" in data:
        return None
    return _text_or_none(data, "cp1252", errors="replace")


def _text_or_none(data: bytes, encoding: str, errors: str = "strict") -> str | None:
    try:
        text = data.decode(encoding, errors)
    except (UnicodeError, LookupError):
        return None
    if not isinstance(text, str):  # a declared codec such as "hex" that makes no text
        return None
    controls = sum(
        1 for c in text if c == "\ufffd" or (unicodedata.category(c) == "Cc" and c not in "\t\n\r\x0b\x0c\x85")
    )
    return None if controls > _CONTROL_SHARE * max(len(text), 1) else text


def _utf16_without_mark(data: bytes) -> str:
    """Western text in UTF-16 has a zero byte in every second place."""
    sample = data[:2048]
    if len(sample) < 16 or b"\x00" not in sample:
        return ""
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.05 * half:
        return "utf-16-be"
    return ""


def clean(text: str) -> str:
    """The same text in NFC with one kind of space and line break, no control or invisible characters, and at most
    one blank line in a row."""
    text = _BREAKS.sub("\n", unicodedata.normalize("NFC", text))
    text = "".join(c for c in text if c == "\n" or c in _JOINERS or c == "\t" or not _invisible(c))
    text = "\n".join(line.strip() for line in _SPACES.sub(" ", text).split("\n"))
    return _BLANK_LINES.sub("\n\n", text).strip()


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Cn")


def one_line(text: str, limit: int) -> str:
    """The text on one line, cut at a word with an ellipsis when it is longer than `limit` characters."""
    line = " ".join(clean(text).split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    if " " in cut[limit // 2 :]:
        cut = cut.rsplit(" ", 1)[0]
    return cut.rstrip(" ,;:–—-") + "…"
