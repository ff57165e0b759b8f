"""Fonts: open families from packages, each at the weights that are used, shaped by HarfBuzz."""

from __future__ import annotations

import importlib.util
import threading
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from atelier.workshop.engines.design.outline import Matrix, Outline, OutlinePen

from .direction import Direction, levels, seen

_REGIONS = (" JP", " SC", " KR", " TC")
KNOWN = 20_000
"""Texts of which a face keeps the glyphs."""


@dataclass(frozen=True)
class Glyph:
    """One shape of a line of type, in ems: where it stands and how far it brings the pen. `cluster` is the place of its
    letters in the text."""

    index: int
    cluster: int
    advance: float
    x: float
    y: float


@dataclass(frozen=True)
class Fontfile:
    """One file of a family. `weight` is None where the file holds a range of them (`weights`)."""

    family: str
    package: str
    file: str
    weights: tuple[int, int]
    italic: bool = False

    @property
    def path(self) -> Path:
        spec = importlib.util.find_spec(self.package)
        if spec is None or spec.origin is None:
            raise LookupError(f"the font {self.family} is not installed ({self.package})")
        folder = Path(spec.origin).parent
        usual = folder / "files" / self.file  # where `fontpkg-…` keeps them
        return usual if usual.exists() else folder / self.file


class Face:
    """A font at one weight. Measures in ems. May be used from several threads at once."""

    def __init__(self, source: Fontfile, weight: int) -> None:
        import uharfbuzz as hb

        self.source = source
        low, high = source.weights
        self.weight = min(high, max(low, weight))
        face = _face(source)
        self._font = hb.Font(face)
        if low != high:
            self._font.set_variations({"wght": float(self.weight)})
        self.units = face.upem
        self._outlines: dict[int, Outline] = {}
        self._shaped: dict[tuple[str, Direction, bool], tuple[Glyph, ...]] = {}
        self._lock = threading.Lock()

    @property
    def family(self) -> str:
        return self.source.family

    @cached_property
    def cap(self) -> float:
        """How high a capital stands above the line."""
        return self._height("H") or 0.7

    @cached_property
    def x_height(self) -> float:
        return self._height("x") or 0.5

    @cached_property
    def descent(self) -> float:
        """How far a p hangs below the line."""
        extents = self._extents("p")
        return -min(0.0, (extents.y_bearing + extents.height) / self.units) if extents else 0.2

    def has(self, text: str) -> bool:
        """Whether there is a glyph for every letter."""
        return all(self._font.get_nominal_glyph(ord(c)) is not None for c in text if not _ignorable(c))

    def shaped(self, text: str, direction: Direction = "ltr", *, tied: bool = True) -> tuple[Glyph, ...]:
        """The glyphs of a text of one direction, from left to right as they are seen.

        `tied` allows ligatures and forms that look at their neighbours; letters that are spaced have neither, as in
        browsers (CSS Text 3, 8.2).
        """
        import uharfbuzz as hb

        key = (text, direction, tied)
        with self._lock:
            known = self._shaped.get(key)
            if known is None:
                buffer = hb.Buffer()
                buffer.add_str(text)
                buffer.guess_segment_properties()
                buffer.direction = direction
                buffer.language = "und"  # else that of whoever runs it
                hb.shape(self._font, buffer, {"kern": True, "liga": tied, "clig": tied, "calt": tied})
                k = 1 / self.units
                known = tuple(
                    Glyph(info.codepoint, info.cluster, at.x_advance * k, at.x_offset * k, at.y_offset * k)
                    for info, at in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
                )
                if len(self._shaped) >= KNOWN:
                    self._shaped.clear()
                self._shaped[key] = known
            return known

    def outline(self, index: int) -> Outline:
        """A glyph, in ems, its line at y = 0, growing upwards to negative y as on a canvas."""
        with self._lock:
            if index not in self._outlines:
                pen = OutlinePen()
                self._font.draw_glyph_with_pen(index, pen)
                k = 1 / self.units
                self._outlines[index] = pen.outline.moved(Matrix(k, 0, 0, -k)) if pen.points else pen.outline
            return self._outlines[index]

    def _height(self, letter: str) -> float:
        extents = self._extents(letter)
        return extents.y_bearing / self.units if extents else 0.0

    def _extents(self, letter: str) -> Any:
        glyph = self._font.get_nominal_glyph(ord(letter))
        return self._font.get_glyph_extents(glyph) if glyph is not None else None


def _ignorable(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in ("Cf", "Mn", "Me")


@lru_cache(64)
def _face(source: Fontfile) -> Any:
    import uharfbuzz as hb

    return hb.Face(hb.Blob.from_file_path(str(source.path)))


@lru_cache(256)
def face(source: Fontfile, weight: int) -> Face:
    return Face(source, weight)


# Runs of one face and one direction -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """Letters that are set in one face and one direction."""

    text: str
    face: Face
    direction: Direction


def in_faces(text: str, faces: tuple[Face, ...]) -> list[tuple[str, Face]]:
    """A text as it is read, in the first of the faces that has each letter; in the first where none has."""
    found: list[tuple[str, Face]] = []
    faces = _by_region(text, faces)
    for letter in text:
        if found and _ignorable(letter):
            chosen = found[-1][1]
        else:
            chosen = next((each for each in faces if each.has(letter)), faces[0])
        if found and found[-1][1] is chosen:
            found[-1] = (found[-1][0] + letter, chosen)
        else:
            found.append((letter, chosen))
    return found


def _by_region(text: str, faces: tuple[Face, ...]) -> tuple[Face, ...]:
    """Chinese, Japanese and Korean share letters that each writes in a way of its own: the region whose other letters
    stand beside them goes first, else mainland China's."""
    if all(letter < "\u3000" for letter in text):
        return faces
    wanted = " SC"
    for region, first, last in ((" JP", "\u3040", "\u30ff"), (" KR", "\uac00", "\ud7a3"), (" TC", "\u3100", "\u312f")):
        if any(first <= letter <= last for letter in text):
            wanted = region
    others = [each for each in faces if not each.family.endswith(_REGIONS)]
    regional = [each for each in faces if each.family.endswith(_REGIONS)]
    return (*others, *sorted(regional, key=lambda each: not each.family.endswith(wanted)))


@lru_cache(20_000)
def pieces(text: str, faces: tuple[Face, ...], line: Direction | None = None) -> tuple[Piece, ...]:
    """A line from left to right as it is seen. `line` is its direction; by its first letters where it is not told."""
    deep = levels(text, line)
    runs: list[tuple[tuple[str, Face], int]] = []
    place = 0
    for part, chosen in in_faces(text, faces):
        for letter in part:
            level = deep[place]
            if runs and runs[-1][1] == level and runs[-1][0][1] is chosen:
                runs[-1] = ((runs[-1][0][0] + letter, chosen), level)
            else:
                runs.append(((letter, chosen), level))
            place += 1
    return tuple(Piece(part, chosen, "rtl" if level % 2 else "ltr") for (part, chosen), level in seen(runs))


def missing(text: str, faces: tuple[Face, ...]) -> str:
    """The letters, each once, that none of the faces has: they would be drawn as boxes."""
    return "".join(dict.fromkeys(letter for letter in text if not any(each.has(letter) for each in faces)))
