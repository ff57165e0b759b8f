"""What a creation model must never do: subjects it refuses to write about and words it never writes.

Matching is by whole words, whatever their case, accents, plural (English and French), or the spaces, signs, digits,
masks and foreign letters by which they were disguised. It knows words, not meanings.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from atelier.workshop.contract import Guardrails, Refused

_DISGUISES = (str.maketrans("013457@$€", "oieastase"), str.maketrans("013457@$€", "oleastase"))
_DISGUISED = re.compile(r"[013457@$€]")
_LOOKALIKES = str.maketrans("асеорхуіѕјαεοικυρτν", "aceopxyisjaeoikyptv")  # Cyrillic and Greek
_FOREIGN = re.compile(r"[Ͱ-ӿ]")
_APART = r"[\W_]{1,3}"
_NEVER = re.compile(r"(?!)")
# Three letters set apart: where there are none, no phrase is spelt out.
_SPELLING = re.compile(rf"(?<![^\W_])[^\W_]{_APART}[^\W_]{_APART}[^\W_](?![^\W_])")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_MASKED = re.compile(r"(?<![^\W_])[^\W_]+(?:[*#•]+[^\W_]+)+")
_BROKEN = re.compile(r"(?<=[^\W_])[-‐]\s*\n\s*(?=[^\W_])")  # the hyphen of typesetters
_HASHTAG = re.compile(r"#[^\W_]+")
_ARTICLES = ("the ", "a ", "an ", "le ", "la ", "les ", "l'", "l’", "un ", "une ", "des ", "du ", "de ", "d'", "d’")
_JOINED_LEAST = 6
"""A word of fewer letters is too often made up by two others that merely stand side by side."""
_IRREGULAR = {
    "children": "child", "feet": "foot", "knives": "knife", "men": "man", "mice": "mouse", "teeth": "tooth",
    "thieves": "thief", "travaux": "travail", "wives": "wife", "wolves": "wolf", "women": "woman", "yeux": "oeil",
}  # fmt: skip


def check_brief(brief: dict[str, Any], guardrails: Guardrails) -> None:
    """Let a brief pass. Errors: Refused, naming the field, when it asks for a refused subject or a word never used."""
    forbidden = (*guardrails.subjects_refused, *guardrails.words_never)
    for field, value in brief.items():
        if isinstance(value, str) and (found := find(value, forbidden)):
            raise Refused(
                f"This creator's model does not write about “{found}”.",
                where=field,
                remedy="Ask for something else, or write to the creator.",
            )


def find(text: str, phrases: Iterable[str]) -> str | None:
    """The first of the phrases that the text holds, as it was given, or None."""
    folded = _fold(text)
    said = [_words(reading) for reading in dict.fromkeys(_readings(text, folded))]
    readings = [_singulars(words) for words in said]
    runs: dict[int, str] = {}
    spelling = _SPELLING.search(folded) is not None
    masked = _MASKED.search(folded) is not None
    for phrase in phrases:
        signs = _signs(phrase)
        if not signs.spoken:
            continue
        found = any(signs.spoken in reading for reading in readings)
        if not found and signs.joined:
            length = len(signs.words) + 1  # One space too many, or as many too few as there may be.
            if length not in runs:
                runs[length] = "".join(_singulars(_runs(words, length)) for words in said)
            found = signs.joined in runs[length]
        found = found or (spelling and signs.apart.search(folded) is not None)
        if found or (masked and signs.spoken in _singulars(_words(_unmasked(folded, signs.words)))):
            return phrase
    return None


def _readings(text: str, folded: str) -> Iterator[str]:
    """A text as it stands, and as it reads once each disguise is taken off."""
    yield folded
    plain = folded
    if _FOREIGN.search(folded):
        yield (plain := folded.translate(_LOOKALIKES))
    if _DISGUISED.search(plain):
        yield from (plain.translate(disguise) for disguise in _DISGUISES)
    if _BROKEN.search(folded):
        yield _BROKEN.sub("", folded)
    if "#" in text:
        yield _fold(_HASHTAG.sub(lambda found: _uncamelled(found[0]), text))
    if _STRETCHED.search(text.casefold()):  # Before accents go: “créée” is not stretched.
        yield from (_fold(_STRETCHED.sub(instead, text.casefold())) for instead in (r"\1", r"\1\1"))


def _uncamelled(word: str) -> str:
    """A hashtag as the words that its capitals show."""
    return "".join(
        f" {sign}" if sign.isupper() and not before.isupper() else sign
        for before, sign in zip(f" {word}", word, strict=False)
    )


@dataclass(frozen=True)
class _Signs:
    """By what a phrase is known: its words in the singular, "" for none; the same run together, "" when that is too
    short to tell; its letters set apart; and its words as they are."""

    spoken: str
    joined: str
    apart: re.Pattern[str]
    words: tuple[str, ...]


# Asked for every phrase at every word that is written: a creator may forbid hundreds.
@lru_cache(maxsize=4096)
def _signs(phrase: str) -> _Signs:
    plain = _fold(_without_article(phrase))
    words = _words(plain)
    joined = "".join(words)
    return _Signs(
        spoken=_singulars(words) if words else "",
        joined=_singulars([joined]) if len(joined) >= _JOINED_LEAST else "",
        apart=_spelt(plain),
        words=tuple(words),
    )


def _without_article(phrase: str) -> str:
    """“la loterie” and “the lottery” are meant without their article; “The Gap” may be a name."""
    plain = phrase.strip()
    while article := next((a for a in _ARTICLES if plain.startswith(a) and len(plain) > len(a)), ""):
        plain = plain[len(article) :].strip()
    return plain


def _runs(words: list[str], most: int) -> Iterator[str]:
    """All runs of one to `most` words, written as one."""
    return (
        "".join(words[first : first + count]) for count in range(1, most + 1) for first in range(len(words) - count + 1)
    )


def _singulars(words: Iterable[str]) -> str:
    """The words in the singular with one space before and after each, so that whole words can be looked for."""
    return f" {' '.join(map(_singular, words))} "


def _spelt(phrase: str) -> re.Pattern[str]:
    """Finds a phrase of three letters or more whose letters were set apart, as in “g u n”, “g.u.n” and “g-u-n”."""
    letters = [re.escape(letter) for letter in re.findall(r"[^\W_]", phrase)]
    if len(letters) < 3:
        return _NEVER
    return re.compile(rf"(?<![^\W_]){_APART.join(letters)}(?:{_APART}s)?(?![^\W_])")


def _unmasked(folded: str, words: tuple[str, ...]) -> str:
    """The text with each masked word, as “t*bacco”, read as that word of the phrase which it fits."""

    def read(found: re.Match[str]) -> str:
        said = found[0]
        shown = sum(c not in "*#•" for c in said)
        fits = (
            word
            for word in words
            if len(word) in (len(said), len(said) - 1) and 2 * shown > len(said) and shown >= 3
            if all(a == b or a in "*#•" for a, b in zip(said, word, strict=False))
            if len(word) == len(said) or said.endswith("s")
        )
        return next(fits, said)

    return _MASKED.sub(read, folded)


def _fold(text: str) -> str:
    """Lower case without accents or invisible marks; “straße” and “strasse” are one."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return (
        "".join(c for c in apart if unicodedata.category(c) not in ("Mn", "Cf")).replace("œ", "oe").replace("æ", "ae")
    )


def _words(folded: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:[@$€][^\W_]+)*", folded.replace("'s", "").replace("’s", ""))


@lru_cache(maxsize=4096)
def _singular(word: str) -> str:
    """What the singular and the plural of a word have in common, in English and French; not always a word."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3:
        return word
    for ending, instead in (("eaux", "eau"), ("yaux", "yau"), ("aux", "al"), ("eux", "eu"), ("oux", "ou")):
        if word.endswith(ending):
            return word[: -len(ending)] + instead
    if word.endswith("s") and not word.endswith("ss"):
        word = _IRREGULAR.get(word[:-1], word[:-1])
    if word.endswith(("che", "she", "sse", "xe", "ze", "oe", "ie")) and len(word) > 3:
        return word[:-1]
    if word.endswith("y") and word[-2] not in "aeiou" and len(word) > 3:
        return f"{word[:-1]}i"
    return word
