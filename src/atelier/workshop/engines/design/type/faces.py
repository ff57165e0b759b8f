"""Fonts: open families from packages, each at the weights that are used, shaped by HarfBuzz."""

from __future__ import annotations

import importlib.util
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from atelier.workshop.engines.design.outline import Matrix, Outline, OutlinePen

Direction = Literal["ltr", "rtl"]
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
        return Path(spec.origin).parent / "files" / self.file


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
        self._shaped: dict[tuple[str, Direction], tuple[Glyph, ...]] = {}
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

    @cached_property
    def ascent(self) -> float:
        """How high the highest of the usual letters stands."""
        return max(self._height(letter) for letter in "bdhklHÉ") or 0.75

    def has(self, text: str) -> bool:
        """Whether there is a glyph for every letter."""
        return all(self._font.get_nominal_glyph(ord(c)) is not None for c in text if not _ignorable(c))

    def shaped(self, text: str, direction: Direction = "ltr") -> tuple[Glyph, ...]:
        """The glyphs of a text of one direction, from left to right as they are seen."""
        import uharfbuzz as hb

        key = (text, direction)
        with self._lock:
            known = self._shaped.get(key)
            if known is None:
                buffer = hb.Buffer()
                buffer.add_str(text)
                buffer.guess_segment_properties()
                buffer.direction = direction
                hb.shape(self._font, buffer, {"kern": True, "liga": True})
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


# Runs of one direction and one face -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Piece:
    """Letters that are set in one face and one direction."""

    text: str
    face: Face
    direction: Direction


def base_direction(text: str) -> Direction:
    """That of the first letter with one (UAX #9, P2 and P3)."""
    for letter in text:
        kind = unicodedata.bidirectional(letter)
        if kind in ("R", "AL"):
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


def directed(text: str) -> list[tuple[str, Direction]]:
    """Parts of one direction, in the order in which they are seen from left to right.

    One level of embedding of UAX #9, without controls: numbers and Latin words within Hebrew or Arabic, and the other
    way round. Neutral letters go with what stands on both sides, else with the line.
    """
    base = base_direction(text)
    levels = [_strong(letter) for letter in text]
    known = [level or "" for level in levels]
    for place, level in enumerate(levels):
        if level is None:
            before = next((known[n] for n in range(place - 1, -1, -1) if levels[n]), base)
            after = next((known[n] for n in range(place + 1, len(text)) if levels[n]), base)
            known[place] = before if before == after else base
    parts: list[tuple[str, Direction]] = []
    for letter, level in zip(text, known, strict=True):
        direction: Direction = "rtl" if level == "rtl" else "ltr"
        if parts and parts[-1][1] == direction:
            parts[-1] = (parts[-1][0] + letter, direction)
        else:
            parts.append((letter, direction))
    return parts if base == "ltr" else parts[::-1]


def _strong(letter: str) -> Direction | None:
    kind = unicodedata.bidirectional(letter)
    if kind in ("R", "AL"):
        return "rtl"
    return "ltr" if kind in ("L", "EN", "AN") else None


def pieces(text: str, faces: tuple[Face, ...]) -> Iterator[Piece]:
    """A line from left to right in the first of the faces that has each letter; the first where none has."""
    for part, direction in directed(text):
        groups: list[tuple[Face, str]] = []
        for letter in part:
            chosen = next((each for each in faces if each.has(letter)), faces[0])
            if groups and (_ignorable(letter) or groups[-1][0] is chosen):
                groups[-1] = (groups[-1][0], groups[-1][1] + letter)
            else:
                groups.append((chosen, letter))
        for chosen, letters in groups if direction == "ltr" else groups[::-1]:
            yield Piece(letters, chosen, direction)
