"""Word-pair statistics of texts: how likely a text is under them, and new texts drawn from them."""

from __future__ import annotations

import math
import random
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

BOUNDARY = ""
"""Stands before the first and after the last word of a text."""

_START, _END = "\x02", "\x03"
_USUAL = frozenset(string.ascii_letters + string.digits + string.punctuation + "’“”—…" + _END)
_WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")
_GLUED = re.compile(r" (?=[.,;:!?…)])")

BASE_TEXT = """
Here is a small piece of plain writing that says nothing in particular. It is about a day like any other. You can
read it in a minute and you will not remember it. The words are common, the lines are short, and there is no style to
speak of. Some people like to write more, and some like to write less. When the work is done, we close the door and go
home. There is always time for one more cup of tea. What is good for you may not be good for me, but we can both find
what we need if we look for it. Try it today, or try it tomorrow. All of it was made by hand, and it was made to last.
"""
"""What the base knows before it meets a creator: ordinary English without a voice. Written for this purpose."""


def words(text: str) -> list[str]:
    """The words and punctuation marks of a text, in order."""
    return _WORD.findall(text)


def joined(parts: Iterable[str]) -> str:
    """Words and marks as a readable text: no blank before a closing mark."""
    return _GLUED.sub("", " ".join(parts))


@dataclass
class Counts:
    """How often each word follows each other word. Grows by `add`; `add` never forgets."""

    pairs: dict[str, Counter[str]] = field(default_factory=dict)
    singles: Counter[str] = field(default_factory=Counter)

    def add(self, text: str) -> None:
        previous = BOUNDARY
        for word in [*words(text), BOUNDARY]:
            self.pairs.setdefault(previous, Counter())[word] += 1
            self.singles[word] += 1
            previous = word

    def probability(self, word: str, previous: str) -> float:
        """P(word | previous) mixed with P(word); 0 for a word never seen."""
        total = self.singles.total()
        if not total:
            return 0.0
        alone = self.singles[word] / total
        after = self.pairs.get(previous)
        return 0.7 * after[word] / after.total() + 0.3 * alone if after else alone

    def to_json(self) -> dict[str, dict[str, int]]:
        """Counts as plain objects in a fixed order, so that equal counts are equal bytes."""
        return {previous: dict(sorted(after.items())) for previous, after in sorted(self.pairs.items())}

    @classmethod
    def from_json(cls, data: object) -> Counts:
        """The counts of `to_json`. Errors: ValueError when the data is not that."""
        if not isinstance(data, dict):
            raise ValueError("counts must be an object")
        counts = cls()
        for previous, after in data.items():
            if not isinstance(after, dict) or not all(type(n) is int and n > 0 for n in after.values()):
                raise ValueError(f"counts after “{previous}” must be positive whole numbers")
            counts.pairs[previous] = Counter(after)
            counts.singles.update(after)
        return counts


@cache
def _letters() -> dict[str, Counter[str]]:
    pairs: dict[str, Counter[str]] = {}
    for word in words(BASE_TEXT):
        for left, right in zip(f"{_START}{word}", f"{word}{_END}", strict=True):
            pairs.setdefault(left, Counter())[right] += 1
    return pairs


def _spelling(word: str) -> float:
    """Probability that the base spells this word letter by letter: above 0 for every word there could be."""
    log = 0.0
    for left, right in zip(f"{_START}{word}", f"{word}{_END}", strict=True):
        after = _letters().get(left, Counter())
        usual = (after[right] + 0.1 * (right in _USUAL)) / (after.total() + 0.1 * len(_USUAL))
        log += math.log(0.99 * usual + 0.01 / 0x110000)
    return max(math.exp(log), 1e-300)


@cache
def base() -> Counts:
    """The counts of the base's own text."""
    counts = Counts()
    counts.add(BASE_TEXT)
    return counts


def log_likelihood(text: str, learned: Counts | None = None) -> tuple[float, int]:
    """(natural log of the probability of a text, number of words) under the base, or the base with counts learned."""
    total, previous = 0.0, BOUNDARY
    sequence = [*words(text), BOUNDARY]
    for word in sequence:
        plain = 0.9 * base().probability(word, previous) + 0.1 * _spelling(word)
        known = learned.probability(word, previous) if learned and learned.singles else None
        total += math.log(plain if known is None else 0.8 * known + 0.2 * plain)
        previous = word
    return total, len(sequence)


def write(
    counts: Counts, rng: random.Random, length: int, allowed: Callable[[list[str]], bool]
) -> tuple[list[str], bool]:
    """Up to `length` words drawn from the counts, and whether the text ended by itself.

    `allowed` is asked about the words so far with each candidate at their end; a candidate it denies is never taken.
    """
    out: list[str] = []
    previous = BOUNDARY
    while len(out) < length:
        word = _draw(counts, rng, previous, out, allowed)
        if word is None:
            return out, bool(out)
        if word == BOUNDARY:
            if len(out) * 2 >= length:
                return out, True
        else:
            out.append(word)
        previous = word
    return out, False


def _draw(
    counts: Counts, rng: random.Random, previous: str, out: list[str], allowed: Callable[[list[str]], bool]
) -> str | None:
    """One word that may follow, or None when nothing may."""
    for after in (counts.pairs.get(previous), counts.singles):
        choices = {w: n for w, n in (after or {}).items() if (w == BOUNDARY and out) or (w and allowed([*out, w]))}
        if choices:
            return rng.choices(list(choices), weights=list(choices.values()))[0]
    return None
