"""Sets words in lines: where they break, how large they can be, and the shapes of their letters."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from atelier.workshop.engines.design.outline import Box, Matrix, Outline

from .faces import Face, base_direction, pieces

Align = Literal["left", "middle", "right"]
LEADING = 1.22
"""From line to line, in ems of running text; less for large type."""
_NOT_FIRST = set("、。，．・：；？！）」』】〕〉》”’…ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ!?),.:;%]}»")
_NOT_LAST = set("（「『【〔〈《“‘([{«$€£¥")


@dataclass(frozen=True)
class Hand:
    """How words are set: faces by preference (the others only where letters are missing), and space between letters."""

    faces: tuple[Face, ...]
    tracking: float = 0.0
    upper: bool = False

    @property
    def face(self) -> Face:
        return self.faces[0]

    def said(self, text: str) -> str:
        return text.upper() if self.upper else text


@dataclass(frozen=True)
class Line:
    """One line; `width` in ems."""

    text: str
    width: float


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
    total, count = 0.0, 0
    for piece in pieces(text, hand.faces):
        glyphs = piece.face.shaped(piece.text, piece.direction)
        total += sum(glyph.advance for glyph in glyphs)
        count += len(glyphs)
    return total + hand.tracking * max(0, count - 1)


# Breaking lines -------------------------------------------------------------------------------------------------


@lru_cache(4096)
def words_of(text: str) -> tuple[tuple[str, str], ...]:
    """The parts between which a line may end, each with what stands between it and the one before."""
    found: list[tuple[str, str]] = []
    for word in text.split():
        gap = " " if found else ""
        for part in _syllables(word):
            found.append((gap, part))
            gap = ""
    return tuple(found)


def _syllables(word: str) -> list[str]:
    """A word is one part; Chinese and Japanese may end a line after any letter but some."""
    parts: list[str] = []
    for letter in word:
        apart = bool(parts) and _wide(letter, parts[-1][-1])
        if apart and letter not in _NOT_FIRST and parts[-1][-1] not in _NOT_LAST:
            parts.append(letter)
        elif parts:
            parts[-1] += letter
        else:
            parts.append(letter)
    return parts


def _wide(letter: str, before: str) -> bool:
    return any(unicodedata.east_asian_width(each) in "WF" for each in (letter, before))


def broken(hand: Hand, text: str, count: int) -> tuple[Line, ...]:
    """The text in so many lines (or fewer), as even as they can be: the widest is as narrow as possible."""
    parts = words_of(hand.said(text))
    return _broken(hand, parts, min(count, len(parts)))


@lru_cache(4096)
def _broken(hand: Hand, parts: tuple[tuple[str, str], ...], count: int) -> tuple[Line, ...]:
    sizes = [width(hand, word) for _, word in parts]
    gaps = [width(hand, gap) + hand.tracking if gap else hand.tracking for gap, _ in parts]
    cumulated = np.concatenate(([0.0], np.cumsum(sizes)))
    spaces = np.concatenate(([0.0], np.cumsum(gaps)))
    n = len(parts)

    def wide(begin: int, end: int) -> float:
        return float(cumulated[end] - cumulated[begin] + spaces[end] - spaces[begin + 1])

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
        text = parts[begin][1] + "".join(gap + word for gap, word in parts[begin + 1 : end])
        found.append(Line(text, width(hand, text)))
        begin = end
    return tuple(found)


def filled(hand: Hand, text: str, measure: float) -> tuple[Line, ...]:
    """Running text in lines of at most `measure` ems, as many as it takes; words that are longer stand alone."""
    found: list[str] = []
    line = ""
    for gap, word in words_of(hand.said(text)):
        longer = line + gap + word
        if line and width(hand, longer) > measure:
            found.append(line)
            line = word
        else:
            line = longer
    return tuple(Line(each, width(hand, each)) for each in [*found, line])


def fitted(hand: Hand, text: str, wide: float, high: float, *, largest: float, lines: int = 5) -> Block:
    """The largest setting within a room; evenly broken. Always gives one: the room decides the size."""
    leading = max(1.0, (hand.face.cap + hand.face.descent) * 1.12)
    found, score = None, -1.0
    for block, widest, even in _settings(hand, text, lines):
        tall = hand.face.cap + hand.face.descent + leading * (len(block) - 1)
        size = min(wide / widest, high / tall, largest)
        worth = size * (0.8 + 0.2 * even)
        if worth > score:
            found, score = Block(hand, block, size, leading), worth
    assert found is not None
    return found


@lru_cache(4096)
def _settings(hand: Hand, text: str, lines: int) -> tuple[tuple[tuple[Line, ...], float, float], ...]:
    """The text in one, two and more lines: these, the width of the widest in ems, and how even they are (to 1)."""
    found = []
    for count in range(1, lines + 1):
        block = broken(hand, text, count)
        if len(block) < count:
            break
        widest = max(1e-9, *(line.width for line in block))
        found.append((block, widest, sum(line.width for line in block) / (len(block) * widest)))
    return tuple(found)


def running(hand: Hand, text: str, size: float, wide: float) -> Block:
    """Running text at a size in a measure."""
    return Block(hand, filled(hand, text, wide / size), size, LEADING)


# Letters as shapes ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Letters:
    """The letters of one line in one face, as shapes on the canvas, and the words they make."""

    text: str
    face: Face
    size: float
    x: float
    y: float
    glyphs: tuple[tuple[int, float, float], ...]
    """(glyph, x, y) of each on the canvas."""
    width: float

    def outline(self) -> Outline:
        verbs, points = [], []
        for index, x, y in self.glyphs:
            shape = self.face.outline(index)
            if shape.verbs:
                verbs.append(shape.verbs)
                points.append(shape.moved(Matrix(self.size, 0, 0, self.size, x, y)).points)
        return Outline("".join(verbs), np.concatenate(points) if points else np.zeros((0, 2)))


def placed(block: Block, room: Box, align: Align) -> list[Letters]:
    """Every line of a block on the canvas: the top of its capitals at the top of the room.

    Left and right are those of a reader from left to right; a line in Hebrew or Arabic starts at the other side.
    """
    found: list[Letters] = []
    face = block.hand.face
    for number, line in enumerate(block.lines):
        side = align
        if base_direction(line.text) == "rtl" and align != "middle":
            side = "right" if align == "left" else "left"
        wide = line.width * block.size
        x = {"left": room.left, "middle": (room.left + room.right - wide) / 2, "right": room.right - wide}[side]
        y = room.top + (face.cap + number * block.leading) * block.size
        for piece in pieces(line.text, block.hand.faces):
            glyphs, begin = [], x
            for glyph in piece.face.shaped(piece.text, piece.direction):
                glyphs.append((glyph.index, x + glyph.x * block.size, y - glyph.y * block.size))
                x += (glyph.advance + block.hand.tracking) * block.size
            found.append(Letters(piece.text, piece.face, block.size, begin, y, tuple(glyphs), x - begin))
    return found
