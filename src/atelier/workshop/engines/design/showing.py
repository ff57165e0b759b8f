"""What is shown before a purchase: a smaller picture with a mark that everybody sees, never the drawing itself."""

from __future__ import annotations

import base64
import io
import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .drawing import Pixels, covered, raster
from .outline import Box, Matrix
from .scene import Group, Shape
from .type.choosing import fallbacks
from .type.setting import Block, Hand, broken, placed

SIDE = 720
"""The longer side of a sample at most, in pixels."""
WORDS = "sample"
STRONG = 0.2
"""How much the mark takes of what lies under it."""


def shown(scene: Group, sheet: Box, reveal: float) -> Image.Image:
    """The marked picture of a scene with `reveal` (0 to 1) of the pixels that it may have at most.

    All of a piece is shown, in fewer pixels: a part of a picture tells nobody what it is.
    """
    scale = SIDE / max(sheet.width, sheet.height) * math.sqrt(max(reveal, 0.01))
    size = max(8, int(sheet.width * scale)), max(8, int(sheet.height * scale))
    pixels = overlaid(raster(scene, sheet, *size, ground="#ffffff"))
    return Image.frombuffer("RGBX", size, pixels, "raw", "RGBX", 0, 1)


def half(picture: Image.Image) -> Image.Image:
    """The same picture with a quarter of its pixels."""
    return picture.reduce(2) if min(picture.size) >= 16 else picture


def webp(picture: Image.Image) -> bytes:
    """The picture as a file. The quickest way of writing one takes a third of the time of a sample all the same; what
    takes half as long again makes it a fifth smaller, and as good."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=80, method=0)
    return buffer.getvalue()


def data_uri(picture: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture).decode()}"


def overlaid(pixels: Pixels) -> Pixels:
    """The opaque picture that is given, the word drawn over it: light where it is dark and dark where it is light."""
    high, wide = pixels.shape[:2]
    places, own, ink = _mark(wide, high)
    flat = pixels.view(np.uint32).reshape(-1)
    plain = flat[places].view(np.uint8).reshape(-1, 4).astype(np.uint16)
    dark = plain[:, 0] + plain[:, 1] + plain[:, 2] < 3 * 128
    mixed = plain * own + np.where(dark, ink, 0)[:, None] + 128
    mixed[:, 3] = 255 * 256
    flat[places] = (mixed >> 8).astype(np.uint8).view(np.uint32)[:, 0]
    return pixels


@lru_cache(32)
def _mark(wide: int, high: int) -> tuple[NDArray[np.intp], NDArray[np.uint16], NDArray[np.uint16]]:
    """The pixels on which the word stands, in lines that rise across the picture; in 256ths, how much each keeps of its
    own, (n, 1), and what a light ink adds to it."""
    hand = Hand(fallbacks()[:1], 0.12)
    size = max(wide, high) / 12
    line = broken(hand, WORDS, 1)
    block = Block(hand, line, size, 1.0)
    across, down = block.width * 1.5, size * 3.2
    shapes = []
    for row in range(-2, int(high / down) + 3):
        for column in range(-2, int(wide / across) + 3):
            x, y = column * across + (row % 2) * across / 2, row * down
            shapes += [
                Shape(each.outline(), "#000000") for each in placed(block, Box(x, y, x + block.width, y + size), "left")
            ]
    turned = Group(tuple(shapes), Matrix.turned(-24, wide / 2, high / 2))
    there = covered(turned, Box(0, 0, wide, high), wide, high).ravel()
    places = np.flatnonzero(there)
    strength = np.rint(there[places] / 255 * STRONG * 256).astype(np.uint16)
    return places, 256 - strength[:, None], 255 * strength
