"""Words of many languages as English ones: the encoder of words knows English only.

The table is made from Unicode CLDR's keywords for emoji (`bin/support/concepts.py`), which name what can be drawn. A
word that is common in English stays as it is, whatever it means elsewhere, unless those around it are not English.
"""

from __future__ import annotations

import lzma
import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("concepts.tsv.xz")
COMMON = 12_000
"""Tokens of BERT's vocabulary stand in order of frequency; those before this one are English words."""
STEM = 4
"""Letters of a word that are left at least where an ending is taken off, or another word from its front."""
ENDING = 2
COMPOUND = 8
"""Letters of a word that may be two in one."""
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[-'’\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0eff])*")
# Scripts that are written without spaces: the longest known word is taken from where one may begin.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_LATIN = re.compile(r"[\u0000-\u036f\u1e00-\u1eff\u2000-\u206f]*")
LONGEST = 12
# Small words that are no English ones: where they stand, the text is not English, however common they are in it.
_ELSEWHERE = frozenset((
    "der", "das", "den", "dem", "und", "im", "am", "mit", "ein", "eine", "einen", "auf", "für", "von", "zu", "zum",
    "zur", "le", "la", "les", "des", "du", "un", "une", "et", "avec", "sur", "dans", "el", "los", "las", "del", "con",
    "y", "para", "por", "una", "uno", "il", "lo", "gli", "della", "di", "da", "dos", "em", "com", "uma", "het", "een",
    "van", "op", "en", "og", "med", "på", "w", "z", "na", "se",
))  # fmt: skip


def in_english(text: str) -> str:
    """The text with what can be read of other languages in English.

    What is unknown stays where it is written in Latin letters, and is left out elsewhere: the encoder takes all of
    that for much the same. May be empty.
    """
    return ", ".join(filter(None, (_phrase_in_english(phrase) for phrase in text.split(","))))


def _phrase_in_english(text: str) -> str:
    words = [match.group().casefold() for match in _WORD.finditer(text)]
    latin = [word for word in words if _LATIN.fullmatch(word)]
    ours = sum(word not in _ELSEWHERE and _is_english(word) for word in latin)
    theirs = sum(word in _ELSEWHERE or (not _is_english(word) and _looked_up(word) is not None) for word in latin)
    read = _WORD.sub(lambda match: _read(match.group(), english=ours > theirs), text)
    return " ".join(read.split())


def _read(word: str, *, english: bool) -> str:
    """A word of a text that is English for the most part, or is not."""
    low = word.casefold()
    if _UNSPACED.search(low):
        return " ".join(_parts(low))
    latin = _LATIN.fullmatch(low) is not None
    if latin and english:
        return word
    if low in _ELSEWHERE:
        return ""
    known = _looked_up(low) or (None if _is_english(low) else _known(low))
    return known or (word if latin else "")


def _parts(text: str) -> Iterator[str]:
    """The longest known words of a text without spaces, from left to right."""
    at = 0
    while at < len(text):
        for end in range(min(len(text), at + LONGEST), at, -1):
            known = _looked_up(text[at:end])
            if known is not None:
                yield known
                at = end
                break
        else:
            at += 1


def _known(word: str) -> str | None:
    """What a word is in English, also with an ending (Katzen), or as the end of a compound (Ruderboot)."""
    for cut in range(ENDING + 1):
        stem = word[: len(word) - cut]
        if cut and len(stem) < STEM:
            break
        known = _looked_up(stem)
        if known is not None:
            return known
    if len(word) < COMPOUND or not _LATIN.fullmatch(word):
        return None
    return next(filter(None, (_looked_up(word[begin:]) for begin in range(1, len(word) - STEM + 1))), None)


def _looked_up(word: str) -> str | None:
    lines = _table()
    place = bisect_left(lines, word + "\t")
    if place < len(lines) and lines[place].startswith(word + "\t"):
        return lines[place].partition("\t")[2]
    return None


@cache
def _table() -> list[str]:
    return lzma.decompress(TABLE.read_bytes()).decode().split("\n")


@cache
def _is_english(word: str) -> bool:
    from atelier.workshop.encoders.sentence import rank

    place = rank(word)
    return place is not None and place < COMMON
