"""Which works a piece is made of: the motifs' outlines are looked up in it, wherever they stand.

Exact: parts are copied whole, so the outlines of a motif either stand in the piece, all moved by one map, or do not.
Moved, turned, mirrored, scaled and recoloured ones are found: two outlines with the same verbs are compared as complex
vectors (full Procrustes distance, Kendall 1984). Nothing that the piece says of itself is believed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import Attribution, Share, Unreadable

from .briefs import valid
from .learning.motifs import Motif
from .learning.style import load
from .outline import IDENTITY, Box, Outline
from .reading.svg import read_svg
from .scene import Item, Scene, walked

METHOD = "outlines-2"
SAME = 0.9995
LEAST_POINTS = 4
FOUND = 0.75
"""A motif is there when so much of it, by its outlines' boxes, stands where one map would bring it."""
NEAR = 0.02
"""How far from its place an outline may stand, in parts of the motif's size there."""
ANCHORS, PLACES = 3, 60
Complex = NDArray[np.complex128]


@dataclass(frozen=True, eq=False)
class Form:
    """An outline where it stands."""

    verbs: str
    points: Complex
    box: Box

    @cached_property
    def bare(self) -> Complex:
        """Without place and size: mean zero, length one."""
        points = self.points - self.points.mean()
        return np.asarray(points / max(float(np.linalg.norm(points)), 1e-12))

    @cached_property
    def middle(self) -> complex:
        return complex(self.points.mean())


@dataclass(frozen=True)
class Map:
    """z becomes turn * z + move, of the mirrored z where it mirrors."""

    turn: complex
    move: complex
    mirrored: bool

    def __call__(self, z: complex) -> complex:
        return self.turn * (z.conjugate() if self.mirrored else z) + self.move


def attribute(adapter: Path, output: Path, brief: dict[str, Any]) -> Attribution:
    """See the contract. Shares are of the area that parts of works take among all parts that are a work's."""
    valid(brief)
    style = load(adapter)
    try:
        read = read_svg(output.read_bytes(), output.name)
    except OSError as error:
        raise Unreadable("The output cannot be read.", where=output.name, remedy="Make it again.") from error
    areas = areas_by_work(read.scene, style.motifs)
    total = sum(areas.values())
    if total <= 0:
        return Attribution(method=METHOD)
    ordered = sorted(areas.items(), key=lambda pair: (-pair[1], pair[0]))
    values = [area / total for _, area in ordered]
    shares = tuple(Share(work=work, value=v, low=v, high=v) for (work, _), v in zip(ordered, values, strict=True))
    return Attribution(method=METHOD, shares=shares, told=min(1.0, sum(values)))


def areas_by_work(scene: Scene, motifs: Sequence[Motif]) -> dict[str, float]:
    """The area that each work's motifs take in a scene. What several motifs claim is owed to the one of which most is
    there; where that is equal, to the works of all of these alike."""
    there = list(forms(scene.root))
    by_verbs: dict[str, list[int]] = defaultdict(list)
    for place, form in enumerate(there):
        by_verbs[form.verbs].append(place)
    claims = [
        (len(found), motif.work, found)
        for motif in motifs
        if motif.work
        for found in occurrences(list(forms(motif.item)), there, by_verbs)
    ]
    areas: dict[str, float] = defaultdict(float)
    taken: set[int] = set()
    for size in sorted({size for size, _, _ in claims}, reverse=True):
        rank = [(work, found) for own, work, found in claims if own == size and not found & taken]
        for work, found in rank:
            works = {other for other, theirs in rank if theirs & found}
            if work in works:
                areas[work] += _area([there[place] for place in found], scene.canvas) / len(works)
        taken |= {place for _, found in rank for place in found}
    return {work: area for work, area in areas.items() if area > 0}


def _area(found: Sequence[Form], canvas: Box) -> float:
    whole = found[0].box
    for form in found[1:]:
        whole = whole | form.box
    inside = whole & canvas
    return inside.area if inside else 0.0


def occurrences(own: Sequence[Form], there: Sequence[Form], by_verbs: dict[str, list[int]]) -> Iterator[frozenset[int]]:
    """The places of a motif's outlines in a piece, once for each time that it stands there."""
    if not own:
        return
    anchors = sorted(own, key=lambda form: (-len(form.points), -form.box.area))[:ANCHORS]
    anchor = min(anchors, key=lambda form: len(by_verbs.get(form.verbs, ())) or 10**9)
    total = sum(_weight(form) for form in own)
    seen: set[frozenset[int]] = set()
    for place in by_verbs.get(anchor.verbs, ())[:PLACES]:
        for placed in maps(anchor, there[place]):
            found, weight = _stands(own, there, by_verbs, placed)
            if weight >= FOUND * total and found not in seen:
                seen.add(found)
                yield found


def _stands(
    own: Sequence[Form], there: Sequence[Form], by_verbs: dict[str, list[int]], placed: Map
) -> tuple[frozenset[int], float]:
    """Which outlines stand where the map brings the motif's, and how much of the motif that is."""
    whole = own[0].box
    for form in own[1:]:
        whole = whole | form.box
    slack = NEAR * max(whole.width, whole.height) * abs(placed.turn)
    found, weight = set(), 0.0
    for form in own:
        wanted = placed(form.middle)
        near = [place for place in by_verbs.get(form.verbs, ()) if abs(there[place].middle - wanted) <= slack]
        fits = next((place for place in near if likeness(form, there[place]) > SAME), None)
        if fits is not None:
            found.add(fits)
            weight += _weight(form)
    return frozenset(found), weight


def _weight(form: Form) -> float:
    return math.sqrt(max(form.box.area, 1e-9))


def forms(item: Item) -> Iterator[Form]:
    """The outlines of an item as they stand."""
    for shape, matrix, _ in walked(item, IDENTITY, 1.0):
        if len(shape.outline.points) >= LEAST_POINTS:
            placed: Outline = shape.outline.moved(matrix)
            yield Form(placed.verbs, placed.points[:, 0] + 1j * placed.points[:, 1], placed.box)


def likeness(one: Form, other: Form) -> float:
    """1 where one is the other, turned, mirrored or scaled."""
    return max(abs(complex(np.vdot(one.bare, other.bare))), abs(complex(np.vdot(one.bare.conj(), other.bare))))


def maps(one: Form, other: Form) -> Iterator[Map]:
    """The maps that bring an outline onto another, by least squares; none where they are not alike."""
    for mirrored in (False, True):
        source = one.points.conj() if mirrored else one.points
        bare = one.bare.conj() if mirrored else one.bare
        if abs(complex(np.vdot(bare, other.bare))) <= SAME:
            continue
        centred = source - source.mean()
        turn = complex(
            np.vdot(centred, other.points - other.points.mean()) / max(float((abs(centred) ** 2).sum()), 1e-12)
        )
        yield Map(turn, other.middle - turn * complex(source.mean()), mirrored)
