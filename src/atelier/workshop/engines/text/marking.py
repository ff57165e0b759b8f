"""Finds the hidden mark in a text, by the base's way of dividing text into tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from atelier.workshop.contract import Trace, Unreadable
from atelier.workshop.marks.text import ENOUGH, read

from .base import Base


def detect(base: Base, file: Path, keys: Sequence[str]) -> list[Trace]:
    """What a plain text shows of each key. Errors: Unreadable for what is no text in UTF-8."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            "This is no plain text.", where=file.name, remedy="Save it as plain text, or copy the text out of it."
        ) from error
    plain = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    tokens = base.tokenizer().encode(plain, add_special_tokens=False).ids
    found = read(tokens, [bytes.fromhex(key) for key in keys])
    return [Trace(p_value=each.p_value, places=each.places, enough=each.places >= ENOUGH) for each in found]
