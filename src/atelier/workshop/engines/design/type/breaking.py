"""Where a line may end: between words, between Chinese and Japanese letters, and within a word that is too long."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

SOFT, THIN = "\u00ad", "\u200b"
"""A soft hyphen (a line may end here, with a hyphen) and a space of no width (a line may end here)."""
SHORTEST, HEAD, TAIL = 8, 3, 3
"""Words of fewer letters stay whole; so many letters stay together at either end."""

_NOT_FIRST = frozenset("、。，．・：；？！）」』】〕〉》”’…ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ!?),.:;%]}»")
_NOT_LAST = frozenset("（「『【〔〈《“‘([{«$€£¥")
_GAPS = re.compile(f"([{SOFT}{THIN}])")
_WORD = re.compile(r"[^\W\d_]+")
_COMMON = {
    "en": "the and of to in for with on at your you is our from by all new free day a",
    "de": "der die das und mit für im am von zu den ein eine ist auf wir sie bei nach alle dem zum zur",
    "fr": "le la les et des du pour avec dans une un au aux sur chez vous nous votre notre par est de",
    "es": "el la los las y de del para con en una un por su al más tu es",
    "it": "il lo la gli le e di del per con in una un al alla dal nel tuo è della",
    "nl": "de het een en van voor met op bij naar aan uw wij zijn is onze",
    "pt": "o a os as e de do da para com em uma um no na por seu mais",
}
_LETTERS = {
    "ß": "de", "ä": "de", "ö": "de", "ü": "de", "ç": "fr", "œ": "fr", "è": "fr", "ê": "fr", "ñ": "es", "¿": "es",
    "ã": "pt", "õ": "pt", "ò": "it", "ì": "it",
}  # fmt: skip
_SCRIPTS = {"CYRILLIC": "ru", "GREEK": "el"}


@lru_cache(8192)
def parts_of(text: str) -> tuple[tuple[str, str], ...]:
    """The parts between which a line may end, each with what stands between it and the one before."""
    found: list[tuple[str, str]] = []
    for word in text.split():
        gap = " " if found else ""
        for piece in _GAPS.split(word):
            if piece in (SOFT, THIN):
                gap = piece if gap == "" and found else gap
                continue
            for part in _wide_parts(piece):
                found.append((gap, part))
                gap = ""
    return tuple(found)


def joined(parts: list[tuple[str, str]] | tuple[tuple[str, str], ...], after: str = "") -> str:
    """The words of a line; `after` is what stands behind it where the text goes on."""
    return parts[0][1] + "".join(shown(gap) + part for gap, part in parts[1:]) + ("-" if after == SOFT else "")


def shown(gap: str) -> str:
    """A gap within a line."""
    return "" if gap in (SOFT, THIN) else gap


def _wide_parts(word: str) -> list[str]:
    """A word is one part; Chinese and Japanese may end a line after any letter but some (JLREQ, 3.1.7 and 3.1.8)."""
    parts: list[str] = []
    for letter in word:
        apart = bool(parts) and _wide(letter, parts[-1][-1])
        if apart and letter not in _NOT_FIRST and parts[-1][-1] not in _NOT_LAST:
            parts.append(letter)
        elif parts:
            parts[-1] += letter
        else:
            parts.append(letter)
    return parts


def _wide(letter: str, before: str) -> bool:
    return any(unicodedata.east_asian_width(each) in "WF" for each in (letter, before))


# Within words ---------------------------------------------------------------------------------------------------


@lru_cache(1024)
def softened(text: str) -> str:
    """The text with marks in its long words where they may be parted; without any where that is not known."""
    dictionary = _dictionary(language(text))

    def marked(match: re.Match[str]) -> str:
        word = match[0]
        if _thai(word):
            return _thai_parts(word)
        if len(word) < SHORTEST or dictionary is None:
            return word
        places = set(dictionary.positions(word.lower()))
        return "".join((SOFT if n in places else "") + letter for n, letter in enumerate(word))

    return text if SOFT in text else re.sub(r"[\w\u0e00-\u0e7f]+", marked, text)


@lru_cache(64)
def _dictionary(code: str) -> Any:
    import pyphen

    named = pyphen.language_fallback(code)
    return pyphen.Pyphen(lang=named, left=HEAD, right=TAIL) if named else None


def language(text: str) -> str:
    """The likeliest language, by script, small words and letters; English where nothing tells. Empty where words of
    its script are not parted by hyphens."""
    letters = [letter for letter in text.casefold() if letter.isalpha()]
    if not letters:
        return ""
    script = unicodedata.name(letters[0], "").split(" ")[0]
    if script != "LATIN":
        return _SCRIPTS.get(script, "")
    words = _WORD.findall(text.casefold())
    scores = {
        code: 2 * sum(word in common.split() for word in words) + sum(_LETTERS.get(each) == code for each in letters)
        for code, common in _COMMON.items()
    }
    return max(scores, key=lambda code: scores[code])


def _thai(word: str) -> bool:
    return any("\u0e00" <= letter <= "\u0e7f" for letter in word)


def _thai_parts(word: str) -> str:
    """Thai has no spaces between words; a vowel that stands before its consonant always begins a syllable."""
    return re.sub(r"(?<=[\u0e00-\u0e7f]{2})(?=[\u0e40-\u0e44])", THIN, word)
