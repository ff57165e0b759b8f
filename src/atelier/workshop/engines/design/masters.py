"""What is bought: the drawing as SVG, for print as PDF with bleed and crop marks, and as pixels at several sizes."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from atelier.workshop.contract import FileRef, Unreadable, WorkshopError

from .drawing import raster
from .formats import FORMATS
from .outline import Box
from .printing import pdf
from .reading.svg import Read, read_svg
from .reading.tree import tree
from .scene import Group, Item, Words
from .writing import Lettering, svg_of
from .zips import icon_files, packed

SIDE_MOST = 8000
"""Pixels along the longer side of a picture at most."""
_TIMES = {"png": 1, "png2": 2, "png4": 4, "webp": 2}
_DOTS = 96
"""Units of a screen in an inch (CSS)."""


def written(master: Path, format_name: str, workspace: Path) -> FileRef:
    """A master in one of the formats. Errors: Unreadable; WorkshopError for an unknown format."""
    form = next((each for each in FORMATS if each.name == format_name), None)
    if form is None:
        raise WorkshopError(
            f"There is no format “{format_name}”.", remedy=f"Choose one of {', '.join(each.name for each in FORMATS)}."
        )
    try:
        piece = opened(master.read_bytes(), master.name)
    except OSError as error:
        raise Unreadable("The master cannot be read.", where=master.name, remedy="Restore it from a backup.") from error
    made = _made(piece, form.name)
    path = workspace / f"{master.stem}-{form.name}{form.suffix}"
    path.write_bytes(made)
    return FileRef(path=path.name, sha256=hashlib.sha256(made).hexdigest(), bytes=len(made), media_type=form.media_type)


@dataclass(frozen=True)
class Opened:
    """A master: its scene with lines of type as they were set, and the size that the file names."""

    read: Read
    width: str
    height: str

    @property
    def scene(self) -> Group:
        return self.read.scene.root

    @property
    def sheet(self) -> Box:
        return self.read.scene.canvas

    @property
    def on_paper(self) -> bool:
        return self.width.endswith("mm") and self.height.endswith("mm")

    @property
    def paper(self) -> tuple[float, float]:
        """Millimetres of the paper that it names, else of a screen with 96 units an inch."""
        if self.on_paper:
            return float(self.width[:-2]), float(self.height[:-2])
        return self.sheet.width * 25.4 / _DOTS, self.sheet.height * 25.4 / _DOTS

    @property
    def pixels(self) -> tuple[int, int]:
        """Once the size: of paper at 96 dots an inch, of a screen piece its own."""
        wide, high = self.paper
        return max(1, round(wide / 25.4 * _DOTS)), max(1, round(high / 25.4 * _DOTS))


def opened(data: bytes, where: str) -> Opened:
    """A file that `writing` wrote as a master. Errors: Unreadable."""
    root = tree(data, where)
    return Opened(read_svg(data, where, master=True), root.get("width", ""), root.get("height", ""))


def _made(piece: Opened, name: str) -> bytes:
    if name == "svg":
        return _svg(piece, "words")
    if name == "svg.outlined":
        return _svg(piece, "outlines")
    if name == "pdf":
        return pdf(piece.scene, piece.sheet, piece.paper, piece.read.title, print_ready=piece.on_paper)
    if name == "zip":
        files = {
            form.name + form.suffix: _made(piece, form.name) for form in FORMATS if form.name in ("svg", "pdf", "png2")
        }
        icons = icon_files(piece.scene)
        return packed({f"all{Path(each).suffix}": data for each, data in files.items()} | icons)
    return _picture(piece, _TIMES[name], "WEBP" if name == "webp" else "PNG")


def _svg(piece: Opened, lettering: Lettering) -> bytes:
    from .type.embedding import font_faces

    runs = (run for words in lines(piece.scene) for run in words.runs)
    fonts = font_faces(runs) if lettering == "words" else ""
    title = piece.read.title
    return svg_of(piece.scene, piece.sheet, piece.width, piece.height, title, lettering=lettering, fonts=fonts)


def lines(item: Item) -> Iterator[Words]:
    """The lines of type in an item, in the order in which they are drawn."""
    if isinstance(item, Words):
        yield item
    elif isinstance(item, Group):
        for each in item.items:
            yield from lines(each)


def _picture(piece: Opened, times: int, kind: str) -> bytes:
    from PIL import Image

    wide, high = piece.pixels
    times = max(1, min(times, int(SIDE_MOST / max(wide, high))))
    pixels = raster(piece.scene, piece.sheet, wide * times, high * times)
    buffer = io.BytesIO()
    more = {"quality": 92} if kind == "WEBP" else {"dpi": (_DOTS * times, _DOTS * times)}
    Image.fromarray(pixels).save(buffer, kind, **more)
    return buffer.getvalue()
