"""What layouts are ranked by is what lies on the sheet."""

from __future__ import annotations

import math

import numpy as np
import pytest

from atelier.workshop.engines.design.layout.chance import by_odds, one_of, steps
from atelier.workshop.engines.design.layout.grid import CELLS, Grid, cells_in
from atelier.workshop.engines.design.outline import Box

WIDE, HIGH = 1200.0, 800.0


def boxes(draw: np.random.Generator) -> list[Box]:
    found = []
    for _ in range(int(draw.integers(4))):
        (left, right), (top, bottom) = np.sort(draw.uniform(-300, 1400, 2)), np.sort(draw.uniform(-300, 1000, 2))
        found.append(Box(float(left), float(top), float(right), float(bottom)))
    return found


def table(layers: list[tuple[list[Box], float]]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The weight of each cell whose middle lies in a box, the greatest of all that lie there."""
    found = np.zeros((CELLS, CELLS))
    for inside, weight in layers:
        for box in inside:
            for row in range(CELLS):
                for column in range(CELLS):
                    x, y = (column + 0.5) * WIDE / CELLS, (row + 0.5) * HIGH / CELLS
                    if box.left <= x < box.right and box.top <= y < box.bottom:
                        found[row, column] = max(found[row, column], weight)
    return found


def grid(fields: list[Box], art: list[Box], words: list[Box]) -> Grid:
    sets = [0, 0, 0]
    for number, inside in enumerate((art, words, fields)):
        for box in inside:
            sets[number] |= cells_in(box, WIDE, HIGH)
    return Grid.of(*sets)


@pytest.mark.parametrize("seed", range(40))
def test_a_grid_tells_what_a_table_of_its_cells_tells(seed: int) -> None:
    draw = np.random.default_rng(seed)
    fields, art, words = boxes(draw), boxes(draw), boxes(draw)
    own, there = grid(fields, art, words), table([(fields, 0.5), (art, 2.0), (words, 1.0)])
    assert own.empty == pytest.approx(float((there == 0).mean()))
    assert own.busy == pytest.approx(float((there > 0.9).mean()))
    assert own.weight == there.sum()
    assert own.symmetry == pytest.approx(1 - np.abs(there - there[:, ::-1]).mean() / max(2 * there.mean(), 1e-9))
    if there.any():
        rows, columns = np.indices(there.shape)
        middle = [float((each * there).sum() / there.sum()) / (CELLS - 1) for each in (columns, rows)]
        assert own.middle == pytest.approx(middle)
    other = boxes(draw)
    assert own.apart(grid([], other, [])) == pytest.approx(np.abs(there - table([(other, 2.0)])).mean())


def test_nothing_lies_in_the_middle() -> None:
    assert grid([], [], []).middle == (0.5, 0.5)


def test_odds_are_kept() -> None:
    draw, added = np.random.default_rng(0), steps((1.0, 3.0, 0.0, 6.0))
    assert math.isclose(added[-1], 1.0)
    counts = np.bincount([by_odds(draw, added) for _ in range(10_000)], minlength=4) / 10_000
    assert np.abs(counts - np.array([0.1, 0.3, 0.0, 0.6])).max() < 0.02
    assert {one_of(draw, "abc") for _ in range(100)} == set("abc")
