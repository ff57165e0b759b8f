"""Sets words in lines: where they break, how large they can be, and the shapes of their letters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

import numpy as np

from atelier.workshop.engines.design.outline import Box, Matrix, Outline

from .breaking import SOFT, joined, parts_of, shown, softened
from .direction import Direction, base_direction
from .faces import Face, in_faces, pieces

Align = Literal["left", "middle", "right"]
LEADING = 1.22
"""From line to line, in ems of running text; less for large type."""
CRAMPED, RELIEF = 0.5, 1.3
"""A headline that one long word makes smaller than this part of the wanted size may have the word parted, where that
makes it so many times larger."""
_JOINED = ("ARABIC", "SYRIAC", "NKO", "MONGOLIAN", "DEVANAGARI", "BENGALI")


@dataclass(frozen=True)
class Hand:
    """How words are set: faces by preference (the others only where letters are missing), and space between letters."""

    faces: tuple[Face, ...]
    tracking: float = 0.0
    upper: bool = False

    @property
    def face(self) -> Face:
        return self.faces[0]

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Kept: many things are known by the hand that they are set in, and a hand has a dozen faces."""
        return hash((self.faces, self.tracking, self.upper))

    def said(self, text: str) -> str:
        return text.upper() if self.upper else text


@dataclass(frozen=True)
class Line:
    """One line; `width` in ems; `direction` is that of the whole text."""

    text: str
    width: float
    direction: Direction = "ltr"


@dataclass(frozen=True)
class Block:
    """Lines set at a size: how much room they take, from the top of the capitals to the last line's descent."""

    hand: Hand
    lines: tuple[Line, ...]
    size: float
    leading: float

    @property
    def width(self) -> float:
        return max(line.width for line in self.lines) * self.size

    @property
    def height(self) -> float:
        face = self.hand.face
        return (face.cap + face.descent + self.leading * (len(self.lines) - 1)) * self.size


@lru_cache(50_000)
def width(hand: Hand, text: str) -> float:
    """How wide a line is, in ems."""
    total, spaces, space = 0.0, 0, spacing(hand, text)
    for piece in pieces(text, hand.faces):
        glyphs = piece.face.shaped(piece.text, piece.direction, tied=not space)
        total += sum(glyph.advance for glyph in glyphs)
        spaces += len({glyph.cluster for glyph in glyphs})
    return total + space * max(0, spaces - 1)


def spacing(hand: Hand, text: str) -> float:
    """The space between the letters of a line, in ems: none where they are joined (CSS Text 3, 8.2)."""
    if not hand.tracking or text.isascii():
        return hand.tracking
    return 0.0 if any(_is_joined(letter) for letter in text) else hand.tracking


@lru_cache(4096)
def _is_joined(letter: str) -> bool:
    import unicodedata

    return unicodedata.name(letter, "").startswith(_JOINED)


# Breaking lines -------------------------------------------------------------------------------------------------


def broken(hand: Hand, text: str, count: int) -> tuple[Line, ...]:
    """The text in so many lines (or fewer), as even as they can be: the widest is as narrow as possible."""
    parts = parts_of(hand.said(text))
    return _broken(hand, parts, min(count, len(parts)), base_direction(text))


@lru_cache(4096)
def _broken(hand: Hand, parts: tuple[tuple[str, str], ...], count: int, direction: Direction) -> tuple[Line, ...]:
    sizes = [width(hand, word) for _, word in parts]
    gaps = [width(hand, shown(gap)) + hand.tracking for gap, _ in parts]
    hyphens = [width(hand, "-") + hand.tracking if gap == SOFT else 0.0 for gap, _ in [*parts[1:], ("", "")]]
    cumulated = np.concatenate(([0.0], np.cumsum(sizes)))
    spaces = np.concatenate(([0.0], np.cumsum(gaps)))
    n = len(parts)

    def wide(begin: int, end: int) -> float:
        return float(cumulated[end] - cumulated[begin] + spaces[end] - spaces[begin + 1] + hyphens[end - 1])

    best = [[(float("inf"), 0.0, 0)] * (n + 1) for _ in range(count + 1)]
    best[0][0] = (0.0, 0.0, 0)
    for lines in range(1, count + 1):
        for end in range(lines, n + 1):
            best[lines][end] = min(
                (max(best[lines - 1][begin][0], size), best[lines - 1][begin][1] + size * size, begin)
                for begin in range(lines - 1, end)
                for size in (wide(begin, end),)
            )
    ends, end = [], n
    for lines in range(count, 0, -1):
        ends.append(end)
        end = best[lines][end][2]
    begin, found = 0, []
    for end in reversed(ends):
        text = joined(parts[begin:end], parts[end][0] if end < n else "")
        found.append(Line(text, width(hand, text), direction))
        begin = end
    return tuple(found)


def filled(hand: Hand, text: str, measure: float) -> tuple[Line, ...]:
    """Running text in lines of at most `measure` ems, as many as it takes. A word that is longer than a line is parted
    where its language allows it, and stands alone where it does not."""
    said = hand.said(text)
    if any(width(hand, part) > measure for _, part in parts_of(said)):
        said = softened(said)
    found: list[str] = []
    line: list[tuple[str, str]] = []
    parts = parts_of(said)
    for (gap, word), (after, _) in zip(parts, [*parts[1:], ("", "")], strict=True):
        if line and width(hand, joined([*line, (gap, word)], after)) > measure:
            found.append(joined(line, gap))
            line = [("", word)]
        else:
            line.append((gap, word))
    direction = base_direction(text)
    return tuple(Line(each, width(hand, each), direction) for each in [*found, joined(line)])


