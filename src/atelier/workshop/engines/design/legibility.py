"""Whether words can be read where they stand: the contrast of WCAG 2.2 with the pixels right behind each letter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .colour import LARGE_CONTRAST, TEXT_CONTRAST, linear, luminance
from .drawing import Pixels, covered, raster
from .outline import Box, box_of
from .scene import Group, Item, Shape

SIDE = 480
LOST = 0.01
"""A letter's pixels of which no more than this share lack contrast are read all the same: an edge that touches."""
_RED, _GREEN, _BLUE = (share * linear(np.arange(256)) for share in (0.2126, 0.7152, 0.0722))
"""What each channel gives to the luminance of a pixel."""
WORDS, BUTTON = "Words", "Button"


def illegible(scene: Group, sheet: Box) -> list[str]:
    """The names of the parts of the words that lack contrast with what lies behind them."""
    behind = Group(tuple(_behind(scene)))
    scale = SIDE / max(sheet.width, sheet.height)
    size = max(8, round(sheet.width * scale)), max(8, round(sheet.height * scale))
    pixels = raster(behind, sheet, *size, ground="#ffffff")
    return [part.name for part in _parts(scene) if lost(part, sheet, pixels) > LOST]


def lost(part: Group, sheet: Box, behind: Pixels) -> float:
    """The share of a part's letters, by pixels, whose contrast with the pixels behind them is too small."""
    least = LARGE_CONTRAST if part.name == "Headline" else TEXT_CONTRAST
    total = missing = 0
    for shape in part.items:
        if not isinstance(shape, Shape) or not isinstance(shape.fill, str) or not len(shape.outline.points):
            continue
        window, there = _window(box_of(shape.outline.points).moved(shape.matrix), sheet, behind)
        if window is None:
            continue
        ink = there[covered(shape, window, there.shape[1], there.shape[0]) > 60]
        own = luminance(shape.fill)
        light = _RED[ink[:, 0]] + _GREEN[ink[:, 1]] + _BLUE[ink[:, 2]]
        contrast = (np.maximum(light, own) + 0.05) / (np.minimum(light, own) + 0.05)
        total += len(ink)
        missing += int((contrast < least - 0.05).sum())
    return missing / total if total else 0.0


def _window(box: Box, sheet: Box, behind: Pixels) -> tuple[Box | None, Pixels]:
    """The whole pixels around a box, as a part of the sheet and as what is drawn there."""
    k = behind.shape[1] / sheet.width
    left, top = max(0, int((box.left - sheet.left) * k)), max(0, int((box.top - sheet.top) * k))
    right = min(behind.shape[1], int((box.right - sheet.left) * k) + 1)
    bottom = min(behind.shape[0], int((box.bottom - sheet.top) * k) + 1)
    if left >= right or top >= bottom:
        return None, behind[:0]
    window = Box(sheet.left + left / k, sheet.top + top / k, sheet.left + right / k, sheet.top + bottom / k)
    return window, behind[top:bottom, left:right]


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
