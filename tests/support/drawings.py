"""Pictures for tests: each number another, in one of two hands."""

from __future__ import annotations

import random

from PIL import Image, ImageDraw

_INKS = {
    "round": ((20, 40, 120), (40, 120, 200), (230, 200, 60)),
    "square": ((150, 20, 30), (30, 30, 30), (240, 240, 230)),
}


def draw(number: int, hand: str = "round", size: tuple[int, int] = (160, 120)) -> Image.Image:
    """Circles in blue and gold, or blocks in red and black; the same number and hand give the same picture."""
    chance = random.Random(f"{hand} {number}")
    inks = _INKS[hand]
    picture = Image.new("RGB", size, inks[2] if hand == "square" else (235, 240, 250))
    pen = ImageDraw.Draw(picture)
    for _ in range(9):
        wide, high = (chance.uniform(0.1, 0.45) * edge for edge in size)
        left, top = (chance.uniform(-0.1, 0.8) * edge for edge in size)
        shape = (left, top, left + wide, top + (wide if hand == "round" else high))
        (pen.ellipse if hand == "round" else pen.rectangle)(shape, fill=chance.choice(inks))
    return picture
