"""Words in common: which works are near copies, and how much of a text stands word for word in others."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GRAM = 8
"""Eight words in a row are rarely shared by chance in prose."""

_WORD = re.compile(r"\w+(?:['’]\w+)*")


def words(text: str) -> list[str]:
    """The words of a text without case or punctuation."""
    return [word.replace("’", "'") for word in _WORD.findall(text.casefold())]


def grams(text: Sequence[str], size: int) -> set[tuple[str, ...]]:
    """All runs of `size` words."""
    return {tuple(text[i : i + size]) for i in range(len(text) - size + 1)}


@dataclass(frozen=True)
class Overlap:
    """What a text shares with others: its longest run of words, and the share (0..1) of its words in 8-word runs."""

    longest_run_words: int
    shared_8gram_share: float


class Collection:
    """Texts prepared so that others can be held against them."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = [words(text) for text in texts]
        self._places: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, text in enumerate(self._texts):
            for place, word in enumerate(text):
                self._places[word].append((number, place))

    def overlap(self, text: str) -> Overlap:
        """Hold one text against all of the collection; runs are counted within one work at a time."""
        mine = words(text)
        longest, covered = 0, [False] * len(mine)
        runs: dict[tuple[int, int], int] = {}
        for place, word in enumerate(mine):
            runs = {spot: runs.get((spot[0], spot[1] - 1), 0) + 1 for spot in self._places.get(word, ())}
            best = max(runs.values(), default=0)
            longest = max(longest, best)
            if best >= GRAM:
                covered[place - best + 1 : place + 1] = [True] * best
        return Overlap(longest, sum(covered) / len(mine) if mine else 0.0)


def families(texts: Sequence[str], *, size: int = 5, share: float = 0.3) -> list[list[int]]:
    """Numbers of the texts, grouped so that near copies are together, in order of their first member.

    Two texts are near copies when at least `share` of the shorter one's runs of `size` words are in both.
    """
    shingles = [grams(text, size) or {tuple(text)} for text in map(words, texts)]
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, found in enumerate(shingles):
        for gram in found:
            holders[gram].append(number)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for together in holders.values():
        for i, left in enumerate(together):
            for right in together[i + 1 :]:
                shared[left, right] += 1
    head = list(range(len(texts)))

    def root(number: int) -> int:
        while head[number] != number:
            number = head[number]
        return number

    for (left, right), count in shared.items():
        if count >= share * min(len(shingles[left]), len(shingles[right])):
            first, second = sorted((root(left), root(right)))
            head[second] = first
    groups: dict[int, list[int]] = defaultdict(list)
    for number in range(len(texts)):
        groups[root(number)].append(number)
    return list(groups.values())
