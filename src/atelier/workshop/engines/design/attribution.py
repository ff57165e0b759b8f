"""Which works a piece is made of: its outlines are looked up among those of the motifs, wherever they stand.

Exact: parts are copied whole, so an outline either is one of a work's or is not. Moved, turned, mirrored, scaled and
recoloured outlines are found, since two outlines with the same verbs are compared as complex vectors (full Procrustes
distance, Kendall 1984). Nothing that the piece says of itself is believed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
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

METHOD = "outlines-1"
SAME = 0.9995
LEAST_POINTS = 6
"""A rectangle or a triangle is nobody's; outlines of so few points count only beside others of the same work."""
Form = NDArray[np.complex128]


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
    """The area that each work's outlines take in a scene; outlines that several works have are shared by them."""
    known: dict[str, list[tuple[Form, str]]] = defaultdict(list)
    for motif in motifs:
        if not motif.work:
            continue
        for outline, _ in outlines(motif.item):
            known[outline.verbs].append((form(outline), motif.work))
    areas: dict[str, float] = defaultdict(float)
    for outline, box in outlines(scene.root):
        inside = box & scene.canvas
        if inside is None or outline.verbs not in known:
            continue
        own = form(outline)
        works = {work for other, work in known[outline.verbs] if alike(own, other) > SAME}
        for work in works:
            areas[work] += inside.area / len(works)
    return dict(areas)


def outlines(item: Item) -> Iterator[tuple[Outline, Box]]:
    """The outlines that are somebody's, as they stand."""
    for shape, matrix, _ in walked(item, IDENTITY, 1.0):
        if len(shape.outline.points) >= LEAST_POINTS:
            placed = shape.outline.moved(matrix)
            yield placed, placed.box


def form(outline: Outline) -> Form:
    """An outline without its place and size: complex numbers with mean zero and length one."""
    points = outline.points[:, 0] + 1j * outline.points[:, 1]
    points = points - points.mean()
    return np.asarray(points / max(float(np.linalg.norm(points)), 1e-12))


def alike(one: Form, other: Form) -> float:
    """1 where one is the other, turned or mirrored."""
    return max(abs(complex(np.vdot(one, other))), abs(complex(np.vdot(one.conj(), other))))
