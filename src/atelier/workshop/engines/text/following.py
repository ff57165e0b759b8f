"""Whether a text does what its brief asked, told from the text alone: quick enough to rank every candidate."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields

from .prompts import FORMATS, GREETING, SUBJECT_LINE
from .reading.languages import guess_language

LINES = ("tagline", "headline", "call to action")
_WORD = re.compile(r"[^\W_]+")
_STEM = 5
"""Letters by which two forms of a word are taken for one."""


@dataclass(frozen=True)
class Following:
    """One answer a question. `facts` is the share of numbers and names of the details that the text has (1 without)."""

    subject: bool
    format: bool
    length: bool
    repetition: bool
    language: bool
    facts: float

    @property
    def score(self) -> float:
        """The mean of the answers, from 0 to 1."""
        answers = [float(getattr(self, field.name)) for field in fields(self)]
        return sum(answers) / len(answers)


def following(text: str, brief: Mapping[str, str], *, over: bool = True) -> Following:
    """Judge a text by a valid brief; one that is not over, by what it has so far: it may still grow into its length and
    its format."""
    low, high = FORMATS[brief["format"]].words(brief["length"])
    return Following(
        subject=names_subject(text, brief["subject"]),
        format=keeps_format(text, brief["format"], over=over),
        length=(0.8 * low <= len(text.split()) or not over) and len(text.split()) <= 1.2 * high,
        repetition=not repeats(text),
        language=guess_language(text) in ("", brief["language"]),
        facts=facts_kept(text, brief["details"]),
    )


def names_subject(text: str, subject: str) -> bool:
    """Whether at least half of the subject's words of four letters and more occur, in whatever form."""
    wanted = {word[:_STEM] for word in _words(subject) if len(word) >= 4} or set(_words(subject))
    found = {word[:_STEM] for word in _words(text)}
    return 2 * len(wanted & found) >= len(wanted)


def keeps_format(text: str, form: str, *, over: bool = True) -> bool:
    """Whether the text has the shape of its format: lines are one line, letters greet, other copy does not. A text that
    is not over may still come to its second line."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return False
    if form in LINES:
        return len(lines) == 1 and len(lines[0].split()) <= 30
    greets = any(GREETING.match(line) for line in lines[:2])
    if form == "e-mail":
        return bool(SUBJECT_LINE.match(lines[0])) or greets
    if form == "letter":
        return greets and not SUBJECT_LINE.match(lines[0])
    if form == "blog post":
        return (len(lines) > 1 or not over) and len(lines[0].split()) <= 15 and not greets
    return not greets and not SUBJECT_LINE.match(lines[0])


def repeats(text: str) -> bool:
    """Whether a run of four words comes more than twice, or a sentence of five words and more comes again."""
    words = _words(text)
    runs = Counter(tuple(words[i : i + 4]) for i in range(len(words) - 3))
    sentences = Counter(" ".join(_words(s)) for s in re.split(r"[.!?\n]+", text) if len(_words(s)) >= 5)
    return max(runs.values(), default=0) > 2 or max(sentences.values(), default=0) > 1


def facts_kept(text: str, details: str) -> float:
    """The share of the details' numbers and capitalised names that the text has; 1 when there are none."""
    numbers = set(re.findall(r"\d+", details))
    names = set(re.findall(r"(?<=[\w,] )[A-ZÀ-Ý]\w{2,}", details))
    wanted = numbers | names
    if not wanted:
        return 1.0
    found = set(re.findall(r"\d+", text)) | set(re.findall(r"\w+", text))
    return len(wanted & found) / len(wanted)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]
