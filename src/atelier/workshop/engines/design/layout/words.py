"""The words of a brief, ranked and set: what is read first is largest, and everything fits its room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from atelier.workshop.engines.design.outline import Box
from atelier.workshop.engines.design.type.setting import Align, Block, Hand, broken, fitted, running

from .kinds import Kind

RANKS = {"headline": 1.0, "date": 0.48, "place": 0.36, "text": 0.36, "action": 0.34}
"""Wanted sizes, in parts of the headline's."""
SCALES = tuple(0.92**n for n in range(16))
"""Sizes that are tried, in parts of what the kind wants."""
FIRST = ("headline", "text")
SECOND = ("date", "place", "action")


@dataclass(frozen=True)
class Typeset:
    """Which hands words are set in."""

    display: Hand
    text: Hand
    strong: Hand

    def hand(self, role: str) -> Hand:
        if role == "headline":
            return self.display
        return self.strong if role in ("date", "action") else self.text


@dataclass(frozen=True)
class Said:
    """One part of the words in its place."""

    role: str
    block: Block
    box: Box
    align: Align


@dataclass(frozen=True)
class Words:
    """A group of words set one under the other. `box` holds all of them."""

    parts: tuple[Said, ...]
    box: Box

    @property
    def headline(self) -> float:
        return next((part.block.size for part in self.parts if part.role == "headline"), 0.0)

    @property
    def least(self) -> float:
        return min(part.block.size for part in self.parts)


def set_words(
    said: Mapping[str, str], roles: tuple[str, ...], room: Box, typeset: Typeset, kind: Kind, align: Align,
    rise: float = 0.5, headline: float = 0.0,
) -> Words | None:  # fmt: skip
    """The words of these roles in a room, `rise` of the free height above them; None where they do not fit legibly.

    `headline` is the size that ranks count from where the headline is not among the roles.
    """
    present = [role for role in roles if said.get(role)]
    if not present or room.width < 4 * kind.least or room.height < kind.least:
        return None
    wanted = kind.headline * kind.side * (1.25 if "headline" in present else 1.0)
    low, high, best = 0, len(SCALES), None
    while low < high:  # the larger the words the higher they stand, so the largest that fits is found by halving
        middle = (low + high) // 2
        rows = _rows(said, present, room, typeset, kind, wanted * SCALES[middle], headline)
        if rows is not None:
            best, high = rows, middle
        else:
            low = middle + 1
    return None if best is None else _stacked(best, room, align, rise)


class _Row(NamedTuple):
    """A part of the words at its height; `pad` is what a button adds around them."""

    role: str
    block: Block
    top: float
    bottom: float
    pad: float


def _rows(
    said: Mapping[str, str], present: list[str], room: Box, typeset: Typeset, kind: Kind, size: float, headline: float
) -> list[_Row] | None:
    """The parts one under the other, each at the size that its rank has; None where one would be illegible or the room
    too low for them."""
    found: list[_Row] = []
    base, top = headline, room.top
    for role in present:
        if role == "headline":
            wide, high = room.width, room.height
            block = fitted(typeset.display, said[role], wide, high, largest=size, lines=5)
            base = block.size
        else:
            base = base or size
            wanted = max(kind.least, min(base * RANKS[role], size))
            block = _lesser(typeset.hand(role), said[role], role, wanted, room.width, kind.least)
        if block.size < kind.least - 1e-6 or block.width > room.width + 1e-6:
            return None
        top += _gap(found[-1], role, block) if found else 0.0
        pad = block.size * 0.75 if role == "action" else 0.0
        found.append(_Row(role, block, top, top + block.height + 2 * pad, pad))
        top = found[-1].bottom
        if top - room.top > room.height + 1e-6:
            return None
    return found


def _lesser(hand: Hand, text: str, role: str, wanted: float, wide: float, least: float) -> Block:
    """Words that are no headline, as near to the wanted size as they fit."""
    if role == "action":
        return fitted(hand, text, max(wide - 2 * wanted, least), 3 * wanted, largest=wanted, lines=1)
    return _short(hand, text, wanted, wide, least, one=role in ("date", "place"))


def _stacked(rows: list[_Row], room: Box, align: Align, rise: float) -> Words:
    """The parts in a room, `rise` of the free height above them."""
    by = (room.height - (rows[-1].bottom - rows[0].top)) * rise
    parts = []
    for row in rows:
        box = Box(room.left, row.top + by, room.right, row.bottom + by)
        parts.append(Said(row.role, row.block, _beside(box, row.block, align, row.pad), align))
    whole = parts[0].box
    for part in parts[1:]:
        whole = whole | part.box
    return Words(tuple(parts), whole)


def _short(hand: Hand, text: str, wanted: float, wide: float, least: float, *, one: bool) -> Block:
    """A few words as near to the wanted size as they fit, in even lines; a date or a place on one line if it can be."""
    line = fitted(hand, text, wide, wanted * 2, largest=wanted, lines=1)
    if line.size >= max(least, (0.62 if one else 0.85) * wanted):
        return line
    block = running(hand, text, wanted, wide)
    widest = max(line.width for line in block.lines)
    if widest * wanted > wide:  # one word is longer than the room is wide
        return running(hand, text, wide / widest, wide)
    even = broken(hand, text, len(block.lines))
    fits = max(line.width for line in even) * wanted <= wide
    return Block(hand, even, wanted, block.leading) if fits else block


def _gap(before: _Row, role: str, block: Block) -> float:
    near = 0.55 if before.role in ("date", "place") and role in ("date", "place") else 0.95
    return near * block.size + 0.12 * before.block.size + (0.35 * block.size if role == "action" else 0.0)


def _beside(box: Box, block: Block, align: Align, pad: float) -> Box:
    """The part of the measure that the words really take."""
    wide = block.width + (2.6 * pad if pad else 0.0)
    if align == "left":
        return Box(box.left, box.top, box.left + wide, box.bottom)
    if align == "right":
        return Box(box.right - wide, box.top, box.right, box.bottom)
    middle = (box.left + box.right) / 2
    return Box(middle - wide / 2, box.top, middle + wide / 2, box.bottom)
