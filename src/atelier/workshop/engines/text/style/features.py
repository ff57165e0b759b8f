"""A text as numbers of its manner alone: function words, pauses, rhythm and shapes.

A word of an open class counts by its length, syllables and ending, never by which word it is: in what the pairs of
tokens are made from it stands as a blank (text distortion: Stamatatos 2017, https://aclanthology.org/E17-1107/).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .words import Tongue, tongue

Array = NDArray[np.float64]
BLANK, NUMBER, START = "_", "#", "^"
"""What stands for a word of an open class, for a number, and for the beginning of a sentence."""
MARKS = (".", ",", ";", ":", "!", "?", "—", "…", "(", '"', "'", "-", "/", "&", "%", "*")
_SAME = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "—", "\u00a0": " "})
_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*'?|[^\w\s]")
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)'", re.I)
_PAUSES = frozenset(".,;:!?—…()")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"')\]]*\s+")
WINDOW = 40
"""Words in which different ones are counted, so that long texts do not seem poorer."""


@dataclass(frozen=True)
class Reading:
    """A text taken apart: sentences of tokens as written, and the paragraphs' lengths in sentences."""

    sentences: tuple[tuple[str, ...], ...]
    paragraphs: tuple[int, ...]
    tongue: Tongue

    @property
    def tokens(self) -> list[str]:
        return [token for sentence in self.sentences for token in sentence]

    @property
    def words(self) -> list[str]:
        return [token for token in self.tokens if token[0].isalpha()]


def read(text: str, language: str) -> Reading:
    """Take a text apart. Quotation marks and dashes count as one each, for which one it is tells of the typesetter."""
    known = tongue(language)
    plain = unicodedata.normalize("NFC", text).translate(_SAME).replace("--", "—").replace("...", "…")
    sentences: list[tuple[str, ...]] = []
    paragraphs: list[int] = []
    for paragraph in re.split(r"\n\s*\n", plain):
        found = [tuple(_tokens(part, known)) for part in _SENTENCE.split(" ".join(paragraph.split()))]
        found = [tokens for tokens in found if any(token[0].isalnum() for token in tokens)]
        sentences += found
        paragraphs += [len(found)] if found else []
    return Reading(tuple(sentences), tuple(paragraphs), known)


def _tokens(sentence: str, known: Tongue) -> list[str]:
    found: list[str] = []
    for token in _TOKEN.findall(sentence):
        if token[0].isalpha() and token.casefold() not in known.function:
            if elided := _ELISION.match(token):
                found += [elided[0], token[elided.end() :]] if token[elided.end() :] else [elided[0]]
                continue
            if token.endswith("'"):
                found += [token[:-1], "'"]
                continue
        found.append(token)
    return found


# Groups of features ---------------------------------------------------------------------------------------------


def function_words(reading: Reading) -> dict[str, float]:
    """Root of the share of each function word among all words; the root evens out their spread."""
    counts = Counter(word.casefold() for word in reading.words)
    total = max(1, counts.total())
    return {f"word {word}": (counts[word] / total) ** 0.5 for word in sorted(reading.tongue.function)}


def endings(reading: Reading) -> dict[str, float]:
    """Root of the share of open words with each ending."""
    open_words = [word.casefold() for word in reading.words if word.casefold() not in reading.tongue.function]
    total = max(1, len(open_words))
    return {
        f"ending {end}": (sum(len(w) > len(end) + 2 and w.endswith(end) for w in open_words) / total) ** 0.5
        for end in reading.tongue.endings
    }


def punctuation(reading: Reading) -> dict[str, float]:
    """Root of each mark's number for each word, and how sentences end."""
    counts = Counter(reading.tokens)
    total, sentences = max(1, len(reading.words)), max(1, len(reading.sentences))
    found = {f"mark {mark}": (counts[mark] / total) ** 0.5 for mark in MARKS}
    tails = Counter(next((t for t in reversed(s) if t in ".!?…:"), "") for s in reading.sentences)
    found |= {f"closes {mark or 'bare'}": tails[mark] / sentences for mark in (".", "!", "?", ":", "")}
    found["numbers"] = (sum(token[0].isdigit() for token in reading.tokens) / total) ** 0.5
    return found


