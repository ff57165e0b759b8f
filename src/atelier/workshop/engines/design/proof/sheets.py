"""Contact sheets: what the proof was counted on, for the creator to judge by eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from atelier.workshop.contract import Sheet
from atelier.workshop.engines.design.drawing import Pixels, encoded, raster
from atelier.workshop.engines.design.making import Made
from atelier.workshop.engines.design.showing import overlaid
from atelier.workshop.proof.pictures import OURS

from .evaluation import BRIEFS, NONE, Shown
from .files import written

CELL, GAP = 240, 12
PAPER = "#e9e7e2"


def sheets_of(own: Shown, compared: Mapping[str, Shown], workspace: Path) -> tuple[Sheet, ...]:
    """Pieces of the version, marked so that they may be shown; and the same briefs in other hands, for the creator."""
    seeds = len(own.pieces) // len(BRIEFS)
    rows = [[own.pieces[brief * seeds + seed] for brief in range(len(BRIEFS))] for seed in range(seeds)]
    hands = [("Learned without the works held out", OURS), ("Learned from the works held out alone", "truth")]
    hands += [(f"Reference hand “{name}”", name) for name in compared if name not in (OURS, "truth", NONE)]
    hands.append(("No hand", NONE))
    beside = [[compared[name].pieces[brief * seeds] for brief in range(len(BRIEFS))] for _, name in hands]
    kinds = ", ".join(brief.kind for brief in BRIEFS)
    return (
        _sheet(rows, workspace, "pieces", "Made by this version", f"{seeds} rows of pieces: {kinds}.", public=True),
        _sheet(
            beside, workspace, "hands", "The same briefs in several hands",
            f"One row a hand, from the top: {'; '.join(title for title, _ in hands)}. Columns: {kinds}.", public=False,
        ),
    )  # fmt: skip


def _sheet(rows: Sequence[Sequence[Made]], workspace: Path, name: str, title: str, told: str, *, public: bool) -> Sheet:
    pixels = contact(rows, marked=public)
    picture = written(encoded(pixels, "WEBP", 82), workspace / f"sheets/{name}.webp", workspace)
    high, wide = pixels.shape[:2]
    return Sheet(title=title, told=told, picture=picture, width=wide, height=high, public=public)


def contact(rows: Sequence[Sequence[Made]], *, marked: bool) -> Pixels:
    """Pieces side by side on grey paper, each whole in a square cell."""
    step = CELL + GAP
    count = max(len(row) for row in rows)
    sheet = np.empty((len(rows) * step + GAP, count * step + GAP, 4), np.uint8)
    sheet[:] = (*(int(PAPER[n : n + 2], 16) for n in (1, 3, 5)), 255)
    for down, row in enumerate(rows):
        for across, made in enumerate(row):
            picture = _cell(made, marked=marked)
            high, wide = picture.shape[:2]
            top, left = GAP + down * step + (CELL - high) // 2, GAP + across * step + (CELL - wide) // 2
            sheet[top : top + high, left : left + wide] = picture
    return sheet


def _cell(made: Made, *, marked: bool) -> Pixels:
    box = made.plan.kind.sheet
    scale = CELL / max(box.width, box.height)
    pixels = raster(made.scene, box, max(8, int(box.width * scale)), max(8, int(box.height * scale)), ground="#ffffff")
    return overlaid(pixels) if marked else pixels
