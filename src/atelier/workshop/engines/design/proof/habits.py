"""Are the habits that were learned seen in what is made? Each is measured on composed pieces as it is on works."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atelier.workshop.engines.design.drawing import covered
from atelier.workshop.engines.design.learning.looking import look_at
from atelier.workshop.engines.design.learning.traits import Traits
from atelier.workshop.engines.design.making import Made
from atelier.workshop.engines.design.reading.svg import Read
from atelier.workshop.engines.design.scene import Group, Scene
from atelier.workshop.engines.design.type.choosing import catalogue

from .judging import Array

SIDE = 120
THICK = 0.04
"""A line of this share of a drawing is a thick one; thickness counts in parts of it."""


def away(pieces: Sequence[Made], traits: Traits) -> dict[str, float]:
    """How far pieces are from a hand's habits, 0 for the same, by the names under which habits are vetoed."""
    shown = {name: [each for each in map(measure, pieces) if each is not None] for name, measure in _MEASURES.items()}
    wanted = {
        "line": [max(traits.outlined, traits.line_only), min(1.0, traits.line / THICK)],
        "form": [traits.curved, traits.smooth],
        "composition": [traits.symmetry, traits.cover],
        "type": [traits.letter_smooth, traits.letter_heavy, traits.letter_contrast / 4, traits.upper],
    }
    return {
        name: float(np.abs(np.mean(found, axis=0) - np.array(wanted[name])).mean())
        for name, found in shown.items()
        if found
    }


def _fields(made: Made) -> Read:
    """The plain forms of a piece: what is not a work's own."""
    layers = tuple(item for item in made.scene.items if item.name == "Fields")
    return Read(Scene(Group(layers), made.plan.kind.sheet), (), (), "", "", ())


def _line(made: Made) -> Array | None:
    """Which share of the plain forms has a line, and how thick it is."""
    if not made.plan.fields or not made.task.kind.fields:
        return None
    edge = made.plan.edge
    drawn = [field.form in ("ring", "line") or edge is not None for field in made.plan.fields]
    width = edge.width / made.plan.kind.side / 0.35 if edge else 0.0
    return np.array([float(np.mean(drawn)), min(1.0, width / THICK)])


def _form(made: Made) -> Array | None:
    if not made.plan.fields:
        return None
    look = look_at(_fields(made))
    return np.array([look.curved, look.corners])


def _composition(made: Made) -> Array | None:
    sheet = made.plan.kind.sheet
    shown = Group(tuple(item for item in made.scene.items if item.name != "Ground"))
    ink = covered(shown, sheet, SIDE, SIDE) > 100
    both = ink | ink[:, ::-1]
    return np.array([float((ink & ink[:, ::-1]).sum() / max(1, both.sum())), float(ink.mean())])


def _type(made: Made) -> Array | None:
    part = next((part for group in made.plan.words for part in group.words.parts if part.role == "headline"), None)
    if part is None:
        return None
    family = next((each for each in catalogue() if each.family == part.block.hand.face.family), None)
    if family is None:
        return None
    return np.array([family.smooth, family.heavy, family.contrast / 4, float(part.block.hand.upper)])


_MEASURES = {"line": _line, "form": _form, "composition": _composition, "type": _type}
