"""In which order letters are seen: the Unicode bidirectional algorithm (UAX #9) for one line without controls.

Embeddings, overrides and isolates are passed over as if they were not there: nobody writes them into a headline, and
what they could do (show other words than those that stand there) is not wanted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, TypeVar

Direction = Literal["ltr", "rtl"]
_BRACKETS = ("()", "[]", "{}", "⁅⁆", "〈〉", "《》", "「」", "『』", "【】", "〔〕", "〖〗", "（）", "［］", "｛｝")
_OPENS = {pair[0]: pair[1] for pair in _BRACKETS}
_CLOSES = {pair[1]: pair[0] for pair in _BRACKETS}
_CONTROLS = frozenset(("BN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"))
_NEUTRAL = frozenset(("B", "S", "WS", "ON"))
_STRONG = {"L": "L", "R": "R", "EN": "R", "AN": "R"}
Each = TypeVar("Each")


def base_direction(text: str) -> Direction:
    """That of the first letter with one (P2, P3)."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("R", "AL"):
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


@lru_cache(4096)
def levels(text: str, line: Direction | None = None) -> tuple[int, ...]:
    """How deep each letter is embedded; those of an odd level run from right to left. `line` is the direction of the
    whole text that a line is a part of; the line's own where it is not told."""
    base = 1 if (line or base_direction(text)) == "rtl" else 0
    if base == 0 and text.isascii():
        return (0,) * len(text)
    own = [unicodedata.bidirectional(letter) or "L" for letter in text]
    places = [place for place, kind in enumerate(own) if kind not in _CONTROLS]
    kinds = [own[place] for place in places]
    around = "R" if base else "L"
    _weak(kinds, around)
    _brackets(kinds, [text[place] for place in places], around)
    _neutral(kinds, around)
    found = [base] * len(text)
    for place, kind in zip(places, kinds, strict=True):
        found[place] = (1 if kind == "R" else 2) if base else {"L": 0, "R": 1}.get(kind, 2)  # I1, I2
    last = base
    for place, kind in enumerate(own):  # what is passed over goes with what stands before it
        found[place] = last if kind in _CONTROLS else found[place]
        last = found[place]
    for place in range(len(text) - 1, -1, -1):  # L1
        if own[place] not in ("WS", "S", "B") and own[place] not in _CONTROLS:
            break
        found[place] = base
    return tuple(found)


def _weak(kinds: list[str], around: str) -> None:
    """Marks and numbers (W1 to W7)."""
    strong = before = around
    for place, kind in enumerate(kinds):
        if kind == "NSM":  # W1
            kind = before
        if kind in ("L", "R", "AL"):
            strong = kind
        elif kind == "EN" and strong == "AL":  # W2
            kind = "AN"
        kinds[place] = before = kind
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for place in range(1, len(kinds) - 1):  # W4
        left, kind, right = kinds[place - 1 : place + 2]
        if left == right and ((kind in ("ES", "CS") and left == "EN") or (kind == "CS" and left == "AN")):
            kinds[place] = left
    for turn in (1, -1):  # W5
        row = kinds[::turn]
        for place in range(1, len(row)):
            if row[place] == "ET" and row[place - 1] == "EN":
                row[place] = "EN"
        kinds[:] = row[::turn]
    strong = around
    for place, kind in enumerate(kinds):
        if kind in ("ES", "ET", "CS"):  # W6
            kinds[place] = "ON"
        elif kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":  # W7
            kinds[place] = "L"


def _brackets(kinds: list[str], letters: list[str], around: str) -> None:
    """Brackets go together, with what is in them (N0)."""
    for opening, closing in _pairs(kinds, letters):
        inside = {_STRONG[kind] for kind in kinds[opening + 1 : closing] if kind in _STRONG}
        if around in inside:
            kinds[opening] = kinds[closing] = around
        elif inside:
            before = next((_STRONG[kind] for kind in reversed(kinds[:opening]) if kind in _STRONG), around)
            kinds[opening] = kinds[closing] = before if before in inside else around


def _pairs(kinds: list[str], letters: list[str]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    open_: list[int] = []
    for place, letter in enumerate(letters):
        if kinds[place] != "ON":
            continue
        if letter in _OPENS:
            open_.append(place)
        elif letter in _CLOSES:
            match = next((n for n in range(len(open_) - 1, -1, -1) if letters[open_[n]] == _CLOSES[letter]), None)
            if match is not None:
                found.append((open_[match], place))
                del open_[match:]
    return sorted(found)


def _neutral(kinds: list[str], around: str) -> None:
    """What has no direction goes with both its neighbours, else with the line (N1, N2)."""
    place = 0
    while place < len(kinds):
        end = place
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        if end > place:
            before = _STRONG[kinds[place - 1]] if place else around
            after = _STRONG[kinds[end]] if end < len(kinds) else around
            kinds[place:end] = [before if before == after else around] * (end - place)
        place = end + 1


def seen(runs: Sequence[tuple[Each, int]]) -> list[tuple[Each, int]]:
    """Runs with their levels, given as they are read, in the order in which they are seen from the left (L2)."""
    found = list(runs)
    for level in range(max((each[1] for each in found), default=0), 0, -1):
        begin = 0
        while begin < len(found):
            end = begin
            while end < len(found) and found[end][1] >= level:
                end += 1
            found[begin:end] = found[begin:end][::-1]
            begin = end + 1
    return found
