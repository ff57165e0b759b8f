"""What lies where on a sheet, coarsely: 12 by 12 cells, and what is topmost in each. Sets of cells are the bits of one
number, row by row: on so few cells this takes a tenth of the time that arrays take."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from atelier.workshop.engines.design.outline import Box

CELLS = 12
ALL = CELLS * CELLS
_ROW = (1 << CELLS) - 1
_TURNED = tuple(int(f"{row:0{CELLS}b}"[::-1], 2) for row in range(1 << CELLS))
"""Each row of cells from right to left."""
_ACROSS = tuple(sum(n for n in range(CELLS) if row >> n & 1) for row in range(1 << CELLS))
"""The numbers of the columns of each row of cells, added up."""


def cells_in(box: Box, wide: float, high: float) -> int:
    """The cells of a sheet whose middles lie in a box."""
    left, right = box.left / wide * CELLS, box.right / wide * CELLS
    top, bottom = box.top / high * CELLS, box.bottom / high * CELLS
    first, last = max(0, int(left + 0.5)), min(CELLS, ceil(right - 0.5))
    upper, lower = max(0, int(top + 0.5)), min(CELLS, ceil(bottom - 0.5))
    if first >= last or upper >= lower:
        return 0
    row = (1 << last) - (1 << first)
    return row * (((1 << CELLS * lower) - (1 << CELLS * upper)) // _ROW)


@dataclass(frozen=True)
class Grid:
    """Sets of cells that have none in common: in which art is topmost, in which words, in which a field. Art weighs 2,
    words 1, fields a half, and empty cells nothing."""

    art: int
    words: int
    fields: int

    @classmethod
    def of(cls, art: int, words: int, fields: int) -> Grid:
        """From sets that may have cells in common."""
        words &= ~art
        return cls(art, words, fields & ~(art | words))

    @property
    def empty(self) -> float:
        """The share of cells in which nothing lies."""
        return 1 - (self.art | self.words | self.fields).bit_count() / ALL

    @property
    def busy(self) -> float:
        """The share of cells in which art or words lie."""
        return (self.art | self.words).bit_count() / ALL

    @property
    def weight(self) -> float:
        return 2 * self.art.bit_count() + self.words.bit_count() + 0.5 * self.fields.bit_count()

    @property
    def middle(self) -> tuple[float, float]:
        """Where the middle of all weight lies, 0 to 1 across and down; in the middle of an empty sheet."""
        total = self.weight * (CELLS - 1)
        if not total:
            return 0.5, 0.5
        x = y = 0.0
        for cells, weight in ((self.art, 2.0), (self.words, 1.0), (self.fields, 0.5)):
            across = down = row = 0
            while cells:
                there = cells & _ROW
                across += _ACROSS[there]
                down += row * there.bit_count()
                cells, row = cells >> CELLS, row + 1
            x, y = x + weight * across, y + weight * down
        return x / total, y / total

    @property
    def symmetry(self) -> float:
        """1 where the left half is like the right one."""
        turned = Grid(*(_mirrored(each) for each in (self.art, self.words, self.fields)))
        return 1 - self.apart(turned) / max(2 * self.weight / ALL, 1e-9)

    def apart(self, other: Grid) -> float:
        """How much the weight of a cell differs, on the mean."""
        mine, theirs = self.art | self.words | self.fields, other.art | other.words | other.fields
        total = 2.0 * ((self.art & ~theirs).bit_count() + (other.art & ~mine).bit_count())
        total += 1.5 * ((self.art & other.fields).bit_count() + (other.art & self.fields).bit_count())
        total += (self.art & other.words).bit_count() + (other.art & self.words).bit_count()
        total += (self.words & ~theirs).bit_count() + (other.words & ~mine).bit_count()
        total += 0.5 * ((self.words & other.fields).bit_count() + (other.words & self.fields).bit_count())
        total += 0.5 * ((self.fields & ~theirs).bit_count() + (other.fields & ~mine).bit_count())
        return total / ALL


def _mirrored(cells: int) -> int:
    return sum(_TURNED[cells >> CELLS * row & _ROW] << CELLS * row for row in range(CELLS))
