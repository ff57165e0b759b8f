"""A piece of text on its way from a file to a work, and the bounds it must keep."""

from __future__ import annotations

from dataclasses import dataclass

WORDS_MIN = 5
WORDS_MAX = 20_000
PIECES_MAX = 500


@dataclass(frozen=True)
class RawPiece:
    """A text as found, before it was cleaned. `where` says which part of the file it is, for a person."""

    text: str
    title: str = ""
    tags: tuple[str, ...] = ()
    description: str = ""
    where: str = ""
