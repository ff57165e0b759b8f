"""What one work shows of its author's hand: colours and their uses, lines, forms, and how it fills its sheet."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.engines.design.colour import lab_of
from atelier.workshop.engines.design.drawing import raster
from atelier.workshop.engines.design.outline import Box, Matrix
from atelier.workshop.engines.design.scene import Gradient, Group, Shape, TextRun

from .parts import boxlike, without_ground

if TYPE_CHECKING:
    from atelier.workshop.engines.design.reading.svg import Read

SIDE = 160
"""Pixels along the longer side at which a work is looked at."""
ROLES = ("ground", "figure", "line", "ink")
"""What colours are for: what lies behind, what is shown, what is drawn along outlines, what words are set in."""
Array = NDArray[np.float64]


@dataclass
class Look:
    """One work. Shares are 0 to 1; lengths are in parts of the longer side of what is drawn."""

    colours: dict[str, dict[str, float]] = field(default_factory=dict)
    """Colour → role → share of what is visible (of ink: share of the letters)."""
    outlined: float = 0.0
    """Share of the filled forms, by area, that have a line around them."""
    line_only: float = 0.0
    """Share of all forms that are lines without a fill."""
    widths: list[tuple[float, float]] = field(default_factory=list)
    """(stroke width, the form's length of side) of each line drawn."""
    round_ends: float = 0.0
    curved: float = 0.0
    graded: float = 0.0
    """Share of the filled area that is a gradient."""
    sheer: float = 0.0
    """Share of the forms that one can see through."""
    corners: float = 0.0
    """Share of the corners between drawn parts that are smooth."""
    cover: float = 0.0
    """Share of the box that is drawn on."""
    symmetry: float = 0.0
    """1 where the left is the mirror of the right."""
    tones: float = 0.0
    """How many colours it takes for nine tenths of what is visible."""
    texts: tuple[TextRun, ...] = ()
    box: Box = field(default_factory=lambda: Box(0, 0, 1, 1))


def look_at(read: Read) -> Look:
    """Everything that is learned from one work but its parts."""
    box = read.scene.root.box
    found = Look(texts=read.texts, box=box)
    if box.width <= 0 or box.height <= 0:
        return found
    forms = [_Form(shape, matrix, opacity, box) for shape, matrix, opacity in read.scene.shapes()]
    forms = [form for form in forms if form.visible]
    _lines(found, forms)
    _forms(found, forms)
    pixels = drawn(read.scene.root, box)
    items, ground = without_ground(read)
    _sheet(found, pixels if ground is None else drawn(Group(tuple(items)), box))
    _colours(found, forms, pixels, read.texts)
    return found


def drawn(item: Group, box: Box) -> NDArray[np.uint8]:
    scale = SIDE / max(box.width, box.height)
    return raster(item, box, max(8, round(box.width * scale)), max(8, round(box.height * scale)))


class _Form:
    """A shape as it stands in the whole."""

    def __init__(self, shape: Shape, matrix: Matrix, opacity: float, sheet: Box) -> None:
        self.shape = shape
        self.box = shape.outline.box.moved(matrix)
        self.side = max(sheet.width, sheet.height)
        self.area = max(self.box.area, 1e-12) / max(sheet.area, 1e-12)
        fill, stroke = shape.fill, shape.stroke
        self.opacity = opacity
        self.filled = fill is not None and shape.fill_opacity * opacity > 0.05
        self.stroked = stroke is not None and stroke.opacity * opacity > 0.05
        self.width = stroke.width * matrix.scale / self.side if stroke else 0.0
        self.visible = (self.filled or (self.stroked and self.width > 1e-4)) and self.box.area >= 0


def _lines(found: Look, forms: list[_Form]) -> None:
    filled = sum(form.area for form in forms if form.filled)
    stroked = [form for form in forms if form.stroked and form.width > 1e-4]
    found.outlined = sum(form.area for form in stroked if form.filled) / filled if filled else 0.0
    found.line_only = sum(not form.filled for form in stroked) / len(forms) if forms else 0.0
    found.widths = [(form.width, max(form.box.width, form.box.height) / form.side) for form in stroked]
    ends = [
        form.shape.stroke.cap == "round" or form.shape.stroke.join == "round" for form in stroked if form.shape.stroke
    ]
    found.round_ends = sum(ends) / len(ends) if ends else 0.0


def _forms(found: Look, forms: list[_Form]) -> None:
    if not forms:
        return
    weights = np.array([math.sqrt(form.area) for form in forms])
    found.curved = float(np.average([form.shape.outline.curved for form in forms], weights=weights))
    found.corners = float(np.average([smooth(form.shape) for form in forms], weights=weights))
    filled = [form for form in forms if form.filled]
    area = sum(form.area for form in filled)
    found.graded = sum(form.area for form in filled if isinstance(form.shape.fill, Gradient)) / area if area else 0.0
    found.sheer = sum(form.opacity * form.shape.fill_opacity < 0.95 for form in filled) / len(filled) if filled else 0.0


def smooth(shape: Shape) -> float:
    """Share of the joints of an outline at which it goes on without a corner of more than twenty degrees."""
    verbs, points = shape.outline.verbs, shape.outline.points
    if len(points) < 3:
        return 1.0
    steps = np.diff(points, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])
    joints, place = [], 0
    for verb, after in pairwise(verbs):
        place += {"M": 1, "L": 1, "Q": 2, "C": 3, "Z": 0}[verb]
        if verb in "LQC" and after in "LQC" and 0 < place - 1 < len(steps):
            joints.append(place - 1)
    if not joints:
        return 1.0
    at = np.array(joints)
    before, behind = steps[at - 1], steps[at]
    under = np.maximum(lengths[at - 1] * lengths[at], 1e-12)
    return float(np.mean((before * behind).sum(1) / under > math.cos(math.radians(20))))


