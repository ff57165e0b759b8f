"""Words in common: which works are near copies, and how much of a text stands word for word in others."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GRAM = 8
"""Eight words in a row are rarely shared by chance in prose."""

SEED = 4
"""Shorter runs are shared by everybody, and looking for them would take most of the time."""

_WORD = re.compile(r"\w+(?:['’]\w+)*")


def words(text: str) -> list[str]:
    """The words of a text without case or punctuation."""
    return [word.replace("’", "'") for word in _WORD.findall(text.casefold())]


def grams(text: Sequence[str], size: int) -> set[tuple[str, ...]]:
    """All runs of `size` words."""
    return {tuple(text[i : i + size]) for i in range(len(text) - size + 1)}


@dataclass(frozen=True)
class Overlap:
    """What a text shares with others: its longest run of words within one of them, and how many of its runs of
    `GRAM` words stand in any of them, of how many."""

    longest_run_words: int
    shared_8grams: int
    total_8grams: int

    @property
    def shared_8gram_share(self) -> float:
        return self.shared_8grams / max(1, self.total_8grams)


class Collection:
    """Texts prepared so that others can be held against them. Runs of fewer than `SEED` words are nobody's."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._starts: list[int] = []
        self._places: dict[tuple[str, ...], list[int]] = defaultdict(list)
        end = 0
        for text in map(words, texts):
            self._starts.append(end)
            for place in range(len(text) - SEED + 1):
                self._places[tuple(text[place : place + SEED])].append(end + place)
            end += len(text)  # A run cannot go on into the next text: the seeds that would cross are not there.

    def overlap(self, text: str, but: frozenset[int] = frozenset()) -> Overlap:
        """Hold one text against all of the collection but these, by number; runs are counted within one at a time."""
        mine = words(text)
        longest, shared = 0, 0
        runs: dict[int, int] = {}
        for place in range(len(mine) - SEED + 1):
            spots = self._places.get(tuple(mine[place : place + SEED]), ())
            runs = {spot: runs.get(spot - 1, SEED - 1) + 1 for spot in spots if not but or self._owner(spot) not in but}
            best = max(runs.values(), default=0)
            longest = max(longest, best)
            shared += best >= GRAM
        return Overlap(longest, shared, max(0, len(mine) - GRAM + 1))

    def _owner(self, spot: int) -> int:
        return bisect_right(self._starts, spot) - 1


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
