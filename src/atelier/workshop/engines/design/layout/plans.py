"""What a piece is before it is drawn: boxes, who is in them, and in which colours."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import Literal

from atelier.workshop.engines.design.learning.motifs import Motif
from atelier.workshop.engines.design.outline import Box, Matrix

from .grid import Grid, cells_in
from .habits import Habits
from .kinds import Kind
from .schemes import Scheme
from .words import Words

__all__ = ["Art", "Edge", "Field", "Habits", "Plan", "Set"]


@dataclass(frozen=True)
class Field:
    """A plain form behind things. `round` is the radius of its corners in parts of its shorter side."""

    box: Box
    colour: str
    form: Literal["sheet", "disc", "arch", "ring", "line"] = "sheet"
    round: float = 0.0
    line: float = 0.0


@dataclass(frozen=True)
class Art:
    """A motif in its place: `room` holds it whole. `clip` is what may be seen of it; `tone` paints it in one colour."""

    motif: Motif
    room: Box
    turn: float = 0.0
    flip: bool = False
    clip: Box | None = None
    tone: str | None = None
    role: Literal["hero", "side", "small"] = "hero"

    @cached_property
    def placed(self) -> Matrix:
        fit = self.motif.box.inside(self.room)
        x, y = self.room.middle
        if self.flip:
            fit = Matrix(-1, 0, 0, 1, 2 * x, 0) @ fit
        return Matrix.turned(self.turn, x, y) @ fit if self.turn else fit

    @cached_property
    def box(self) -> Box:
        found = self.motif.box.moved(self.placed)
        return (found & self.clip) or found if self.clip else found

    def under(self, box: Box) -> float:
        """The share of a box in which something of the motif is drawn."""
        mask, inside = self.motif.mask, box & self.box if box.meets(self.box) else None
        if inside is None or mask is None:
            return 0.0
        own = self.motif.box.moved(self.placed)
        high, wide = mask.shape
        if abs(self.turn) > 3:
            return inside.area / max(box.area, 1e-9) * self.motif.cover
        seen = mask[:, ::-1] if self.flip else mask
        rows = slice(
            int((inside.top - own.top) / own.height * high), ceil((inside.bottom - own.top) / own.height * high)
        )
        columns = slice(
            int((inside.left - own.left) / own.width * wide), ceil((inside.right - own.left) / own.width * wide)
        )
        part = seen[rows, columns]
        return int(part.sum()) / part.size * inside.area / max(box.area, 1e-9) if part.size else 0.0


@dataclass(frozen=True)
class Set:
    """Words and what they are set in. `behind` is the colour right behind them."""

    words: Words
    behind: str


@dataclass(frozen=True)
class Edge:
    """A line around plain forms, drawn beside them by `shift`. Both in units of the sheet."""

    colour: str
    width: float
    shift: float = 0.0


@dataclass(frozen=True)
class Plan:
    """One candidate. `features` are what it is ranked by; less is better of each."""

    kind: Kind
    scheme: Scheme
    fields: tuple[Field, ...]
    arts: tuple[Art, ...]
    words: tuple[Set, ...]
    way: str
    seed: int
    features: dict[str, float] = field(default_factory=dict)
    align: str = "left"
    edge: Edge | None = None

    @cached_property
    def grid(self) -> Grid:
        """What lies where, coarsely."""
        wide, high = self.kind.width, self.kind.height
        fields = art = words = 0
        for form in self.fields:
            fields |= cells_in(form.box, wide, high)
        for each in self.arts:
            art |= cells_in(each.box, wide, high)
        for group in self.words:
            for part in group.words.parts:
                words |= cells_in(part.box, wide, high)
        return Grid.of(art, words, fields)
