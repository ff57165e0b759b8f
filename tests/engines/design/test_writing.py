"""What is written can be edited: layers by name, words as words, fonts that come along; and it shows what was drawn."""

from __future__ import annotations

import base64
import io
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree
from PIL import Image

from atelier.workshop.engines.design.drawing import raster
from atelier.workshop.engines.design.layout.painting import _letters
from atelier.workshop.engines.design.masters import lines
from atelier.workshop.engines.design.outline import Box, Matrix, ellipse, rectangle
from atelier.workshop.engines.design.reading.svg import read_svg
from atelier.workshop.engines.design.scene import Clip, Gradient, Group, Shape, Stop, Stroke, Words
from atelier.workshop.engines.design.type.choosing import catalogue, fallbacks
from atelier.workshop.engines.design.type.embedding import LICENCES, font_faces, subset
from atelier.workshop.engines.design.type.faces import Fontfile
from atelier.workshop.engines.design.type.setting import Block, Hand, broken, placed
from atelier.workshop.engines.design.writing import SVG, svg_of

SHEET = Box(0, 0, 800, 600)
SAID = {
    "latin": ("Inter", "Two scoops for AVATAR", 0.0, "left"),
    "spaced": ("Montserrat", "Office hours", 0.05, "middle"),
    "hebrew": ("Fredoka", "שלום עולם, 20% הנחה (ABC)!", 0.0, "left"),
    "arabic": ("Lora", "مرحبا بالعالم 123", 0.03, "middle"),
    "mixed": ("Playfair Display", "Mixed שלום and مرحبا", 0.0, "right"),
    "russian": ("Lora", "Привет, кофе", 0.0, "middle"),
}


def typed(align: str = "") -> Group:
    """A line of each kind."""
    known = {each.family: each for each in catalogue()}
    found: list[Any] = []
    for number, (family, text, tracking, side) in enumerate(SAID.values()):
        if family not in known:
            pytest.skip(f"the font {family} is not installed")
        hand = Hand((known[family].at(700), *fallbacks()), tracking)
        block = Block(hand, broken(hand, text, 1), 50, 1.2)
        top = 20.0 + 90 * number
        room = Box(40, top, 760, top + 80)
        found += [_letters(each, "#102040") for each in placed(block, room, align or side)]  # type: ignore[arg-type]
    return Group(tuple(found), name="Words")


def piece() -> Group:
    fill = Gradient("linear", (0, 0, 800, 0), (Stop(0, "#fff8e8"), Stop(1, "#ffe0e0", 0.5)))
    ground = Shape(rectangle(0, 0, 800, 600), fill, name="Ground")
    disc = Shape(ellipse(0, 0, 30, 30), None, stroke=Stroke("#cc0000", 3, dashes=(4, 2)))
    art = Group((disc,), Matrix.moved(700, 500), 0.5, Clip((rectangle(-20, -20, 60, 60),)), "Art")
    return Group((ground, art, typed()))


def pixels(scene: Group) -> np.ndarray:
    return raster(scene, SHEET, 800, 600, "#ffffff")[..., :3].astype(int)


def elements(data: bytes, name: str) -> list[Any]:
    return list(etree.fromstring(data).iter(f"{{{SVG}}}{name}"))


def test_layers_have_their_names() -> None:
    root = etree.fromstring(svg_of(piece(), SHEET, title="A piece"))
    layers = [each for each in root if each.get("{http://www.inkscape.org/namespaces/inkscape}groupmode") == "layer"]
    assert [each.get("id") for each in layers] == ["art", "words"]
    ids = root.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert root.findtext(f"{{{SVG}}}title") == "A piece"


def test_words_are_words() -> None:
    data = svg_of(piece(), SHEET, lettering="words")
    texts = elements(data, "text")
    assert ["".join(each.itertext()) for each in texts] == [said[1] for said in SAID.values()]
    latin, spaced, hebrew, *_ = texts
    assert latin.get("font-family") == "'Inter', sans-serif"
    assert (latin.get("font-weight"), latin.get("font-size"), latin.get("text-anchor")) == ("700", "50", None)
    assert (spaced.get("letter-spacing"), spaced.get("text-anchor")) == ("2.5", "middle")
    assert hebrew.get("direction") == "rtl"
    assert len(elements(data, "path")) == 3, "letters are not there a second time"


def test_words_become_outlines_by_choice() -> None:
    data = svg_of(piece(), SHEET, lettering="outlines")
    assert elements(data, "text") == []
    difference = np.abs(pixels(read_svg(data, "outlined").scene.root) - pixels(piece()))
    assert difference.mean() < 0.05, "two digits behind the point"


