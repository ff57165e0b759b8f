"""What is shown before a purchase: a smaller picture with a mark that everybody sees, never the drawing itself."""

from __future__ import annotations

import base64
import io
import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .drawing import Pixels, raster
from .outline import Box, Matrix
from .scene import Group, Shape
from .type.choosing import fallbacks
from .type.setting import Block, Hand, broken, placed

SIDE = 720
"""The longer side of a sample at most, in pixels."""
WORDS = "sample"
STRONG = 0.2
"""How much the mark takes of what lies under it."""


def sample(scene: Group, sheet: Box, reveal: float, *, marked: bool = True) -> tuple[bytes, tuple[int, int]]:
    """A WEBP picture of a scene with `reveal` (0 to 1) of the pixels that it may have at most, and its size.

    All of a piece is shown, in fewer pixels: a part of a picture tells nobody what it is.
    """
    scale = SIDE / max(sheet.width, sheet.height) * math.sqrt(max(reveal, 0.01))
    size = max(8, int(sheet.width * scale)), max(8, int(sheet.height * scale))
    pixels = raster(scene, sheet, *size, ground="#ffffff")
    if marked:
        pixels = overlaid(pixels)
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., :3]).save(buffer, "WEBP", quality=80, method=1)
    return buffer.getvalue(), size


def data_uri(picture: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture).decode()}"


def overlaid(pixels: Pixels) -> Pixels:
    """The word over all of a picture, light where it is dark and dark where it is light."""
    high, wide = pixels.shape[:2]
    places, strength = _mark(wide, high)
    found = pixels.copy()
    flat = found.reshape(-1, 4)
    plain = flat[places, :3].astype(np.float32)
    towards = np.where(plain.mean(1, keepdims=True) < 128, np.float32(255), np.float32(0))
    flat[places, :3] = np.rint(plain + (towards - plain) * strength).astype(np.uint8)
    return found


@lru_cache(32)
def _mark(wide: int, high: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The pixels on which the word stands, in lines that rise across the picture, and how strongly on each, (n, 1)."""
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
    there = raster(turned, Box(0, 0, wide, high), wide, high)[..., 3].ravel()
    places = np.flatnonzero(there)
    return places, (there[places, None] / 255 * STRONG).astype(np.float32)
