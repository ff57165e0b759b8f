"""Reads pages of a PDF: paths, pictures and the fonts that are named become a scene; nothing in it is run.

By PDFium, which runs no scripts unless it is asked to. Shadings and soft masks are left out and named: PDFium's
interface does not tell them. Words are told, not drawn, as of every kind of file.
"""

from __future__ import annotations

import ctypes
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from atelier.workshop.contract import Unreadable
from atelier.workshop.engines.design.outline import Box, Matrix, Outline
from atelier.workshop.engines.design.scene import Clip, Colour, Group, Item, Picture, Scene, Shape, Stroke, TextRun
from atelier.workshop.pictures.pixels import PIXELS, written
from atelier.workshop.pictures.pixels import plain as picture

from .metadata import DESCRIPTION, TAG, TAGS, TITLE, plain
from .svg import FAR, POINTS, Read

PAGES = 50
OBJECTS = 20_000
DEPTH = 12
PICTURES = 40
STREAM_BYTES = 160_000_000
_SUBSET = re.compile(r"^[A-Z]{6}\+")
"""What stands before the name of a font that is embedded in part (PDF 32000-1, 9.6.4)."""
CLIPS = 6
"""Clips within one another that are kept of one part; more are those of programs, not of people."""


def read_pdf(data: bytes, where: str) -> list[Read]:
    """One reading a page that shows something. Errors: Unreadable naming the file."""
    import pypdfium2 as pdfium

    _bounded(data, where)
    try:
        document = pdfium.PdfDocument(data)
        told = document.get_metadata_dict(skip_empty=True)
    except pdfium.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise Unreadable(
            "The PDF is locked by a password." if locked else "The PDF cannot be read.",
            where=where,
            remedy="Save a copy without a password." if locked else "Export it again, or upload it as SVG or PNG.",
        ) from error
    found = []
    try:
        count = min(len(document), PAGES)
        for number in range(count):
            read = _page(document, number, where if count == 1 else f"{where}, page {number + 1}")
            if read is not None:
                found.append(_called(read, told, number, count))
    finally:
        document.close()
    if not found:
        raise Unreadable("No page shows anything that can be used.", where=where, remedy="Upload it as SVG or PNG.")
    return found


def _bounded(data: bytes, where: str) -> None:
    """Errors: Unreadable where a part of the file would grow without measure: PDFium bounds it by a gigabyte only."""
    total = 0
    for begin in re.finditer(rb"stream\r?\n", data):
        packed: bytes | memoryview = memoryview(data)[begin.end() :]
        for _ in range(3):  # what is packed may hold what is packed
            if bytes(packed[:1]) not in (b"\x78", b"\x58", b"\x68", b"\x48"):
                break
            try:
                packed = zlib.decompressobj().decompress(packed, STREAM_BYTES + 1)
            except zlib.error:
                break
            total += len(packed)
            if len(packed) > STREAM_BYTES or total > 4 * STREAM_BYTES:
                raise Unreadable("It holds more than can be read.", where=where, remedy="Export it in smaller parts.")


def _page(document: Any, number: int, where: str) -> Read | None:
    import pypdfium2 as pdfium

    try:
        page = document[number]
    except pdfium.PdfiumError:  # one damaged page does not spoil the others
        return None
    return _Page(page, where).read()


def _called(read: Read, told: dict[str, str], number: int, count: int) -> Read:
    """With the title, subject and keywords of the document; pages are told apart by their numbers."""
    title = plain(told.get("Title", ""))[:TITLE]
    words = (plain(each).lower()[:TAG] for each in told.get("Keywords", "").replace(";", ",").split(","))
    return replace(
        read,
        title=f"{title}, page {number + 1}" if title and count > 1 else title,
        description=plain(told.get("Subject", ""))[:DESCRIPTION],
        tags=tuple(dict.fromkeys(filter(None, words)))[:TAGS],
    )


