"""Reads pages of a PDF: paths, pictures and the fonts that are named become a scene; nothing in it is run.

By PDFium. Shadings and soft masks are left out: PDFium's interface does not tell them.
"""

from __future__ import annotations

import ctypes
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from atelier.workshop.contract import Unreadable

from ..outline import Box, Matrix, Outline
from ..scene import Colour, Group, Item, Picture, Scene, Shape, Stroke, TextRun
from .pixels import clean_picture
from .svg import POINTS, Read

PAGES = 50
OBJECTS = 20_000
DEPTH = 12
PICTURES = 40


def read_pdf(data: bytes, where: str) -> list[Read]:
    """One reading a page that shows something. Errors: Unreadable naming the file."""
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        locked = "password" in str(error).lower()
        raise Unreadable(
            "The PDF is locked by a password." if locked else "The PDF cannot be read.",
            where=where,
            remedy="Save a copy without a password." if locked else "Export it again, or upload it as SVG or PNG.",
        ) from error
    try:
        found = []
        for number in range(min(len(document), PAGES)):
            read = _Page(document[number], f"{where}, page {number + 1}").read()
            if read is not None:
                found.append(read)
    finally:
        document.close()
    if not found:
        raise Unreadable("No page shows anything that can be used.", where=where, remedy="Upload it as SVG or PNG.")
    return found


