"""Finds pieces that are one whole work and little else: these are copies, not new pieces in the creator's hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from atelier.workshop.pictures.fingerprints import NEAR_BITS, distance, fingerprint

from .drawing import raster
from .layout.plans import Art
from .outline import Box
from .scene import Group

LARGE = 0.55
"""A window of less of the sheet than this is a part of a piece, whatever it shows."""
SIDE = 256


def copied(scene: Group, sheet: Box, arts: Sequence[Art], hashes: Mapping[str, str]) -> str | None:
    """The work that a piece is a near copy of, by PDQ of the whole sheet and of windows around large art; else None."""
    known = {art.motif.work for art in arts if art.motif.work and art.motif.whole} & set(hashes)
    if not known:
        return None
    for window in windows(sheet, arts):
        scale = SIDE / max(window.width, window.height)
        size = max(16, round(window.width * scale)), max(16, round(window.height * scale))
        found = fingerprint(raster(scene, window, *size, ground="#ffffff")).value
        near = min(known, key=lambda work: (distance(found, hashes[work]), work))
        if distance(found, hashes[near]) <= NEAR_BITS:
            return near
    return None


def windows(sheet: Box, arts: Sequence[Art]) -> Iterator[Box]:
    """The parts of a sheet that could be a whole work cut out."""
    for art in arts:
        inside = art.box & sheet
        if art.motif.whole and inside is not None and inside.area > LARGE * sheet.area:
            yield sheet
            yield inside
