"""Reads pictures: flat ones become outlines, so that they can be edited; photographs and paintings stay pictures."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ..outline import Box
from ..scene import Group, Picture, Scene
from .pixels import open_picture, written
from .svg import Read, read_svg

FLAT_COLOURS = 24
FLAT_SHARE = 0.9
"""A picture is flat when so few colours cover so much of it."""
TRACED_SIDE = 900
DETAIL = 4
"""Specks of fewer pixels across are noise of the file, not of the hand."""


def read_picture(data: bytes, where: str) -> Read:
    """Errors: Unreadable naming the file."""
    image = open_picture(data, where)
    if flat(image):
        read = _traced(image, where)
        if read is not None:
            return read
    file, media_type = written(image)
    room = Box(0, 0, image.width, image.height)
    scene = Scene(Group((Picture(file, media_type, room),)), room)
    return Read(scene, (), (), "", "", ())


def flat(image: Image.Image) -> bool:
    """Whether a few colours, each in one piece or a few, make up nearly all of a picture."""
    small = image.convert("RGBA")
    small.thumbnail((256, 256), Image.Resampling.NEAREST)
    pixels = np.asarray(small)
    seen = pixels[pixels[..., 3] > 128][:, :3]
    if len(seen) < 16:
        return False
    _, counts = np.unique(seen // 16, axis=0, return_counts=True)
    return float(np.sort(counts)[::-1][:FLAT_COLOURS].sum() / counts.sum()) >= FLAT_SHARE


def _traced(image: Image.Image, where: str) -> Read | None:
    """The outlines of its colours; None where they would be more than a drawing has."""
    import vtracer

    small = image.copy()
    small.thumbnail((TRACED_SIDE, TRACED_SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.convert("RGBA").save(buffer, "PNG")
    svg = vtracer.convert_raw_image_to_svg(
        buffer.getvalue(), img_format="png", colormode="color", hierarchical="stacked", mode="spline",
        filter_speckle=DETAIL, color_precision=6, layer_difference=16, corner_threshold=60, length_threshold=4.0,
        splice_threshold=45, path_precision=2,
    )  # fmt: skip
    return read_svg(svg.encode(), where) if len(svg) < 3_000_000 else None
