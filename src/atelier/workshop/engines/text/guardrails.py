"""What a creation model must never do: subjects it refuses to write about and words it never writes.

Matching is by whole words, whatever their case, accents, plural, or the spaces and signs put between their letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from atelier.workshop.contract import Guardrails, Refused

_DISGUISES = str.maketrans("013457@$€", "oieastase")
_APART = r"[\s._*-]{1,3}"
_NEVER = re.compile(r"(?!)")
# Three letters set apart: where there are none, no phrase is spelt out.
_SPELLING = re.compile(rf"(?<![^\W_])[^\W_]{_APART}[^\W_]{_APART}[^\W_](?![^\W_])")


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
    readings = [_singulars(said) for said in (folded, folded.translate(_DISGUISES))]
    spelling = _SPELLING.search(folded) is not None
    for phrase in phrases:
        spoken, apart = _signs(phrase)
        if spoken and (any(spoken in reading for reading in readings) or (spelling and apart.search(folded))):
            return phrase
    return None


# Asked for every phrase at every word that is written: a creator may forbid hundreds.
@lru_cache(maxsize=4096)
def _signs(phrase: str) -> tuple[str, re.Pattern[str]]:
    """By what a phrase is known: its words as `_singulars` gives them, "" for none, and its letters set apart."""
    plain = _fold(phrase)
    return (_singulars(plain) if _words(plain) else ""), _spelt(plain)


def _singulars(folded: str) -> str:
    """The words in the singular with one space before and after each, so that whole words can be looked for."""
    return f" {' '.join(map(_singular, _words(folded)))} "


def _spelt(phrase: str) -> re.Pattern[str]:
    """Finds a phrase of three letters or more whose letters were set apart, as in “g u n”, “g.u.n” and “g-u-n”."""
    letters = [re.escape(letter) for letter in re.findall(r"[^\W_]", phrase)]
    if len(letters) < 3:
        return _NEVER
    return re.compile(rf"(?<![^\W_]){_APART.join(letters)}(?:{_APART}s)?(?![^\W_])")


def _fold(text: str) -> str:
    """Lower case without accents or invisible marks; “straße” and “strasse” are one."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if unicodedata.category(c) not in ("Mn", "Cf"))


def _words(folded: str) -> list[str]:
    return re.findall(r"[^\W_]+(?:[@$€][^\W_]+)*", folded.replace("'s", "").replace("’s", ""))


@lru_cache(maxsize=4096)
def _singular(word: str) -> str:
    """A word without the endings of English, French, German and Spanish plurals; the same for both forms."""
    for ending, instead in (("ies", "y"), ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("xes", "x"), ("zes", "z")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + instead
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word[:-1]
    return word
