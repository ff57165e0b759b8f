"""What is shown before a purchase: a smaller picture under a mark that everybody sees, never the master itself."""

from __future__ import annotations

import base64
import io
import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 512
"""The longer side of a sample of which all may be revealed, in pixels."""
WORD = "sample"
STRONG = 0.25
"""How much the mark takes of what lies under it."""
UNSEEN = (64, 64)
"""The size of the empty picture that stands for a sample of which nothing may be shown."""


def shown_size(width: int, height: int, reveal: float) -> tuple[int, int] | None:
    """The size in which `reveal` (0 to 1) of a picture's pixels are shown at most; None where that is not one.

    All of a picture is shown, in fewer pixels: a part of one tells nobody what it is.
    """
    scale = min(1.0, SIDE / max(width, height)) * math.sqrt(reveal)
    size = int(width * scale + 1e-9), int(height * scale + 1e-9)
    return size if min(size) > 0 else None


def sample(picture: Image.Image, width: int, height: int, reveal: float) -> tuple[bytes, tuple[int, int]] | None:
    """A marked WebP of a picture and its size, for a master of that width and height; None where nothing is shown.

    `picture` may be smaller than the master, as one that is not finished; it is then made larger.
    """
    size = shown_size(width, height, reveal)
    if size is None:
        return None
    small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    return _webp(_marked(np.asarray(small))), size


def nothing() -> tuple[bytes, tuple[int, int]]:
    """A marked empty picture, for where nothing may be shown."""
    wide, high = UNSEEN
    return _webp(_marked(np.full((high, wide, 3), 160, dtype=np.uint8))), UNSEEN


def data_uri(picture: bytes) -> str:
    """A WebP as an address that a page can show."""
    return f"data:image/webp;base64,{base64.b64encode(picture).decode()}"


def _webp(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=80, method=2)
    return buffer.getvalue()


def _marked(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The word over all of a picture, light where it is dark and dark where it is light."""
    high, wide = pixels.shape[:2]
    mark = _mark(wide, high)[..., None] * STRONG
    plain = pixels.astype(np.float32)
    ink = np.where(plain.mean(2, keepdims=True) < 128, 255.0, 0.0)
    return np.asarray(np.rint(plain * (1 - mark) + ink * mark), dtype=np.uint8)


@lru_cache(32)
def _mark(wide: int, high: int) -> NDArray[np.float32]:
    """Where the word stands, 0 to 1: in rows that rise across the picture."""
    across = math.ceil(math.hypot(wide, high))
    sheet = Image.new("L", (across, across), 0)
    draw = ImageDraw.Draw(sheet)
    size = max(6.0, max(wide, high) / 10)
    font = ImageFont.load_default(size)
    step = draw.textlength(WORD, font=font) + size
    for row in range(int(across / (2 * size)) + 1):
        start = -step / 2 * (row % 2)
        for column in range(int(across / step) + 2):
            draw.text((start + column * step, row * 2 * size), WORD, fill=255, font=font)
    left, top = (across - wide) // 2, (across - high) // 2
    turned = sheet.rotate(24, Image.Resampling.BICUBIC).crop((left, top, left + wide, top + high))
    return np.asarray(turned, dtype=np.float32) / np.float32(255)
