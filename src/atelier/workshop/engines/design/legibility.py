"""Whether words can be read where they stand: the contrast of WCAG 2.2 with the pixels right behind each letter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .colour import LARGE_CONTRAST, TEXT_CONTRAST, linear, luminance
from .drawing import Pixels, covered, raster
from .outline import Box, box_of, union
from .scene import Group, Item, Shape

SIDE = 480
LOST = 0.01
"""A letter's pixels of which no more than this share lack contrast are read all the same: an edge that touches."""
_RED, _GREEN, _BLUE = (share * linear(np.arange(256)) for share in (0.2126, 0.7152, 0.0722))
"""What each channel gives to the luminance of a pixel."""
WORDS, BUTTON = "Words", "Button"


def illegible(scene: Group, sheet: Box) -> list[str]:
    """The names of the parts of the words that lack contrast with what lies behind them."""
    parts = list(_parts(scene))
    room = union(box for part in parts for _, box in _letters(part))
    scale = SIDE / max(sheet.width, sheet.height)
    size = max(8, round(sheet.width * scale)), max(8, round(sheet.height * scale))
    whole = None if room is None else window(room, sheet, *size)
    if whole is None:
        return []
    seen, wide, high = whole
    behind = raster(Group(tuple(_behind(scene))), seen, wide, high, ground="#ffffff")
    return [part.name for part in parts if lost(part, seen, behind) > LOST]


def lost(part: Group, seen: Box, behind: Pixels) -> float:
    """The share of a part's letters, by pixels, whose contrast with the pixels behind them is too small; `behind` are
    those of the box that is seen."""
    least = (LARGE_CONTRAST if part.name == "Headline" else TEXT_CONTRAST) - 0.05
    colours = behind.view(np.uint32)[..., 0]
    total = missing = 0
    for shape, box in _letters(part):
        around = window(box, seen, colours.shape[1], colours.shape[0])
        if around is None:
            continue
        room, wide, high = around
        left = round((room.left - seen.left) * colours.shape[1] / seen.width)
        top = round((room.top - seen.top) * colours.shape[0] / seen.height)
        there = colours[top : top + high, left : left + wide][covered(shape, room, wide, high) > 60]
        total += len(there)
        if len(there) and (there == there[0]).all():
            there, times = there[:1], len(there)
        else:
            times = 1
        light = _luminance(there)
        own = luminance(str(shape.fill))
        contrast = (np.maximum(light, own) + 0.05) / (np.minimum(light, own) + 0.05)
        missing += times * int((contrast < least).sum())
    return missing / total if total else 0.0


def _luminance(pixels: NDArray[np.uint32]) -> NDArray[np.float64]:
    channels = pixels.view(np.uint8).reshape(-1, 4)
    return np.asarray(_RED[channels[:, 0]] + _GREEN[channels[:, 1]] + _BLUE[channels[:, 2]])


def _letters(part: Group) -> Iterator[tuple[Shape, Box]]:
    """The lines of a part and the boxes that they lie in."""
    for shape in part.items:
        if isinstance(shape, Shape) and isinstance(shape.fill, str) and len(shape.outline.points):
            yield shape, box_of(shape.outline.points).moved(shape.matrix)


def window(box: Box, seen: Box, wide: int, high: int) -> tuple[Box, int, int] | None:
    """Of a box that is seen in so many pixels, the part that a box takes, in whole pixels, and how many these are; None
    where they do not meet."""
    across, down = wide / seen.width, high / seen.height
    left, top = max(0, int((box.left - seen.left) * across)), max(0, int((box.top - seen.top) * down))
    right = min(wide, int((box.right - seen.left) * across) + 1)
    bottom = min(high, int((box.bottom - seen.top) * down) + 1)
    if left >= right or top >= bottom:
        return None
    found = Box(
        seen.left + left / across, seen.top + top / down, seen.left + right / across, seen.top + bottom / down
    )  # fmt: skip
    return found, right - left, bottom - top


def _behind(scene: Group) -> Iterator[Item]:
    for layer in scene.items:
        if layer.name != WORDS or not isinstance(layer, Group):
            yield layer
        else:
            yield from (item for item in layer.items if item.name == BUTTON)


def _parts(scene: Group) -> Iterator[Group]:
    for layer in scene.items:
        if layer.name == WORDS and isinstance(layer, Group):
            yield from (item for item in layer.items if isinstance(item, Group) and item.name != BUTTON)
