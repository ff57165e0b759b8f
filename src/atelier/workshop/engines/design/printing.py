"""Pages for print: true size, everything that ends at the edge drawn out over the bleed, crop marks, and the boxes that
tell a printer which is which (PDF 32000-1, 14.11.2)."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np

from .drawing import draw
from .outline import IDENTITY, TAKES, Box, Matrix, Outline, polygon
from .scene import Clip, Group, Item, Picture, Shape, Stroke

POINTS_A_MM = 72 / 25.4
BLEED_MM, MARK_MM, EDGE_MM = 3.0, 5.0, 11.0
"""Bleed beyond the trim; length of a crop mark; room around the trim on the sheet that is printed."""
NEAR = 1e-3
"""What lies so near the edge, in parts of the sheet's width, ends there."""


def pdf(scene: Group, sheet: Box, paper: tuple[float, float], title: str = "", *, print_ready: bool = True) -> bytes:
    """One page with the piece at its true size in millimetres; with bleed and crop marks where it is for print.

    Letters are outlines: a press needs no fonts then. The same scene gives the same bytes.
    """
    import skia

    edge = EDGE_MM if print_ready else 0.0
    stream = skia.DynamicMemoryWStream()
    document = skia.PDF.MakeDocument(stream)
    wide, high = ((each + 2 * edge) * POINTS_A_MM for each in paper)
    # Skia's pages are whole points large: the piece stands at the foot of one that is, and the boxes cut it off.
    canvas = document.beginPage(math.ceil(wide), math.ceil(high))
    canvas.translate(0, math.ceil(high) - high)
    canvas.scale(POINTS_A_MM, POINTS_A_MM)
    canvas.save()
    canvas.translate(edge, edge)
    over = BLEED_MM if print_ready else 0.0
    canvas.clipRect(skia.Rect.MakeLTRB(-over, -over, paper[0] + over, paper[1] + over))
    canvas.scale(paper[0] / sheet.width, paper[1] / sheet.height)
    canvas.translate(-sheet.left, -sheet.top)
    draw(canvas, bled(scene, sheet, over * sheet.width / paper[0]) if print_ready else scene)
    canvas.restore()
    if print_ready:
        draw(canvas, crop_marks(paper))
    document.endPage()
    document.close()
    return _boxed(bytes(stream.detachAsData()), paper, title, edge, over)


def _boxed(data: bytes, paper: tuple[float, float], title: str, edge: float, over: float) -> bytes:
    """The page with its boxes, its title, and nothing that changes from day to day."""
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import RectangleObject

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    page = writer.pages[0]

    def box(beyond: float) -> RectangleObject:
        low, (wide, high) = edge - beyond, paper
        sides = (low, low, edge + wide + beyond, edge + high + beyond)
        return RectangleObject(tuple(round(each * POINTS_A_MM, 4) for each in sides))

    page.mediabox = page.cropbox = box(edge)
    page.trimbox, page.bleedbox, page.artbox = box(0), box(over), box(0)
    writer.metadata = {"/Title": title, "/Producer": "Atelier"} if title else {"/Producer": "Atelier"}
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


# Over the edge --------------------------------------------------------------------------------------------------


def bled(scene: Group, sheet: Box, by: float) -> Group:
    """The scene with whatever ends at the edge of the sheet drawn out beyond it; what crosses the edge stays."""
    return replace(scene, items=tuple(_beyond(item, sheet, by) for item in scene.items))


def _beyond(item: Item, sheet: Box, by: float) -> Item:
    """Sides of forms that lie along an edge are moved out; pictures and art that end at an edge are made larger.

    Forms that only touch the edge at a point, as a disc does, end there rightly.
    """
    if isinstance(item, Shape) and item.matrix == IDENTITY:
        return replace(item, outline=stretched(item.outline, sheet, by))
    if isinstance(item, Group) and item.matrix == IDENTITY:
        clip = item.clip
        if clip is not None:
            clip = Clip(tuple(stretched(each, sheet, by) for each in clip.outlines), clip.even_odd)
        return replace(item, items=tuple(_beyond(each, sheet, by) for each in item.items), clip=clip)
    if isinstance(item, Picture | Group) and _ends_at(item.box, sheet):
        (x, y), scale = sheet.middle, 1 + 2 * by / min(sheet.width, sheet.height)
        return replace(item, matrix=Matrix(scale, 0, 0, scale, x - scale * x, y - scale * y) @ item.matrix)
    return item


def _ends_at(box: Box, sheet: Box) -> bool:
    """Whether something ends at an edge, rather than before or beyond it."""
    near = NEAR * sheet.width
    pairs = ((box.left, sheet.left), (box.top, sheet.top), (box.right, sheet.right), (box.bottom, sheet.bottom))
    return any(abs(one - other) < near for one, other in pairs)


def stretched(outline: Outline, sheet: Box, by: float) -> Outline:
    """An outline with the sides that lie along an edge of the sheet moved out of it."""
    points, near = outline.points.copy(), NEAR * sheet.width
    sides = ((0, sheet.left, -by), (0, sheet.right, by), (1, sheet.top, -by), (1, sheet.bottom, by))
    ends = _ends(outline)
    for axis, edge, out in sides:
        at = np.abs(outline.points[:, axis] - edge) < near
        if any(at[one] and at[other] and _apart(outline, one, other, near) for one, other in ends):
            points[at, axis] += out
    return Outline(outline.verbs, points)


def _apart(outline: Outline, one: int, other: int, near: float) -> bool:
    return bool(np.abs(outline.points[one] - outline.points[other]).max() > near)


def _ends(outline: Outline) -> list[tuple[int, int]]:
    """Beginning and end of each straight part, as places among the points."""
    found, place, begin, last = [], 0, 0, 0
    for verb in outline.verbs:
        end = place + TAKES[verb] - 1
        if verb == "M":
            begin = end
        elif verb == "L":
            found.append((last, end))
        elif verb == "Z":
            found.append((last, begin))
            end = begin
        place += TAKES[verb]
        last = end
    return found


def crop_marks(paper: tuple[float, float]) -> Group:
    """Eight hairlines at the corners of the trim, outside the bleed. In millimetres of the printed sheet."""
    left, top, right, bottom = EDGE_MM, EDGE_MM, EDGE_MM + paper[0], EDGE_MM + paper[1]
    gap, end = BLEED_MM + 1, BLEED_MM + 1 + MARK_MM
    lines = []
    for x in (left, right):
        lines += [((x, top - end), (x, top - gap)), ((x, bottom + gap), (x, bottom + end))]
    for y in (top, bottom):
        lines += [((left - end, y), (left - gap, y)), ((right + gap, y), (right + end, y))]
    stroke = Stroke("#000000", 0.1)
    return Group(tuple(Shape(polygon(line, closed=False), None, stroke=stroke) for line in lines), name="Crop marks")