def fitted(hand: Hand, text: str, wide: float, high: float, *, largest: float, lines: int = 5) -> Block:
    """The largest setting within a room; evenly broken. Always gives one: the room decides the size."""
    found = _fitted(hand, text, wide, high, largest, lines)
    if found.size < CRAMPED * min(largest, high) and lines > 1:
        parted = _fitted(hand, softened(text), wide, high, largest, lines)
        if parted.size > RELIEF * found.size:
            return parted
    return found


def _fitted(hand: Hand, text: str, wide: float, high: float, largest: float, lines: int) -> Block:
    settings, leading = _settings(hand, text, lines)
    first = settings[0]
    best, taken = first.lines, min(wide / first.wide, high / first.high, largest)
    score = taken * first.worth
    for setting in settings[1:]:
        size = min(wide / setting.wide, high / setting.high, largest)
        if size * setting.worth > score:
            best, taken, score = setting.lines, size, size * setting.worth
    return Block(hand, best, taken, leading)


class _Setting(NamedTuple):
    """A text in so many lines, and in ems how wide and how high these are. `worth` is higher where they are even."""

    lines: tuple[Line, ...]
    wide: float
    high: float
    worth: float


@lru_cache(4096)
def _settings(hand: Hand, text: str, lines: int) -> tuple[tuple[_Setting, ...], float]:
    """The text in one, two and more lines, and how far these are apart, in ems."""
    tall = hand.face.cap + hand.face.descent
    leading = max(1.0, tall * 1.12)
    found: list[_Setting] = []
    for count in range(1, lines + 1):
        block = broken(hand, text, count)
        if len(block) < count and found:
            break
        widest = max(1e-9, *(line.width for line in block))
        even = sum(line.width for line in block) / (len(block) * widest)
        found.append(_Setting(block, widest, tall + leading * (len(block) - 1), 0.8 + 0.2 * even))
    return tuple(found), leading


def running(hand: Hand, text: str, size: float, wide: float) -> Block:
    """Running text at a size in a measure."""
    return Block(hand, filled(hand, text, wide / size), size, LEADING)


# Letters as shapes ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Letters:
    """One line on the canvas: what it says, in which faces as it is read, and its letters as shapes.

    (x, y) is where its `anchor` lies on the line that the letters stand on, as SVG counts it; `left` is its left end.
    `size`, `spacing` and `width` are in units of the canvas.
    """

    text: str
    runs: tuple[tuple[str, Face], ...]
    size: float
    x: float
    y: float
    left: float
    width: float
    spacing: float
    direction: Direction
    anchor: Literal["start", "middle", "end"]
    glyphs: tuple[tuple[Face, int, float, float], ...]
    """(face, glyph, x, y) of each on the canvas."""

    def outline(self) -> Outline:
        """All its letters, to a ten-thousandth of a unit: as exactly as a master keeps them."""
        verbs, points = [], []
        for face, index, x, y in self.glyphs:
            shape = face.outline(index)
            if shape.verbs:
                verbs.append(shape.verbs)
                points.append(shape.moved(Matrix(self.size, 0, 0, self.size, x, y)).points)
        return Outline("".join(verbs), np.concatenate(points).round(4) if points else np.zeros((0, 2)))


def placed(block: Block, room: Box, align: Align) -> list[Letters]:
    """Every line of a block on the canvas: the top of its capitals at the top of the room.

    Left and right are those of a reader from left to right; a line in Hebrew or Arabic starts at the other side.
    """
    face, found = block.hand.face, []
    for number, line in enumerate(block.lines):
        side = align
        if line.direction == "rtl" and align != "middle":
            side = "right" if align == "left" else "left"
        wide = line.width * block.size
        left = {"left": room.left, "middle": (room.left + room.right - wide) / 2, "right": room.right - wide}[side]
        y = room.top + (face.cap + number * block.leading) * block.size
        found.append(_letters(block, line, side, left, y))
    return found


def _letters(block: Block, line: Line, side: Align, left: float, y: float) -> Letters:
    hand, size, x = block.hand, block.size, left
    space = spacing(hand, line.text) * size
    glyphs: list[tuple[Face, int, float, float]] = []
    for piece in pieces(line.text, hand.faces, line.direction):
        shaped = piece.face.shaped(piece.text, piece.direction, tied=not space)
        for glyph, after in zip(shaped, [*shaped[1:], None], strict=True):
            glyphs.append((piece.face, glyph.index, x + glyph.x * size, y - glyph.y * size))
            apart = after is None or after.cluster != glyph.cluster
            x += glyph.advance * size + (space if apart else 0.0)
    wide = line.width * size
    begins = "left" if line.direction == "ltr" else "right"
    # SVG puts a space behind the last letter, too, and counts it where lines are anchored by their middle or their end.
    over = space if line.direction == "ltr" else -space
    anchor: Literal["start", "middle", "end"] = "middle" if side == "middle" else "start" if side == begins else "end"
    at = {"left": left, "middle": left + wide / 2, "right": left + wide}[side]
    at += {"start": 0.0, "middle": over / 2, "end": over}[anchor]
    return Letters(
        line.text,
        tuple(in_faces(line.text, hand.faces)),
        size,
        at,
        y,
        left,
        wide,
        space,
        line.direction,
        anchor,
        tuple(glyphs),
    )
