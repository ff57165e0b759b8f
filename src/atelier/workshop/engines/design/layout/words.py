"""The words of a brief, ranked and set: what is read first is largest, and everything fits its room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
        return {"headline": self.display, "date": self.strong, "action": self.strong}.get(role, self.text)


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
        found = _stacked(said, present, room, typeset, kind, align, wanted * SCALES[middle], headline)
        if found is not None and found.box.height <= room.height + 1e-6:
            best, high = found, middle
        else:
            low = middle + 1
    return None if best is None else _lowered(best, (room.height - best.box.height) * rise)


def _stacked(
    said: Mapping[str, str], present: list[str], room: Box, typeset: Typeset, kind: Kind, align: Align, size: float,
    headline: float,
) -> Words | None:  # fmt: skip
    parts: list[Said] = []
    top, base = room.top, headline
    for role in present:
        hand, text = typeset.hand(role), said[role]
        if role == "headline":
            block = fitted(hand, text, room.width, room.height, largest=size, lines=5)
            base = block.size
        else:
            base = base or size
            wanted = max(kind.least, min(base * RANKS[role], size))
            if role == "action":
                wide = max(room.width - 2 * wanted, kind.least)
                block = fitted(hand, text, wide, 3 * wanted, largest=wanted, lines=1)
            else:
                block = _short(hand, text, wanted, room.width, kind.least, one=role in ("date", "place"))
        if block.size < kind.least - 1e-6 or block.width > room.width + 1e-6:
            return None
        gap = _gap(parts, role, block)
        pad = block.size * 0.75 if role == "action" else 0.0
        top += gap
        box = Box(room.left, top, room.right, top + block.height + 2 * pad)
        parts.append(Said(role, block, _beside(box, block, align, pad), align))
        top = box.bottom
    boxes = [part.box for part in parts]
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole | box
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


def _gap(parts: list[Said], role: str, block: Block) -> float:
    if not parts:
        return 0.0
    before = parts[-1]
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


def _lowered(words: Words, by: float) -> Words:
    def down(box: Box) -> Box:
        return Box(box.left, box.top + by, box.right, box.bottom + by)

    return Words(tuple(Said(p.role, p.block, down(p.box), p.align) for p in words.parts), down(words.box))