def test_a_master_is_read_back_to_the_pixel_without_its_fonts() -> None:
    scene = piece()
    back = read_svg(svg_of(scene, SHEET), "master", master=True).scene.root
    assert isinstance(back, Group)
    assert np.abs(pixels(back) - pixels(scene)).max() <= 1
    type_alone = Group(tuple(lines(scene)))
    assert np.array_equal(pixels(Group(tuple(lines(back)))), pixels(type_alone))
    assert [line.runs for line in lines(back)] == [line.runs for line in lines(scene)]
    for one, other in zip(lines(back), lines(scene), strict=True):
        assert (one.text, one.anchor, one.direction, one.fill) == (
            other.text,
            other.anchor,
            other.direction,
            other.fill,
        )
        assert (one.x, one.y, one.size) == pytest.approx((other.x, other.y, other.size), abs=1e-3)


def test_a_master_that_is_uploaded_as_a_work_is_read_as_any_other_file() -> None:
    found = read_svg(svg_of(piece(), SHEET), "work")
    assert not list(lines(found.scene.root))
    assert [run.words for run in found.texts] == [said[1] for said in SAID.values()]


def test_what_was_read_and_written_again_is_the_same_file() -> None:
    data = svg_of(piece(), SHEET)
    again = svg_of(read_svg(data, "master", master=True).scene.root, SHEET)
    assert again == data


# Fonts ----------------------------------------------------------------------------------------------------------


def embedded(rules: str) -> list[tuple[str, int, bytes]]:
    found = re.findall(r"font-family:'([^']+)';font-weight:(\d+);src:url\(data:font/woff2;base64,([^)]+)\)", rules)
    return [(family, int(weight), base64.b64decode(data)) for family, weight, data in found]


def test_fonts_come_along_in_part() -> None:
    from fontTools.ttLib import TTFont

    runs = [run for line in lines(typed()) for run in line.runs]
    fonts = embedded(font_faces(runs))
    assert {(family, weight) for family, weight, _ in fonts} == {(run.family, run.weight) for run in runs}
    for family, _, data in fonts:
        assert len(data) < 60_000
        font = TTFont(io.BytesIO(data))
        assert "fvar" not in font, "one weight only"
        assert set("".join(run.text for run in runs if run.family == family)) - {"\u200f"} <= set(
            map(chr, font.getBestCmap())
        )
        assert font["name"].getDebugName(13), "the licence stays with the font"
        assert "GPOS" in font, "and so does kerning"


def test_the_part_of_a_font_is_the_same_each_time_and_sets_as_the_whole() -> None:
    import uharfbuzz as hb

    family = next(each for each in catalogue() if each.family == "Inter")
    source = Fontfile(family.family, family.package, family.file, family.weights)
    data = subset(source, 700, "é")
    subset.cache_clear()
    assert subset(source, 700, "é") == data
    from fontTools.ttLib import TTFont

    plain, buffer = TTFont(io.BytesIO(data)), io.BytesIO()
    plain.flavor = None
    plain.save(buffer)
    font, text = hb.Font(hb.Face(buffer.getvalue())), hb.Buffer()
    text.add_str("AVATAR Té")
    text.guess_segment_properties()
    hb.shape(font, text, {"kern": True})
    own = sum(at.x_advance for at in text.glyph_positions) / font.face.upem
    whole = sum(glyph.advance for glyph in family.at(700).shaped("AVATAR Té"))
    assert own == pytest.approx(whole, abs=0.005)


def test_every_font_of_the_catalogue_may_be_embedded() -> None:
    assert {each.licence for each in catalogue()} <= LICENCES


@pytest.mark.browser
def test_a_browser_shows_words_where_they_were_drawn(chromium_path: str, tmp_path: Path) -> None:
    scene = piece()
    runs = [run for line in lines(scene) for run in line.runs]
    file, shot = tmp_path / "piece.svg", tmp_path / "shot.png"
    file.write_bytes(svg_of(scene, SHEET, lettering="words", fonts=font_faces(runs)))
    told = [f"--screenshot={shot}", f"--window-size={round(SHEET.width)},{round(SHEET.height)}", file.as_uri()]
    quiet = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={tmp_path / 'chromium'}",
    ]
    subprocess.run([chromium_path, *quiet, *told], check=True, capture_output=True, timeout=120)
    seen = np.asarray(Image.open(shot).convert("RGB")).astype(int)[: round(SHEET.height), : round(SHEET.width)]
    for number, name in enumerate(SAID):
        rows = slice(10 + 90 * number, 100 + 90 * number)
        assert np.abs(seen[rows] - pixels(scene)[rows]).mean() < 4, name
    moved = np.abs(np.roll(seen, 8, axis=1) - pixels(scene)).mean()
    assert moved > 2 * np.abs(seen - pixels(scene)).mean(), "a wrong place would be noticed"


def test_a_line_keeps_its_place_where_it_is_aligned() -> None:
    for align, anchors in (("left", {"start"}), ("middle", {"middle"}), ("right", {"end"})):
        assert {line.anchor for line in lines(typed(align))} == anchors


def test_a_scene_without_words_needs_no_names_but_its_own() -> None:
    assert b"atelier" not in svg_of(Shape(rectangle(0, 0, 9, 9)), SHEET, lettering="words")
    assert isinstance(typed().items[0], Words)