class _Page:
    """One page; the sheet's upper left corner becomes the origin."""

    def __init__(self, page: Any, where: str) -> None:
        import pypdfium2.raw as c

        self.c, self.page, self.where = c, page, where
        self.textpage = page.get_textpage()
        self.sheet, self.upright = _upright(page.get_cropbox(), page.get_rotation())
        self.left_out: Counter[str] = Counter()
        self.texts: list[TextRun] = []
        self.seen = self.points = self.pictures = 0

    def read(self) -> Read | None:
        if not (0 < self.sheet.width < FAR and 0 < self.sheet.height < FAR):
            return None
        count = self.c.FPDFPage_CountObjects(self.page.raw)
        handles = (self.c.FPDFPage_GetObject(self.page.raw, n) for n in range(count))
        items = tuple(self._items(handles, self.upright, 0))
        if not items and not self.texts:
            return None
        scene = Scene(Group(items), self.sheet)
        return Read(scene, tuple(self.texts), tuple(self.left_out), "", "", ())

    def _items(self, handles: Iterator[Any], outer: Matrix, depth: int) -> Iterator[Item]:
        for handle in handles:
            self.seen += 1
            if self.seen > OBJECTS:
                raise Unreadable(
                    f"It has more than {OBJECTS:,} parts.", where=self.where, remedy="Upload the drawings one by one."
                )
            item = self._item(handle, outer, depth)
            if item is not None:
                yield self._clipped(item, handle, outer)

    def _item(self, handle: Any, outer: Matrix, depth: int) -> Item | None:
        kind = self.c.FPDFPageObj_GetType(handle)
        if kind == self.c.FPDF_PAGEOBJ_PATH:
            return self._shape(handle, outer)
        if kind == self.c.FPDF_PAGEOBJ_IMAGE:
            return self._picture(handle, outer)
        if kind == self.c.FPDF_PAGEOBJ_TEXT:
            self._text(handle)
        elif kind == self.c.FPDF_PAGEOBJ_FORM and depth < DEPTH:
            inner = outer @ self._matrix(handle)
            count = self.c.FPDFFormObj_CountObjects(handle)
            handles = (self.c.FPDFFormObj_GetObject(handle, n) for n in range(count))
            parts = tuple(self._items(handles, inner, depth + 1))
            return Group(parts) if parts else None
        elif kind == self.c.FPDF_PAGEOBJ_SHADING:
            self.left_out["gradients of the PDF"] += 1
        return None

    def _matrix(self, handle: Any) -> Matrix:
        found = self.c.FS_MATRIX()
        if not self.c.FPDFPageObj_GetMatrix(handle, found):
            return Matrix()
        matrix = Matrix(found.a, found.b, found.c, found.d, found.e, found.f)
        return matrix if all(abs(each) < FAR for each in matrix.numbers) else Matrix()

    # Paths and clips ----------------------------------------------------------------------------------------------

    def _shape(self, handle: Any, outer: Matrix) -> Shape | None:
        c = self.c
        outline = self._outline(c.FPDFPath_CountSegments(handle), lambda n: c.FPDFPath_GetPathSegment(handle, n))
        mode, stroked = ctypes.c_int(), ctypes.c_int()
        if not outline or not c.FPDFPath_GetDrawMode(handle, mode, stroked):
            return None
        fill = self._colour(c.FPDFPageObj_GetFillColor, handle) if mode.value else None
        line = self._colour(c.FPDFPageObj_GetStrokeColor, handle) if stroked.value else None
        if fill is None and line is None:
            return None
        return Shape(
            outline=outline,
            fill=fill[0] if fill else None,
            fill_opacity=fill[1] if fill else 1.0,
            even_odd=mode.value == c.FPDF_FILLMODE_ALTERNATE,
            stroke=self._stroke(handle, *line) if line else None,
            matrix=outer @ self._matrix(handle),
        )

    def _clipped(self, item: Item, handle: Any, outer: Matrix) -> Item:
        """An item within what its clips let be seen of it; those that hold it whole are left away."""
        c, clip = self.c, self.c.FPDFPageObj_GetClipPath(handle)
        count = c.FPDFClipPath_CountPaths(clip) if clip else 0
        for path in range(min(max(count, 0), CLIPS)):
            segments = c.FPDFClipPath_CountPathSegments(clip, path)
            outline = self._outline(segments, lambda n, path=path: c.FPDFClipPath_GetPathSegment(clip, path, n))
            moved = outline.moved(outer) if outline else None
            if moved and not (_upright_box(moved) and moved.box.holds(item.box, 0.01)):
                item = Group((item,), clip=Clip((moved,)))
        return item

    def _outline(self, count: int, segment_at: Any) -> Outline:
        c, verbs, points = self.c, [], []
        pending: list[tuple[float, float]] = []
        x, y = ctypes.c_float(), ctypes.c_float()
        self.points += max(0, count)
        if self.points > POINTS:
            raise Unreadable("Its lines have too many points.", where=self.where, remedy="Simplify the drawing.")
        for number in range(count):
            segment = segment_at(number)
            c.FPDFPathSegment_GetPoint(segment, x, y)
            kind = c.FPDFPathSegment_GetType(segment)
            if kind == c.FPDF_SEGMENT_BEZIERTO:
                pending.append((x.value, y.value))
                if len(pending) == 3:
                    verbs.append("C")
                    points += pending
                    pending = []
            else:
                verbs.append("M" if kind == c.FPDF_SEGMENT_MOVETO else "L")
                points.append((x.value, y.value))
            if c.FPDFPathSegment_GetClose(segment):
                verbs.append("Z")
        found = np.array(points, float).reshape(-1, 2)
        usable = bool(verbs) and verbs[0] == "M" and bool((np.abs(found) < FAR).all())
        return Outline("".join(verbs), found) if usable else Outline("", np.zeros((0, 2)))

    def _colour(self, ask: Any, handle: Any) -> tuple[Colour, float] | None:
        red, green, blue, opacity = (ctypes.c_uint() for _ in range(4))
        if not ask(handle, red, green, blue, opacity) or not opacity.value:
            return None
        return f"#{red.value:02x}{green.value:02x}{blue.value:02x}", opacity.value / 255

    def _stroke(self, handle: Any, colour: Colour, opacity: float) -> Stroke | None:
        c, width = self.c, ctypes.c_float()
        c.FPDFPageObj_GetStrokeWidth(handle, width)
        caps = {c.FPDF_LINECAP_ROUND: "round", c.FPDF_LINECAP_PROJECTING_SQUARE: "square"}
        joins = {c.FPDF_LINEJOIN_ROUND: "round", c.FPDF_LINEJOIN_BEVEL: "bevel"}
        cap: Any = caps.get(c.FPDFPageObj_GetLineCap(handle), "butt")
        join: Any = joins.get(c.FPDFPageObj_GetLineJoin(handle), "miter")
        if not 0 < width.value < FAR:
            return None
        return Stroke(colour, width.value, opacity, cap, join, 10.0, *self._dashes(handle))

    def _dashes(self, handle: Any) -> tuple[tuple[float, ...], float]:
        count, begin = self.c.FPDFPageObj_GetDashCount(handle), ctypes.c_float()
        if not 0 < count <= 20:
            return (), 0.0
        each = (ctypes.c_float * count)()
        self.c.FPDFPageObj_GetDashArray(handle, each, count)
        self.c.FPDFPageObj_GetDashPhase(handle, begin)
        dashes = tuple(float(dash) for dash in each) * (1 + count % 2)
        return (dashes, begin.value) if min(dashes) >= 0 and sum(dashes) > 0.05 else ((), 0.0)

    # Pictures and words -------------------------------------------------------------------------------------------

    def _picture(self, handle: Any, outer: Matrix) -> Picture | None:
        """A picture stands in the unit square, its upper edge at 1."""
        import pypdfium2 as pdfium

        wide, high = ctypes.c_uint(), ctypes.c_uint()
        self.c.FPDFImageObj_GetImagePixelSize(handle, wide, high)
        self.pictures += 1
        if self.pictures > PICTURES or not 0 < wide.value * high.value <= PIXELS:
            self.left_out["pictures that are too large or too many"] += 1
            return None
        matrix = self._matrix(handle)
        # Drawn by PDFium where it only makes the picture larger, since only then its mask is seen.
        masked = abs(matrix.b) + abs(matrix.c) < 1e-6 < min(matrix.a, matrix.d)
        try:
            bitmap = pdfium.PdfImage(handle, page=self.page).get_bitmap(render=masked)
            image = bitmap.to_pil()
            if image.width * image.height > PIXELS:
                return None
            image = picture(image)
            data, media_type = written(image)
        except (pdfium.PdfiumError, ValueError, OSError):
            self.left_out["pictures that cannot be read"] += 1
            return None
        place = Matrix(1 / image.width, 0, 0, -1 / image.height, 0, 1)
        return Picture(data, media_type, Box(0, 0, *image.size), matrix=outer @ matrix @ place)

    def _text(self, handle: Any) -> None:
        words = plain(self._words(handle))
        if not words or len(self.texts) >= 200:
            return
        size, name = ctypes.c_float(), ctypes.create_string_buffer(128)
        self.c.FPDFTextObj_GetFontSize(handle, size)
        font = self.c.FPDFTextObj_GetFont(handle)
        self.c.FPDFFont_GetBaseFontName(font, name, 128)
        flat = self._colour(self.c.FPDFPageObj_GetFillColor, handle)
        weight = self.c.FPDFFont_GetWeight(font)
        self.texts.append(
            TextRun(
                words=words[:500],
                family=_SUBSET.sub("", plain(name.value.decode("utf-8", "replace")))[:80],
                size=size.value * self._matrix(handle).scale,
                weight=str(weight if weight > 0 else 400),
                anchor="start",
                colour=flat[0] if flat else "#000000",
            )
        )

    def _words(self, handle: Any) -> str:
        c = self.c
        size = min(c.FPDFTextObj_GetText(handle, self.textpage.raw, None, 0), 2000)
        if size <= 0:
            return ""
        buffer = ctypes.create_string_buffer(2000)
        c.FPDFTextObj_GetText(handle, self.textpage.raw, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), 2000)
        return buffer.raw[:size].decode("utf-16-le", "replace").rstrip("\0")


def _upright(sheet: tuple[float, float, float, float], turned: int) -> tuple[Box, Matrix]:
    """A page's sheet as it is read, and the map that brings its points (y upwards, perhaps turned) onto it."""
    left, bottom, right, top = sheet
    wide, high = right - left, top - bottom
    flat = Matrix(1, 0, 0, -1, -left, top)
    turns = {
        0: Matrix(),
        90: Matrix(0, 1, -1, 0, high, 0),
        180: Matrix(-1, 0, 0, -1, wide, high),
        270: Matrix(0, -1, 1, 0, 0, wide),
    }
    size = (high, wide) if turned in (90, 270) else (wide, high)
    return Box(0, 0, *size), turns.get(turned, Matrix()) @ flat


def _upright_box(outline: Outline) -> bool:
    """Whether an outline is a rectangle along the axes."""
    return (
        set(outline.verbs) <= set("MLZ")
        and len(outline.points) in (4, 5)
        and all(len(np.unique(outline.points[:, axis].round(3))) == 2 for axis in (0, 1))
    )
