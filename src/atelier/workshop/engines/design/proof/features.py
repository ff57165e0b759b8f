"""What is seen of a hand in a composed piece: its colours and how they lie, directions and thickness of lines, the
habits of its forms, and its type. Counted on pixels and outlines; no network, and nothing of the piece's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.engines.design.colour import lab_of
from atelier.workshop.engines.design.drawing import raster
from atelier.workshop.engines.design.learning.looking import look_at
from atelier.workshop.engines.design.reading.svg import Read
from atelier.workshop.engines.design.scene import Group, Scene
from atelier.workshop.engines.design.type.choosing import catalogue

if TYPE_CHECKING:
    from atelier.workshop.engines.design.making import Made

SIDE = 224
LEVELS = (5, 7, 7)
"""Steps of lightness and of the two axes of colour into which what is seen is counted."""
ANGLES = 12
HABITS, TYPE = 0.25, 0.25
"""How much the habits of forms and of type count beside what the pixels show (whose parts each have a length of about
one): habits are many and move together."""
Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]


def features(made: Made) -> Array:
    """One vector of a piece."""
    sheet = made.plan.kind.sheet
    scale = SIDE / max(sheet.width, sheet.height)
    size = max(8, round(sheet.width * scale)), max(8, round(sheet.height * scale))
    pixels = raster(made.scene, sheet, *size, ground="#ffffff")
    return np.concatenate([of_pixels(pixels), HABITS * _habits(made), TYPE * _type(made)])


def _habits(made: Made) -> Array:
    """How the forms of a piece are drawn and lie, its words and its ground left out; measured as a work's are."""
    shown = Group(tuple(item for item in made.scene.items if item.name in ("Fields", "Art")))
    look = look_at(Read(Scene(shown, made.plan.kind.sheet), (), (), "", "", ()))
    width = float(np.median([width for width, _ in look.widths])) if look.widths else 0.0
    return np.array(
        [look.outlined, look.line_only, min(1.0, 20 * width), look.round_ends, look.curved, look.corners, look.graded,
         look.sheer, look.cover, look.symmetry, min(1.0, look.tones / 20)]
    )  # fmt: skip


def _type(made: Made) -> Array:
    """The form of the letters that the headline is set in, and how it stands."""
    part = next((part for group in made.plan.words for part in group.words.parts if part.role == "headline"), None)
    if part is None:
        return np.zeros(6)
    hand = part.block.hand
    family = next((each for each in catalogue() if each.family == hand.face.family), None)
    figures = (family.smooth, family.heavy, family.contrast / 4, family.wide / 2) if family else (0.7, 0.4, 0.4, 0.55)
    return np.array([*figures, float(hand.upper), float(part.align == "middle")])


def of_pixels(pixels: Pixels) -> Array:
    """One vector of an opaque picture (height, width, 4); its longer side should be about `SIDE`."""
    lab = lab_of(pixels[..., :3])
    light = lab[..., 0]
    down, across = (np.asarray(each) for each in np.gradient(light))
    strength = np.hypot(across, down)
    return np.concatenate(
        [_colours(lab), _neighbours(lab), _directions(across, down, strength), _lines(light, strength, lab)]
    )


def _colours(lab: Array) -> Array:
    """Square roots of how much there is of each colour (Hellinger's distance becomes Euclid's)."""
    return np.sqrt(np.bincount(_steps(lab).ravel(), minlength=int(np.prod(LEVELS))) / lab[..., 0].size)


def _steps(lab: Array) -> NDArray[np.int64]:
    low, span = np.array([0.0, -0.28, -0.28]), np.array([1.0001, 0.56, 0.56])
    step = np.clip(((lab - low) / span * LEVELS).astype(int), 0, np.array(LEVELS) - 1)
    return np.asarray(step[..., 0] * LEVELS[1] * LEVELS[2] + step[..., 1] * LEVELS[2] + step[..., 2])


def _neighbours(lab: Array) -> Array:
    """How far apart in lightness, chroma and hue things are that touch: soft, flat, outlined in dark."""
    found = []
    for one, other in ((lab[:, 3:], lab[:, :-3]), (lab[3:], lab[:-3])):
        light = np.abs(one[..., 0] - other[..., 0])
        tint = np.hypot(one[..., 1] - other[..., 1], one[..., 2] - other[..., 2])
        darker = np.minimum(one[..., 0], other[..., 0])
        edge = (light + tint) > 0.08
        found += [
            float(edge.mean()) * 3,
            float(light[edge].mean()) if edge.any() else 0.0,
            float(tint[edge].mean()) * 2 if edge.any() else 0.0,
            float((darker[edge] < 0.25).mean()) if edge.any() else 0.0,
            float(((light + tint > 0.006) & (light + tint < 0.04)).mean()) * 2,
        ]
    return np.array(found)


def _directions(across: Array, down: Array, strength: Array) -> Array:
    """In which directions edges run, by their strength."""
    angle = np.arctan2(down, across) % np.pi
    counts = np.histogram(angle, ANGLES, (0, np.pi), weights=strength)[0]
    return np.sqrt(counts / max(float(counts.sum()), 1e-9))


def _lines(light: Array, strength: Array, lab: Array) -> Array:
    """Share of fine and broad dark lines, of flat areas, and how chroma is spread."""
    dark = light < 0.3
    runs = [_runs(row) for row in dark[::4]] + [_runs(row) for row in dark.T[::4]]
    lengths = np.concatenate([each for each in runs if len(each)] or [np.zeros(1)])
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    thin = [
        float(((lengths > low) & (lengths <= high)).mean())
        for low, high in ((0, 2), (2, 4), (4, 8), (8, 16), (16, 999))
    ]
    return np.array(
        [
            *thin,
            float(dark.mean()),
            float((light > 0.93).mean()),
            float(chroma.mean()) * 4,
            float(chroma.std()) * 4,
            float((chroma > 0.12).mean()),
            float((strength < 0.002).mean()),
            float((strength > 0.12).mean()) * 4,
        ]
    )


def _runs(line: NDArray[np.bool_]) -> Array:
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], line.astype(np.int8), [0]))))
    return (edges[1::2] - edges[::2]).astype(float)
