"""Outlines know their boxes, scenes are drawn as they are described, and colours can be changed throughout."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from atelier.workshop.engines.design.drawing import covered, encoded, raster
from atelier.workshop.engines.design.outline import (
    IDENTITY,
    Box,
    Matrix,
    Outline,
    ellipse,
    number,
    parse,
    polygon,
    rectangle,
)
from atelier.workshop.engines.design.scene import (
    Clip,
    Gradient,
    Group,
    Picture,
    Run,
    Scene,
    Shape,
    Stop,
    Stroke,
    Words,
    painted,
)
from atelier.workshop.pictures.fingerprints import NEAR_AT, fingerprint, similarity

SHEET = Box(0, 0, 100, 100)
SMALL = st.floats(-100, 100)


# Outlines -------------------------------------------------------------------------------------------------------


@given(SMALL, SMALL, SMALL, SMALL, st.floats(-360, 360))
def test_maps_are_applied_the_inner_first(x: float, y: float, by_x: float, by_y: float, angle: float) -> None:
    outer, inner = Matrix.turned(angle, 3, 4), Matrix(2, 0, 0.5, 1, by_x, by_y)
    point = np.array([[x, y]])
    assert np.allclose((outer @ inner).apply(point), outer.apply(inner.apply(point)))


def test_a_box_holds_the_curve_and_not_what_steers_it() -> None:
    box = parse("M0 0C0 100 100 100 100 0").box
    assert (box.left, box.top, box.right) == (0, 0, 100)
    assert box.bottom == pytest.approx(75)
    assert parse("M0 0Q50 100 100 0").box.bottom == pytest.approx(50)


@given(st.lists(st.tuples(SMALL, SMALL), min_size=4, max_size=4))
def test_no_point_of_a_curve_lies_outside_its_box(points: list[tuple[float, float]]) -> None:
    outline = Outline("MC", np.array(points))
    t = np.linspace(0, 1, 40)[:, None]
    p = outline.points
    curve = (1 - t) ** 3 * p[0] + 3 * (1 - t) ** 2 * t * p[1] + 3 * (1 - t) * t**2 * p[2] + t**3 * p[3]
    box = outline.box.grown(1e-6)
    assert (curve >= (box.left, box.top)).all()
    assert (curve <= (box.right, box.bottom)).all()


def test_path_data_is_read_and_written_without_loss() -> None:
    data = "M1 2L3.5 4Q5 6 7 8C9 10 11 12 13 14Z"
    assert parse(data).svg() == data
    assert parse("m1 2l2.5 2q1.5 2 3.5 4zm0 0h3v-2").verbs == "MLQZMLL"
    with pytest.raises(ValueError, match="cannot be read"):
        parse("M 1 2 L 1")


def test_an_ellipse_is_as_round_as_it_can_be_in_four_curves() -> None:
    pixels = raster(Shape(ellipse(50, 50, 40, 40)), SHEET, 400, 400)
    y, x = np.mgrid[0:400, 0:400]
    inside = np.hypot(x + 0.5 - 200, y + 0.5 - 200) < 160
    assert float((inside != (pixels[..., 3] > 127)).mean()) < 0.001


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (-0.001, "0"), (0.126, "0.13"), (100.0, "100"), (-2.5, "-2.5")]
)
def test_numbers_are_written_short(value: float, text: str) -> None:
    assert number(value) == text


def test_paths_are_written_as_their_numbers_are() -> None:
    values = [0.0, -0.0, -0.000001, 1.0, 1.5, -20.1234, 100.0, 1e7, 12345.6789, 0.0001, 3.0, 1e14]
    outline = Outline("MLQZML", np.array([*values]).reshape(-1, 2))
    a, b, c, d, e, f, g, h, i, j, k, m = (number(each, 4) for each in values)
    assert outline.svg(4) == f"M{a} {b}L{c} {d}Q{e} {f} {g} {h}ZM{i} {j}L{k} {m}"
    assert outline.svg(4) == Outline(outline.verbs, outline.points).svg(4)
    assert Outline("", np.zeros((0, 2))).svg() == ""


def test_what_covers_is_what_is_opaque() -> None:
    item = Group((Shape(ellipse(40, 40, 30, 20), "#c00000", opacity=0.5), Shape(rectangle(30, 30, 60, 30), "#000000")))
    assert np.array_equal(covered(item, SHEET, 90, 90), raster(item, SHEET, 90, 90)[..., 3])


def test_a_box_is_brought_to_the_middle_of_a_room_undistorted() -> None:
    moved = Box(0, 0, 10, 20).moved(Box(0, 0, 10, 20).inside(Box(0, 0, 100, 100)))
    assert moved == Box(25, 0, 75, 100)


# Drawing --------------------------------------------------------------------------------------------------------


def colour_at(pixels: np.ndarray, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(each) for each in pixels[y, x])


def test_shapes_groups_and_clips_are_drawn() -> None:
    inner = Group(
        (Shape(rectangle(0, 0, 100, 100), "#ff0000"),), Matrix.moved(10, 10), 0.5, Clip((rectangle(0, 0, 40, 40),))
    )
    pixels = raster(Group((inner, Shape(rectangle(60, 60, 20, 20), "#0000ff", fill_opacity=0.25))), SHEET, 100, 100)
    assert colour_at(pixels, 5, 5)[3] == 0
    assert colour_at(pixels, 30, 30) == (255, 0, 0, 128)
    assert colour_at(pixels, 55, 30)[3] == 0
    assert colour_at(pixels, 70, 70) == (0, 0, 255, 64)


def test_lines_are_drawn_with_their_dashes() -> None:
    line = Shape(polygon([(0, 50), (100, 50)], closed=False), None, stroke=Stroke("#000000", 10, dashes=(10, 10)))
    pixels = raster(line, SHEET, 100, 100)
    assert [colour_at(pixels, x, 50)[3] for x in (5, 15, 25)] == [255, 0, 255]
    later = Stroke("#000000", 10, dashes=(10, 10), dashes_from=10)
    pixels = raster(Shape(line.outline, None, stroke=later), SHEET, 100, 100)
    assert [colour_at(pixels, x, 50)[3] for x in (5, 15, 25)] == [0, 255, 0]


def test_gradients_go_from_their_first_colour_to_their_last() -> None:
    fill = Gradient("linear", (0, 0, 100, 0), (Stop(0, "#000000"), Stop(1, "#ffffff")))
    row = raster(Shape(rectangle(0, 0, 100, 100), fill), SHEET, 100, 100)[50, :, 0].astype(int)
    assert row[0] < 5
    assert row[-1] > 250
    assert (np.diff(row) >= 0).all()


def test_pictures_fill_their_room() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), "#00ff00").save(buffer, "PNG")
    picture = Picture(buffer.getvalue(), "image/png", Box(0, 0, 4, 4), matrix=Matrix.scaled(10))
    pixels = raster(picture, SHEET, 100, 100)
    assert colour_at(pixels, 20, 20) == (0, 255, 0, 255)
    assert colour_at(pixels, 60, 20)[3] == 0
    assert picture.box == Box(0, 0, 40, 40)


def test_pixels_are_written_as_files() -> None:
    pixels = raster(Shape(rectangle(0, 0, 50, 50), "#c00000"), SHEET, 20, 20)
    for kind in ("PNG", "WEBP"):
        read = Image.open(io.BytesIO(encoded(pixels, kind)))
        assert (read.format, read.size) == (kind, (20, 20))


# Scenes ---------------------------------------------------------------------------------------------------------


def words() -> Words:
    return Words(
        rectangle(10, 10, 50, 9), "#111111", runs=(Run("Two", "Inter"), Run(" קרם", "Heebo")), size=12, name="Two"
    )


def test_words_are_drawn_and_walked_as_the_shape_of_their_letters() -> None:
    group = Group((words(),), Matrix.moved(5, 0), 0.5)
    ((shape, matrix, opacity),) = Scene(group, SHEET).shapes()
    assert shape.box == Box(10, 10, 60, 19)
    assert (matrix, opacity) == (Matrix.moved(5, 0), 0.5)
    assert words().text == "Two קרם"


def test_colours_are_changed_throughout_and_nothing_else_is() -> None:
    fill = Gradient("radial", (5, 5, 5, 5, 5), (Stop(0, "#111111"), Stop(1, "#222222", 0.5)))
    ring = Shape(rectangle(0, 0, 9, 9), fill, stroke=Stroke("#333333", 2))
    changed = painted(Group((words(), ring)), lambda colour: "#0000" + colour[5:])
    assert isinstance(changed, Group)
    line, shape = changed.items
    assert isinstance(line, Words)
    assert isinstance(shape, Shape)
    assert (line.fill, line.text) == ("#000011", "Two קרם")
    assert isinstance(shape.fill, Gradient)
    assert [stop.colour for stop in shape.fill.stops] == ["#000011", "#000022"]
    assert shape.stroke is not None
    assert shape.stroke.paint == "#000033"


def test_a_group_is_as_large_as_what_its_clip_lets_be_seen() -> None:
    wide = Shape(rectangle(0, 0, 100, 10))
    assert Group((wide,), clip=Clip((rectangle(20, 0, 30, 30),))).box == Box(20, 0, 50, 10)
    assert Group(()).box == Box(0, 0, 0, 0)
    assert Shape(rectangle(0, 0, 10, 10), stroke=Stroke("#000000", 4)).box == Box(-2, -2, 12, 12)


# Fingerprints ---------------------------------------------------------------------------------------------------


def busy(seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    shapes = [
        Shape(ellipse(*draw.uniform(0, 100, 2), *draw.uniform(5, 40, 2)), f"#{draw.integers(1 << 24):06x}")
        for _ in range(12)
    ]
    return raster(Group(tuple(shapes)), SHEET, 512, 512, "#ffffff")


def test_near_copies_have_near_fingerprints_and_share_a_band() -> None:
    one = fingerprint(busy(1))
    smaller = np.asarray(Image.fromarray(busy(1)).resize((300, 300)).convert("RGB"))
    copy, stranger = fingerprint(smaller), fingerprint(busy(2))
    assert similarity(one, one) == 1
    assert similarity(one, copy) >= NEAR_AT
    assert set(one.bands) & set(copy.bands)
    assert similarity(one, stranger) < NEAR_AT


def test_a_map_that_changes_nothing_gives_the_same_outline() -> None:
    outline = rectangle(0, 0, 1, 1)
    assert outline.moved(IDENTITY) is outline