def rhythm(reading: Reading) -> dict[str, float]:
    """Lengths of sentences and clauses in words, of paragraphs in sentences, how they vary and follow one another."""
    lengths = np.array([sum(t[0].isalnum() for t in s) for s in reading.sentences] or [0], dtype=float)
    clauses = np.array(_clauses(reading) or [0], dtype=float)
    logs = np.log1p(lengths)
    per_paragraph = np.array(reading.paragraphs or [0], dtype=float)
    found = {
        "sentence mean": float(np.log1p(lengths.mean())),
        "sentence spread": float(logs.std()),
        "sentence longest": float(np.log1p(lengths.max())),
        "sentence shortest": float(np.log1p(lengths.min())),
        "sentence change": float(np.abs(np.diff(logs)).mean()) if len(logs) > 1 else 0.0,
        "clause mean": float(np.log1p(clauses.mean())),
        "clause spread": float(np.log1p(clauses).std()),
        "clauses a sentence": float(np.log(len(clauses) / len(lengths))),
        "paragraph mean": float(np.log1p(per_paragraph.mean())),
        "paragraph single": float((per_paragraph == 1).mean()),
    }
    for low, high in ((0, 4), (5, 9), (10, 16), (17, 25), (26, 40), (41, 10_000)):
        found[f"sentences of {low}"] = float(((lengths >= low) & (lengths <= high)).mean())
    for low, high in ((1, 2), (3, 4), (5, 7), (8, 12), (13, 10_000)):
        found[f"clauses of {low}"] = float(((clauses >= low) & (clauses <= high)).mean())
    return found


def _clauses(reading: Reading) -> list[int]:
    found = []
    for sentence in reading.sentences:
        length = 0
        for token in (*sentence, "."):
            if token in _PAUSES:
                found += [length] if length else []
                length = 0
            elif token[0].isalnum():
                length += 1
    return found


def word_shapes(reading: Reading) -> dict[str, float]:
    """Lengths and syllables of words, capitals inside sentences, and how rich the vocabulary is."""
    words = reading.words or ["a"]
    total = len(words)
    lengths = np.array([len(word) for word in words], dtype=float)
    beats = np.array([syllables(word, reading.tongue) for word in words])
    inner = [t for s in reading.sentences for t in s[1:] if t[0].isalpha() and len(t) > 1]
    folded = [word.casefold() for word in words]
    counts = Counter(folded)
    found = {
        "word mean": float(lengths.mean()),
        "word spread": float(lengths.std()),
        "syllables": float(beats.mean()),
        "one beat": float((beats == 1).mean()),
        "three beats": float((beats >= 3).mean()),
        "beats alternate": float((np.diff(beats > 1) != 0).mean()) if total > 1 else 0.0,
        "capitals": (sum(w[0].isupper() for w in inner) / max(1, len(inner))) ** 0.5,
        "shouting": (sum(w.isupper() for w in inner) / max(1, len(inner))) ** 0.5,
        "different": _different(folded),
        "once": sum(n == 1 for n in counts.values()) / total,
        "most": max(counts.values()) / total,
    }
    for low, high in ((1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (7, 8), (9, 11), (12, 99)):
        found[f"letters {low}"] = float(((lengths >= low) & (lengths <= high)).mean())
    return found


def syllables(word: str, known: Tongue) -> int:
    """Groups of vowels, at least one: near enough to compare hands by."""
    return max(1, len(re.findall(f"[{known.vowels}]+", word.casefold())))


def _different(words: Sequence[str]) -> float:
    """Share of different words in windows of WINDOW words, their mean (Covington and McFall 2010)."""
    spans = [words[i : i + WINDOW] for i in range(max(1, len(words) - WINDOW + 1))]
    return float(np.mean([len(set(span)) / max(1, len(span)) for span in spans]))


def pairs_of(reading: Reading) -> Counter[str]:
    """Neighbours in a sentence, with everything of an open class blanked."""
    known = reading.tongue.function
    found: Counter[str] = Counter()
    for sentence in reading.sentences:
        shown = [START, *(_shown(token, known) for token in sentence)]
        found.update(f"{left} {right}" for left, right in pairwise(shown))
    return found


def _shown(token: str, known: frozenset[str]) -> str:
    if token[0].isdigit():
        return NUMBER
    if token[0].isalpha():
        return token.casefold() if token.casefold() in known else BLANK
    return token


# All together ---------------------------------------------------------------------------------------------------


def plain_features(reading: Reading) -> Mapping[str, float]:
    """Every feature but the pairs, by name; the same names for every text of a language."""
    parts = (punctuation, rhythm, word_shapes, function_words, endings)
    return {name: value for part in parts for name, value in part(reading).items()}


def plain_names(known: Tongue) -> list[str]:
    """The names of the plain features, in their order."""
    return list(plain_features(Reading((), (), known)))


def measure(texts: Sequence[str], language: str, pairs: Sequence[str]) -> Array:
    """(texts, features): the plain features in the order of their names, then the root of the share of each pair."""
    rows = []
    for text in texts:
        reading = read(text, language)
        counts = pairs_of(reading)
        total = max(1, counts.total())
        rows.append([*plain_features(reading).values(), *((counts[pair] / total) ** 0.5 for pair in pairs)])
    width = len(plain_names(tongue(language))) + len(pairs)
    return np.array(rows, dtype=np.float64).reshape(len(texts), width)
