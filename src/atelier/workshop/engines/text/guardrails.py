"""What a creation model must never do: subjects it refuses to write about and words it never writes.

Matching is by whole words, whatever their case, accents, plural, or the spaces and signs put between their letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from atelier.workshop.contract import Guardrails, Refused

_DISGUISES = str.maketrans("013457@$€", "oieastase")


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


def check_text(text: str, guardrails: Guardrails) -> None:
    """Let a written text pass. Errors: Refused when it holds a word never used or speaks of a refused subject."""
    if found := find(text, (*guardrails.words_never, *guardrails.subjects_refused)):
        raise Refused(
            f"The text came to speak of “{found}”, which this creator's model does not do.",
            remedy="Try again, or put the brief another way.",
        )


def find(text: str, phrases: Iterable[str]) -> str | None:
    """The first of the phrases that the text holds, as it was given, or None."""
    wanted = [(phrase, tuple(map(_singular, _words(_fold(phrase))))) for phrase in phrases]
    readings = list(_readings(text))
    for phrase, parts in wanted:
        if parts and any(_holds(reading, parts) for reading in readings):
            return phrase
    return None


def _readings(text: str) -> Iterable[list[str]]:
    """The words of a text: plain, with letters that were set apart put together, and with digits read as letters."""
    folded = _fold(text)
    plain = _words(folded)
    for words in (plain, _words(_joined(folded)), _words(folded.translate(_DISGUISES))):
        yield [_singular(word) for word in words]


def _holds(words: Sequence[str], parts: tuple[str, ...]) -> bool:
    size = len(parts)
    return any(tuple(words[i : i + size]) == parts for i in range(len(words) - size + 1))


def _fold(text: str) -> str:
    """Lower case without accents or invisible marks; “straße” and “strasse” are one."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in apart if unicodedata.category(c) not in ("Mn", "Cf"))


def _joined(folded: str) -> str:
    """Put together what was spelt out: “g u n”, “g.u.n” and “g-u-n” become “gun”."""
    return re.sub(
        r"(?<![^\W_])[^\W_](?:[\s._*-]{1,2}[^\W_](?![^\W_])){2,}",
        lambda spelt: re.sub(r"[\s._*-]", "", spelt.group()),
        folded,
    )


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
