"""A candidate while it is drawn: the choices that hold for all of it, and what has been put on the sheet so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from atelier.workshop.engines.design.learning.motifs import Motif
from atelier.workshop.engines.design.outline import Box
from atelier.workshop.engines.design.type.setting import Align

from .chance import one_of
from .kinds import Kind
from .plans import Art, Field, Habits, Set
from .schemes import Scheme
from .words import Typeset, Words, set_words


@dataclass(frozen=True)
class Task:
    """All that candidates are drawn from. `heroes` show the subject, the best first; none: words and forms alone."""

    kind: Kind
    said: Mapping[str, str]
    heroes: tuple[Motif, ...]
    sides: tuple[Motif, ...]
    typesets: tuple[Typeset, ...]
    schemes: tuple[Scheme, ...]
    habits: Habits

    @property
    def motifs(self) -> tuple[Motif, ...]:
        """All that may be shown, the best first, each once."""
        return tuple(dict.fromkeys((*self.heroes, *self.sides)))


class Sketch:
    """A candidate while it is drawn."""

    def __init__(self, task: Task, draw: np.random.Generator) -> None:
        self.task, self.draw = task, draw
        self.kind = task.kind
        self.scheme = task.schemes[int(len(task.schemes) * draw.random() ** 1.6)]
        self.typeset = task.typesets[int(draw.integers(len(task.typesets)))]
        self.margin = task.kind.margin * task.kind.side * draw.uniform(0.85, 1.3)
        self.align: Align = "middle" if draw.random() < task.habits.middle else "left"
        self.corner = self._corner()
        self.fields: list[Field] = []
        self.arts: list[Art] = []
        self.words: list[Set] = []

    def _corner(self) -> float:
        """How round the corners of fields are: as the creator's own forms."""
        habits = self.task.habits
        return 0.0 if habits.smooth < 0.35 else one_of(self.draw, (0.06, 0.12, 0.5)) * habits.smooth

    def ground_for(self, cell: Box, colour: str, *, plain: bool) -> Field:
        """A field behind a cell. It goes on beyond the sheet where the cell ends there; its corners within are as round
        as the hand is, but for `plain` ones, on which words stand, no rounder than their margin bears."""
        sheet, over = self.kind.sheet, 0.2 * self.kind.side
        box = Box(
            cell.left - over * (cell.left <= sheet.left + 1),
            cell.top - over * (cell.top <= sheet.top + 1),
            cell.right + over * (cell.right >= sheet.right - 1),
            cell.bottom + over * (cell.bottom >= sheet.bottom - 1),
        )
        if not self.is_round():
            return Field(box, colour)
        radius = self.draw.uniform(0.25, 0.5) * min(cell.width, cell.height) * self.task.habits.smooth
        radius = min(radius, 1.7 * self.margin) if plain else radius
        return Field(box, colour, "sheet", radius / min(box.width, box.height))

    def is_round(self) -> bool:
        """Whether the next plain form is round: as often as the creator's forms are."""
        return bool(self.draw.random() < self.task.habits.curved)

    def a_hero(self) -> Motif:
        """One of those that show the subject, the best most often."""
        heroes = self.task.heroes
        return heroes[min(len(heroes) - 1, int(len(heroes) * self.draw.random() ** 2.2))]

    def inner(self, box: Box | None = None) -> Box:
        return (box or self.kind.sheet).grown(-self.margin)

    def put_words(
        self, roles: tuple[str, ...], room: Box, behind: str, rise: float, align: Align | None = None
    ) -> bool:
        words = set_words(
            self.task.said, roles, room, self.typeset, self.kind, align or self.align, rise, self.headline
        )
        if words is None:
            return not any(self.task.said.get(role) for role in roles)
        self.words.append(Set(words, behind))
        return True

    @property
    def headline(self) -> float:
        return next((group.words.headline for group in self.words if group.words.headline), 0.0)

    @property
    def last(self) -> Words:
        return self.words[-1].words

    def ground_of(self, cell: Box) -> str:
        """The colour behind a cell: the topmost field that holds it."""
        held = (each.colour for each in reversed(self.fields) if each.form == "sheet" and each.box.holds(cell, 1.0))
        return next(held, self.scheme.ground)
