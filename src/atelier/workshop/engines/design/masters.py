"""What is bought: the drawing as SVG, for print as PDF with bleed and crop marks, and as pixels at several sizes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from atelier.workshop.contract import FileRef, OutputFormat, Unreadable, WorkshopError

from .drawing import draw, raster
from .outline import Box, Matrix, polygon
from .reading.svg import read_svg
from .scene import Group, Shape, Stroke

POINTS_A_MM = 72 / 25.4
BLEED_MM, MARK_MM, EDGE_MM = 3.0, 5.0, 11.0
"""Bleed beyond the trim; length of a crop mark; room around the trim on the sheet that is printed."""
FORMATS = (
    OutputFormat(name="svg", title="SVG, to be edited", media_type="image/svg+xml", suffix=".svg"),
    OutputFormat(name="pdf", title="PDF for print", media_type="application/pdf", suffix=".pdf"),
    OutputFormat(name="png", title="PNG", media_type="image/png", suffix=".png"),
    OutputFormat(name="png2", title="PNG, twice as large", media_type="image/png", suffix=".png"),
    OutputFormat(name="png4", title="PNG, four times as large", media_type="image/png", suffix=".png"),
    OutputFormat(name="webp", title="WebP", media_type="image/webp", suffix=".webp"),
)
SIDE_MOST = 8000


def written(master: Path, format_name: str, workspace: Path) -> FileRef:
    """A master in one of the formats. Errors: Unreadable; WorkshopError for an unknown format."""
    form = next((each for each in FORMATS if each.name == format_name), None)
    if form is None:
        raise WorkshopError(
            f"There is no format “{format_name}”.", remedy=f"Choose one of {', '.join(each.name for each in FORMATS)}."
        )
    try:
        data = master.read_bytes()
    except OSError as error:
        raise Unreadable("The master cannot be read.", where=master.name, remedy="Restore it from a backup.") from error
    made = data if form.name == "svg" else _made(data, form.name, master.name)
    path = workspace / f"{master.stem}-{form.name}{form.suffix}"
    path.write_bytes(made)
    import hashlib

    return FileRef(path=path.name, sha256=hashlib.sha256(made).hexdigest(), bytes=len(made), media_type=form.media_type)


def _made(data: bytes, name: str, where: str) -> bytes:
    read = read_svg(data, where)
    sheet, scene = read.scene.canvas, read.scene.root
    if name == "pdf":
        return pdf(scene, sheet, paper_mm(data, sheet))
    times = {"png": 1, "png2": 2, "png4": 4, "webp": 2}[name]
    wide, high = screen_size(data, sheet)
    times = max(1, min(times, int(SIDE_MOST / max(wide, high))))
    pixels = raster(scene, sheet, wide * times, high * times)
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP" if name == "webp" else "PNG", quality=92)
    return buffer.getvalue()


def paper_mm(data: bytes, sheet: Box) -> tuple[float, float]:
    """The size of the paper that the file names, else 96 units an inch."""
    from lxml import etree

    root: Any = etree.fromstring(data)
    wide, high = root.get("width", ""), root.get("height", "")
    if wide.endswith("mm") and high.endswith("mm"):
        return float(wide[:-2]), float(high[:-2])
    return sheet.width * 25.4 / 96, sheet.height * 25.4 / 96


def screen_size(data: bytes, sheet: Box) -> tuple[int, int]:
    """Pixels at once the size: of paper at 96 dots an inch, of a screen piece its own."""
    wide, high = paper_mm(data, sheet)
    if b"mm" in data[:600]:
        return max(1, round(wide / 25.4 * 96)), max(1, round(high / 25.4 * 96))
    return max(1, round(sheet.width)), max(1, round(sheet.height))


def pdf(scene: Group, sheet: Box, paper: tuple[float, float]) -> bytes:
    """One page with the piece at its true size, its ground drawn out over the bleed, and crop marks outside."""
    import skia

    stream = skia.DynamicMemoryWStream()
    wide, high = ((each + 2 * EDGE_MM) * POINTS_A_MM for each in paper)
    document = skia.PDF.MakeDocument(stream)
    canvas = document.beginPage(wide, high)
    canvas.scale(POINTS_A_MM, POINTS_A_MM)
    canvas.save()
    canvas.translate(EDGE_MM, EDGE_MM)
    canvas.clipRect(skia.Rect.MakeLTRB(-BLEED_MM, -BLEED_MM, paper[0] + BLEED_MM, paper[1] + BLEED_MM))
    canvas.scale(paper[0] / sheet.width, paper[1] / sheet.height)
    canvas.translate(-sheet.left, -sheet.top)
    draw(canvas, bled(scene, sheet, BLEED_MM * sheet.width / paper[0]))
    canvas.restore()
    draw(canvas, crop_marks(paper))
    document.endPage()
    document.close()
    return bytes(stream.detachAsData())


def bled(scene: Group, sheet: Box, by: float) -> Group:
    """The scene with whatever ends at the edge of the sheet drawn out beyond it."""
    grown = [_beyond(item, sheet, by) for item in scene.items]
    return Group(tuple(grown), scene.matrix, scene.opacity, scene.clip)


def _beyond(item: Any, sheet: Box, by: float) -> Any:
    """Plain forms that touch an edge are made larger there; art that is cut at the edge is cut farther out."""
    from dataclasses import replace

    if isinstance(item, Group):
        clip = item.clip
        if clip is not None:
            from .scene import Clip

            clip = Clip(tuple(_stretched(each, sheet, by) for each in clip.outlines), clip.even_odd)
        inner = item.items if item.matrix != Matrix() else tuple(_beyond(each, sheet, by) for each in item.items)
        return replace(item, items=inner, clip=clip)
    if isinstance(item, Shape) and item.matrix == Matrix() and set(item.outline.verbs) <= {"M", "L", "Z"}:
        return replace(item, outline=_stretched(item.outline, sheet, by))
    return item


def _stretched(outline: Any, sheet: Box, by: float) -> Any:
    from .outline import Outline

    points = outline.points.copy()
    near = 1e-3 * sheet.width
    points[abs(points[:, 0] - sheet.left) < near, 0] -= by
    points[abs(points[:, 0] - sheet.right) < near, 0] += by
    points[abs(points[:, 1] - sheet.top) < near, 1] -= by
    points[abs(points[:, 1] - sheet.bottom) < near, 1] += by
    return Outline(outline.verbs, points)


def crop_marks(paper: tuple[float, float]) -> Group:
    """Eight hairlines at the corners of the trim, outside the bleed. In millimetres of the sheet."""
    left, top, right, bottom = EDGE_MM, EDGE_MM, EDGE_MM + paper[0], EDGE_MM + paper[1]
    gap, end = BLEED_MM + 1, BLEED_MM + 1 + MARK_MM
    lines = []
    for x in (left, right):
        lines += [((x, top - end), (x, top - gap)), ((x, bottom + gap), (x, bottom + end))]
    for y in (top, bottom):
        lines += [((left - end, y), (left - gap, y)), ((right + gap, y), (right + end, y))]
    stroke = Stroke("#000000", 0.1)
    return Group(tuple(Shape(polygon(line, closed=False), None, stroke=stroke) for line in lines), name="Crop marks")
