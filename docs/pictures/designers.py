"""Makes designers.webp for the README: what the design engine makes in the hands of the demo's two designers.

    .venv/bin/python docs/pictures/designers.py [FILE]

Learned from the thirty works of each (drawn for this project, CC0); pieces as the engine made them for the briefs and
seeds below, in the order in which they are named; nothing was changed by hand. The same works give the same picture.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import design_works  # noqa: E402

from atelier.workshop.engines.design.briefs import valid  # noqa: E402
from atelier.workshop.engines.design.drawing import Pixels, encoded, raster  # noqa: E402
from atelier.workshop.engines.design.learning.meaning import meaning  # noqa: E402
from atelier.workshop.engines.design.learning.style import Style  # noqa: E402
from atelier.workshop.engines.design.making import Order, make  # noqa: E402

CELL, GAP = 216, 16
PAPER = (233, 231, 226, 255)
POST = {"kind": "post", "headline": "Two scoops for one on Sunday", "text": "Every flavour", "subject": "ice cream"}
BOOKS = {"kind": "post", "headline": "Open late on Thursday", "text": "New books every week", "subject": "book"}
HARBOUR = {
    "kind": "poster", "headline": "Summer by the harbour", "text": "Music, boats and good bread",
    "date": "5 to 7 July", "place": "Fishermen’s Quay", "subject": "boat",
}  # fmt: skip
GARDEN = {
    "kind": "poster", "headline": "Plant swap", "date": "Saturday, 10 May", "place": "Behind the old school",
    "subject": "flower", "mood": "playful",
}  # fmt: skip
CARD = {
    "kind": "card",
    "headline": "Ada Brandt",
    "text": "Ceramics and tea",
    "place": "Mill Lane 4",
    "subject": "teapot",
}
LOGO = {"kind": "logo", "headline": "Little Bird", "text": "Bakery", "subject": "bird"}
OTHER = {"kind": "logo", "headline": "North Fir", "subject": "pine trees"}
PATTERN = {"kind": "pattern", "headline": "Wrapping paper", "subject": "fruit"}
SKY = {"kind": "pattern", "headline": "Curtain", "subject": "weather"}
ICONS = {"kind": "icons", "headline": "Icons", "subject": "home"}
CAFE = {"kind": "icons", "headline": "Icons", "subject": "food and drink"}
BANNER = {"kind": "banner", "headline": "Morning coffee is on us", "action": "Come by", "subject": "coffee"}
ROWS = (
    (design_works.WILMA, ((POST, 2), (HARBOUR, 0), (CARD, 0), (PATTERN, 2), (LOGO, 2), (ICONS, 5))),
    (design_works.WILMA, ((BOOKS, 1), (GARDEN, 2), (BANNER, 0), (SKY, 2), (OTHER, 2), (CAFE, 0))),
    (design_works.PIM, ((POST, 2), (HARBOUR, 0), (CARD, 3), (PATTERN, 0), (LOGO, 1), (ICONS, 1))),
    (design_works.PIM, ((BOOKS, 1), (GARDEN, 5), (BANNER, 4), (SKY, 2), (OTHER, 1), (CAFE, 2))),
)
"""Seeds were chosen by eye among 0 to 5."""


def piece(style: Style, brief: dict[str, str], seed: int) -> Pixels:
    """A piece, whole, in a square of the paper."""
    told = valid(brief)
    made = make(style, Order(told, meaning(told.subject), seed))
    sheet = made.plan.kind.sheet
    scale = CELL / max(sheet.width, sheet.height)
    wide, high = round(sheet.width * scale), round(sheet.height * scale)
    cell = np.empty((CELL, CELL, 4), np.uint8)
    cell[:] = PAPER
    top, left = (CELL - high) // 2, (CELL - wide) // 2
    cell[top : top + high, left : left + wide] = raster(made.scene, sheet, wide, high, ground="#ffffff")
    return cell


def main() -> int:
    """Learn, make and write."""
    with tempfile.TemporaryDirectory() as name:
        styles = {
            handle: design_works.learned(handle, Path(name) / handle)
            for handle in (design_works.WILMA, design_works.PIM)
        }
    step = CELL + GAP
    picture = np.empty((len(ROWS) * step + GAP, len(ROWS[0][1]) * step + GAP, 4), np.uint8)
    picture[:] = PAPER
    for down, (handle, pieces) in enumerate(ROWS):
        for across, (brief, seed) in enumerate(pieces):
            top, left = GAP + down * step, GAP + across * step
            picture[top : top + CELL, left : left + CELL] = piece(styles[handle], brief, seed)
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".webp")
    place.write_bytes(encoded(picture[..., :3], "WEBP", 84))
    return 0


if __name__ == "__main__":
    sys.exit(main())
