"""Reads pictures: flat ones become outlines, so that they can be edited; photographs and paintings stay pictures."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from atelier.workshop.contract import Unreadable
from atelier.workshop.engines.design.outline import Box
from atelier.workshop.engines.design.scene import Group, Picture, Scene
from atelier.workshop.pictures.pixels import open_picture, written

from .svg import Read, read_svg

FLAT_COLOURS = 24
FLAT_SHARE = 0.9
"""A picture is flat when so few colours cover so much of it."""
EDGE, STEP = 14, 5
"""Of 256 levels: between neighbours, more is an edge; within a colour, less is noise."""
NOISE = 16
"""How far JPEG's waves beside an edge carry a colour away."""
TRACED_SIDE = 900
TRACED_BYTES = 3_000_000
DETAIL = 4
"""Specks of fewer pixels across are noise of the file, not of the hand."""


def read_picture(data: bytes, where: str) -> Read:
    """Errors: Unreadable naming the file."""
    image = open_picture(data, where)
    small = image.convert("RGBA")
    small.thumbnail((TRACED_SIDE, TRACED_SIDE), Image.Resampling.LANCZOS)
    colours = colours_of(small)
    if colours is not None:
        read = _traced(_even(small, colours), where)
        if read is not None:
            return read
    file, media_type = written(image)
    room = Box(0, 0, image.width, image.height)
    scene = Scene(Group((Picture(file, media_type, room),)), room)
    return Read(scene, (), (), "", "", ())


def colours_of(image: Image.Image) -> NDArray[np.int64] | None:
    """The few colours, (number, 3), that make up nearly all of a picture, each in large pieces; None where none do.

    Pixels at edges do not count: between two flat colours there are always some that are neither.
    """
    pixels = np.asarray(image)[:: max(1, image.height // 400), :: max(1, image.width // 400)].astype(int)
    seen = pixels[..., 3] > 128
    inner = pixels[seen & ~_edges(pixels)][:, :3]
    if len(inner) < 0.25 * max(16, int(seen.sum())):
        return None
    found, counts = np.unique((inner + STEP // 2) // STEP * STEP, axis=0, return_counts=True)
    most = np.argsort(-counts)[:FLAT_COLOURS]
    return np.clip(found[most], 0, 255) if counts[most].sum() >= FLAT_SHARE * counts.sum() else None


def _edges(pixels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pixels that differ from one beside them."""
    found = np.zeros(pixels.shape[:2], bool)
    across = np.abs(np.diff(pixels, axis=1)).max(2) > EDGE
    down = np.abs(np.diff(pixels, axis=0)).max(2) > EDGE
    found[:, :-1] |= across
    found[:, 1:] |= across
    found[:-1] |= down
    found[1:] |= down
    return found


def _even(image: Image.Image, colours: NDArray[np.int64]) -> Image.Image:
    """The picture without the noise that JPEG leaves: what is nearly one of its colours is made that colour."""
    chosen: list[NDArray[np.int64]] = []
    for colour in colours:  # the most frequent first
        if all(np.abs(colour - other).max() > 2 * NOISE for other in chosen):
            chosen.append(colour)
    pixels = np.asarray(image).copy()
    plain = pixels[..., :3].astype(int)
    for colour in reversed(chosen):
        near = np.abs(plain - colour).max(2) <= NOISE
        if near.any():
            pixels[near, :3] = np.median(plain[near], axis=0).astype(np.uint8)
    return Image.fromarray(pixels)


def _traced(image: Image.Image, where: str) -> Read | None:
    """The outlines of its colours; None where they would be more than a drawing has."""
    import vtracer

    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    svg = vtracer.convert_raw_image_to_svg(
        buffer.getvalue(), img_format="png", colormode="color", hierarchical="stacked", mode="spline",
        filter_speckle=DETAIL, color_precision=6, layer_difference=16, corner_threshold=60, length_threshold=4.0,
        splice_threshold=45, path_precision=2,
    )  # fmt: skip
    if len(svg) > TRACED_BYTES:
        return None
    try:
        return read_svg(svg.encode(), where)
    except Unreadable:  # nothing that is larger than a speck: the picture itself is all there is
        return None