def _sheet(found: Look, pixels: NDArray[np.uint8]) -> None:
    ink = pixels[..., 3] > 100
    found.cover = float(ink.mean())
    both = ink | ink[:, ::-1]
    found.symmetry = float((ink & ink[:, ::-1]).sum() / both.sum()) if both.any() else 0.0


def _colours(found: Look, forms: list[_Form], pixels: NDArray[np.uint8], texts: tuple[TextRun, ...]) -> None:
    """What is visible, told in the colours that the file names where they are near, and by what they are for."""
    seen = pixels[pixels[..., 3] > 200][:, :3]
    if not len(seen):
        return
    counts = np.bincount((seen // 8).astype(np.int32) @ np.array([32 * 32, 32, 1], np.int32))
    there = np.flatnonzero(counts)
    steps, counts = np.stack([there // 1024, there // 32 % 32, there % 32], 1), counts[there]
    at, shares = lab_of(steps * 8 + 4), counts / counts.sum()
    named = _named(forms)
    table: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    if named:
        labs = lab_of([[int(c[1:3], 16), int(c[3:5], 16), int(c[5:7], 16)] for c in named])
        away = np.linalg.norm(at[:, None] - labs[None], axis=2)
        nearest, near = away.argmin(1), away.min(1) < 0.12
        for place, share in zip(nearest[near], shares[near], strict=True):
            colour = list(named)[place]
            for role, part in named[colour].items():
                table[colour][role] += float(share) * part
    if not named or (shares[away.min(1) >= 0.12].sum() > 0.1):  # pictures and gradients: the pixels themselves
        rest = slice(None) if not named else away.min(1) >= 0.12
        for step, share in sorted(zip(steps[rest].tolist(), shares[rest], strict=True), key=lambda pair: -pair[1])[:24]:
            table["#{:02x}{:02x}{:02x}".format(*(min(255, each * 8 + 4) for each in step))]["figure"] += float(share)
    letters = sum(len(run.words) for run in texts)
    for run in texts:
        table[run.colour]["ink"] += len(run.words) / letters
    found.colours = {colour: dict(roles) for colour, roles in table.items()}
    ordered = np.sort(shares)[::-1].cumsum()
    found.tones = float(np.searchsorted(ordered, 0.9) + 1)


def _named(forms: list[_Form]) -> dict[str, dict[str, float]]:
    """The colours that the file paints with, and for each the part of its use that each role has."""
    uses: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for number, form in enumerate(forms):
        if form.filled:
            ground = number == 0 and form.area > 0.85 and boxlike(form.shape)
            for colour in _paints(form.shape.fill):
                uses[colour]["ground" if ground else "figure"] += form.area
        if form.stroked and form.shape.stroke is not None:
            length = 2 * (form.box.width + form.box.height) / form.side
            for colour in _paints(form.shape.stroke.paint):
                uses[colour]["line"] += form.width * length
    return {
        colour: {role: value / sum(roles.values()) for role, value in roles.items()}
        for colour, roles in uses.items()
        if sum(roles.values()) > 0
    }


def _paints(paint: Any) -> list[str]:
    if paint is None:
        return []
    return [paint] if isinstance(paint, str) else [stop.colour for stop in paint.stops if stop.opacity > 0.3]