class _Page:
    """One page; the sheet's upper left corner becomes the origin."""

    def __init__(self, page: Any, where: str) -> None:
        import pypdfium2.raw as c

        self.c, self.page, self.where = c, page, where
        self.textpage = page.get_textpage()
        left, bottom, right, top = page.get_mediabox()
        self.sheet = Box(0, 0, right - left, top - bottom)
        self.upright = Matrix(1, 0, 0, -1, -left, top)
        self.left_out: Counter[str] = Counter()
        self.texts: list[TextRun] = []
        self.seen = self.points = self.pictures = 0

    def read(self) -> Read | None:
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
            kind = self.c.FPDFPageObj_GetType(handle)
            if kind == self.c.FPDF_PAGEOBJ_PATH:
                shape = self._shape(handle, outer)
                if shape is not None:
                    yield shape
            elif kind == self.c.FPDF_PAGEOBJ_IMAGE:
                picture = self._picture(handle, outer)
                if picture is not None:
                    yield picture
            elif kind == self.c.FPDF_PAGEOBJ_TEXT:
                self._text(handle)
            elif kind == self.c.FPDF_PAGEOBJ_FORM and depth < DEPTH:
                inner = outer @ self._matrix(handle)
                count = self.c.FPDFFormObj_CountObjects(handle)
                parts = tuple(
                    self._items((self.c.FPDFFormObj_GetObject(handle, n) for n in range(count)), inner, depth + 1)
                )
                if parts:
                    yield Group(parts)
            elif kind == self.c.FPDF_PAGEOBJ_SHADING:
                self.left_out["gradients of the PDF"] += 1

    def _matrix(self, handle: Any) -> Matrix:
        found = self.c.FS_MATRIX()
        if not self.c.FPDFPageObj_GetMatrix(handle, found):
            return Matrix()
        return Matrix(found.a, found.b, found.c, found.d, found.e, found.f)

    def _shape(self, handle: Any, outer: Matrix) -> Shape | None:
        outline = self._outline(handle)
        if not outline:
            return None
        mode, stroked = ctypes.c_int(), ctypes.c_int()
        if not self.c.FPDFPath_GetDrawMode(handle, mode, stroked):
            return None
        fill = self._colour(self.c.FPDFPageObj_GetFillColor, handle) if mode.value else None
        line = self._colour(self.c.FPDFPageObj_GetStrokeColor, handle) if stroked.value else None
        if fill is None and line is None:
            return None
        return Shape(
            outline=outline,
            fill=fill[0] if fill else None,
            fill_opacity=fill[1] if fill else 1.0,
            even_odd=mode.value == self.c.FPDF_FILLMODE_ALTERNATE,
            stroke=self._stroke(handle, *line) if line else None,
            matrix=outer @ self._matrix(handle),
        )

    def _outline(self, handle: Any) -> Outline:
        c, verbs, points = self.c, [], []
        pending: list[tuple[float, float]] = []
        x, y = ctypes.c_float(), ctypes.c_float()
        for number in range(c.FPDFPath_CountSegments(handle)):
            segment = c.FPDFPath_GetPathSegment(handle, number)
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
        self.points += len(points)
        if self.points > POINTS:
            raise Unreadable("Its lines have too many points.", where=self.where, remedy="Simplify the drawing.")
        found = np.array(points, float).reshape(-1, 2)
        usable = bool(verbs) and verbs[0] == "M" and bool(np.isfinite(found).all())
        return Outline("".join(verbs), found) if usable else Outline("", np.zeros((0, 2)))

    def _colour(self, ask: Any, handle: Any) -> tuple[Colour, float] | None:
        red, green, blue, opacity = (ctypes.c_uint() for _ in range(4))
        if not ask(handle, red, green, blue, opacity) or not opacity.value:
            return None
        return f"#{red.value:02x}{green.value:02x}{blue.value:02x}", opacity.value / 255

    def _stroke(self, handle: Any, colour: Colour, opacity: float) -> Stroke | None:
        width = ctypes.c_float()
        self.c.FPDFPageObj_GetStrokeWidth(handle, width)
        caps = {self.c.FPDF_LINECAP_ROUND: "round", self.c.FPDF_LINECAP_PROJECTING_SQUARE: "square"}
        joins = {self.c.FPDF_LINEJOIN_ROUND: "round", self.c.FPDF_LINEJOIN_BEVEL: "bevel"}
        cap: Any = caps.get(self.c.FPDFPageObj_GetLineCap(handle), "butt")
        join: Any = joins.get(self.c.FPDFPageObj_GetLineJoin(handle), "miter")
        return Stroke(colour, width.value, opacity, cap, join) if width.value > 0 else None

    def _picture(self, handle: Any, outer: Matrix) -> Picture | None:
        """A picture stands in the unit square, its upper edge at 1."""
        import pypdfium2 as pdfium

        self.pictures += 1
        if self.pictures > PICTURES:
            return None
        try:
            bitmap = pdfium.PdfImage(handle, page=self.page).get_bitmap(render=False)
            buffer = io.BytesIO()
            bitmap.to_pil().convert("RGBA").save(buffer, "PNG")
            data, media_type, (wide, high) = clean_picture(buffer.getvalue(), self.where)
        except (pdfium.PdfiumError, Unreadable, ValueError, OSError):
            self.left_out["pictures that cannot be read"] += 1
            return None
        matrix = outer @ self._matrix(handle) @ Matrix(1 / wide, 0, 0, -1 / high, 0, 1)
        return Picture(data, media_type, Box(0, 0, wide, high), matrix=matrix)

    def _words(self, handle: Any) -> str:
        size = self.c.FPDFTextObj_GetText(handle, self.textpage.raw, None, 0)
        buffer = ctypes.create_string_buffer(min(size, 2000))
        self.c.FPDFTextObj_GetText(
            handle, self.textpage.raw, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), len(buffer)
        )
        return " ".join(buffer.raw.decode("utf-16-le", "replace").rstrip("\0").split())

    def _text(self, handle: Any) -> None:
        if len(self.texts) >= 200:
            return
        size = ctypes.c_float()
        self.c.FPDFTextObj_GetFontSize(handle, size)
        font = self.c.FPDFTextObj_GetFont(handle)
        name = ctypes.create_string_buffer(128)
        self.c.FPDFFont_GetFamilyName(font, name, 128)
        flat = self._colour(self.c.FPDFPageObj_GetFillColor, handle)
        weight = self.c.FPDFFont_GetWeight(font)
        words = self._words(handle)
        if not words:
            return
        self.texts.append(
            TextRun(
                words=words,
                family=name.value.decode("utf-8", "replace"),
                size=size.value * self._matrix(handle).scale,
                weight=str(weight if weight > 0 else 400),
                anchor="start",
                colour=flat[0] if flat else "#000000",
            )
        )
