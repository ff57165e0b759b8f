"""Each format shows the same piece: to edit, for print with bleed and marks at true size, as pixels, all in one."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree
from PIL import Image

from atelier.workshop.contract import Unreadable, WorkshopError
from atelier.workshop.engines.design.drawing import raster
from atelier.workshop.engines.design.formats import FORMATS
from atelier.workshop.engines.design.masters import written
from atelier.workshop.engines.design.outline import Box, Matrix, ellipse, polygon, rectangle
from atelier.workshop.engines.design.printing import BLEED_MM, EDGE_MM, POINTS_A_MM, bled, crop_marks, stretched
from atelier.workshop.engines.design.scene import Clip, Group, Picture, Run, Shape, Words
from atelier.workshop.engines.design.type.choosing import fallbacks
from atelier.workshop.engines.design.writing import svg_of

CARD, PAPER = Box(0, 0, 1020, 660), (85.0, 55.0)
GROUND = "#e04020"


def words() -> Words:
    face, x = fallbacks()[0], 120.0
    verbs, points = "", []
    for glyph in face.shaped("Fred’s Quay"):
        outline = face.outline(glyph.index).moved(Matrix(80, 0, 0, 80, x, 300))
        verbs += outline.verbs
        points.append(outline.points)
        x += glyph.advance * 80
    from atelier.workshop.engines.design.outline import Outline

    run = Run("Fred’s Quay", face.family, face.weight)
    return Words(Outline(verbs, np.concatenate(points)), "#ffffff", name="Headline", runs=(run,), size=80, x=120, y=300)


def picture() -> Picture:
    noise = np.random.default_rng(1).integers(0, 255, (6, 6, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((60, 60)).save(buffer, "JPEG", quality=80)
    return Picture(buffer.getvalue(), "image/jpeg", Box(0, 0, 60, 60), matrix=Matrix(4, 0, 0, 4, 700, 300))


def card() -> Group:
    disc = Shape(ellipse(1020, 660, 200, 200), "#203060", name="Disc")
    ground = Shape(rectangle(0, 0, 1020, 660), GROUND, name="Ground")
    return Group((ground, Group((disc, picture()), name="Art"), Group((words(),), name="Words")))


@pytest.fixture
def master(tmp_path: Path) -> Path:
    path = tmp_path / "sample-1.svg"
    path.write_bytes(svg_of(card(), CARD, "85mm", "55mm", title="Business card"))
    return path


@pytest.fixture
def screen(tmp_path: Path) -> Path:
    path = tmp_path / "post.svg"
    path.write_bytes(svg_of(card(), CARD, title="Post"))
    return path


def made(master: Path, name: str) -> bytes:
    found = written(master, name, master.parent)
    data = (master.parent / found.path).read_bytes()
    form = next(each for each in FORMATS if each.name == name)
    assert (found.bytes, found.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert found.media_type == form.media_type
    assert found.path.endswith(form.suffix)
    return data


def page(data: bytes, dots: int = 96) -> np.ndarray:
    import pypdfium2 as pdfium

    return np.asarray(pdfium.PdfDocument(data)[0].render(scale=dots / 72).to_pil().convert("RGB")).astype(int)


@pytest.mark.parametrize("name", [form.name for form in FORMATS])
def test_the_same_master_gives_the_same_file(master: Path, name: str) -> None:
    assert made(master, name) == made(master, name)


# SVG ------------------------------------------------------------------------------------------------------------


def test_svg_has_words_fonts_and_layers_and_nothing_for_this_engine_alone(master: Path) -> None:
    data = made(master, "svg")
    root = etree.fromstring(data)
    assert (root.get("width"), root.get("height")) == ("85mm", "55mm")
    assert [each.text for each in root.iter("{*}text")] == ["Fred’s Quay"]
    assert b"@font-face{font-family:'Noto Sans'" in data
    assert b"atelier" not in data
    assert {"art", "words", "disc", "ground"} <= set(root.xpath("//@id"))


def test_svg_with_outlines_has_no_words_and_looks_the_same(master: Path) -> None:
    data = made(master, "svg.outlined")
    assert b"<text" not in data
    assert b"@font-face" not in data
    from atelier.workshop.engines.design.reading.svg import read_svg

    shown = raster(read_svg(data, "outlined").scene.root, CARD, 510, 330)[..., :3].astype(int)
    assert np.abs(shown - raster(card(), CARD, 510, 330)[..., :3]).mean() < 1


def test_a_picture_is_delivered_as_it_came(master: Path) -> None:
    import base64

    assert base64.b64encode(picture().data) in made(master, "svg")


# Pixels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "size"),
    [
        ("png", "PNG", (1020, 660)),
        ("png2", "PNG", (2040, 1320)),
        ("png4", "PNG", (4080, 2640)),
        ("webp", "WEBP", (2040, 1320)),
    ],
)
def test_pictures_have_their_sizes(screen: Path, name: str, kind: str, size: tuple[int, int]) -> None:
    image = Image.open(io.BytesIO(made(screen, name)))
    assert (image.format, image.size) == (kind, size)


def test_a_printed_piece_is_as_large_on_screen_as_on_paper(master: Path) -> None:
    image = Image.open(io.BytesIO(made(master, "png2")))
    assert image.size == (642, 416)  # 85 by 55 mm at 192 dots an inch
    assert round(image.info["dpi"][0]) == 192


def test_pixels_are_those_of_the_scene_that_was_made(screen: Path) -> None:
    shown = np.asarray(Image.open(io.BytesIO(made(screen, "png"))).convert("RGB")).astype(int)
    assert np.abs(shown - raster(card(), CARD, 1020, 660)[..., :3]).max() <= 1


def test_pictures_stay_within_bounds(tmp_path: Path) -> None:
    path = tmp_path / "poster.svg"
    path.write_bytes(svg_of(card(), Box(0, 0, 3000, 1000)))
    assert Image.open(io.BytesIO(made(path, "png4"))).size == (6000, 2000)


# Print ----------------------------------------------------------------------------------------------------------


def test_a_page_has_its_true_size_and_tells_its_boxes(master: Path) -> None:
    from pypdf import PdfReader

    (found,) = PdfReader(io.BytesIO(made(master, "pdf"))).pages
    wide, high = ((each + 2 * EDGE_MM) * POINTS_A_MM for each in PAPER)
    assert (float(found.mediabox.width), float(found.mediabox.height)) == pytest.approx((wide, high), abs=0.01)
    edge, bleed = EDGE_MM * POINTS_A_MM, (EDGE_MM - BLEED_MM) * POINTS_A_MM
    assert [float(each) for each in found.trimbox] == pytest.approx([edge, edge, wide - edge, high - edge], abs=0.01)
    assert [float(each) for each in found.bleedbox] == pytest.approx(
        [bleed, bleed, wide - bleed, high - bleed], abs=0.01
    )


def test_the_ground_runs_into_the_bleed_and_marks_lie_outside_it(master: Path) -> None:
    dots = 254  # ten pixels a millimetre
    seen = page(made(master, "pdf"), dots)
    ground = np.array([0xE0, 0x40, 0x20])
    assert abs(seen.shape[0] - 770) <= 1
    assert abs(seen.shape[1] - 1070) <= 1
    inside = seen[82:688, 82:988]
    edge = np.concatenate([inside[0, :-300], inside[:-300, 0], inside[-1, :-300], inside[:-300, -1]])
    assert (np.abs(edge - ground) < 4).all(), "up to three millimetres beyond the trim"
    outside = seen.copy()
    outside[78:692, 78:992] = 255
    marks = np.argwhere(outside.min(2) < 200)
    assert len(marks) > 200
    rows, columns = marks.T
    at_rows, at_columns = np.abs(rows[:, None] - (110, 660)).min(1), np.abs(columns[:, None] - (110, 960)).min(1)
    assert (np.minimum(at_rows, at_columns) <= 1).all(), "marks point at the corners of the trim"
    assert (seen[690:700, 300:700] == 255).all(), "white between the bleed and the edge"


def test_what_crosses_the_edge_is_seen_in_the_bleed(master: Path) -> None:
    seen = page(made(master, "pdf"), 254)
    assert np.abs(seen[670, 900] - np.array([0x20, 0x30, 0x60])).max() < 4


def test_a_page_shows_the_piece_within_its_trim(master: Path) -> None:
    dots = 1020 / 85 * 25.4
    seen = page(made(master, "pdf"), round(dots))
    edge = round(EDGE_MM * 12)
    trim = seen[edge : edge + 660, edge : edge + 1020]
    assert np.abs(trim - raster(card(), CARD, 1020, 660)[..., :3]).mean() < 3


def test_a_piece_for_the_screen_has_neither_bleed_nor_marks(screen: Path) -> None:
    from pypdf import PdfReader

    (found,) = PdfReader(io.BytesIO(made(screen, "pdf"))).pages
    assert (float(found.mediabox.width), float(found.mediabox.height)) == pytest.approx((765, 495), abs=0.01)
    assert found.trimbox == found.mediabox


def test_a_page_names_nothing_but_its_title(master: Path) -> None:
    from pypdf import PdfReader

    found = PdfReader(io.BytesIO(made(master, "pdf"))).metadata
    assert found is not None
    assert dict(found) == {"/Title": "Business card", "/Producer": "Atelier"}


SHEET = Box(0, 0, 100, 100)


def test_only_sides_along_an_edge_are_moved_out() -> None:
    assert stretched(rectangle(0, 0, 100, 40), SHEET, 3).box == Box(-3, -3, 103, 40)
    assert stretched(rectangle(10, 10, 50, 50), SHEET, 3).box == Box(10, 10, 60, 60)
    touching = polygon([(0, 50), (50, 20), (50, 80)], closed=True)
    assert stretched(touching, SHEET, 3).box == touching.box, "a corner that only touches"
    disc = ellipse(50, 50, 50, 50)
    assert stretched(disc, SHEET, 3).box == disc.box
    arch = rectangle(0, 0, 100, 100, 30, 30)
    assert stretched(arch, SHEET, 3).box.holds(Box(-3, -3, 103, 103))


def test_clipped_art_is_cut_farther_out_and_a_picture_that_ends_at_the_edge_is_enlarged() -> None:
    disc = Group((Shape(ellipse(0, 50, 30, 30)),), clip=Clip((rectangle(0, 0, 50, 100),)))
    sheet = Picture(b"", "image/png", Box(0, 0, 10, 10), matrix=Matrix.scaled(10))
    inner = Picture(b"", "image/png", Box(20, 20, 60, 60))
    clipped, filled, kept = bled(Group((disc, sheet, inner)), SHEET, 3).items
    assert clipped.box.left == -3
    assert filled.box.holds(Box(-3, -3, 103, 103))
    assert kept is inner


def test_there_are_two_marks_at_each_corner() -> None:
    marks = crop_marks(PAPER)
    assert len(marks.items) == 8
    bleed = Box(EDGE_MM, EDGE_MM, EDGE_MM + PAPER[0], EDGE_MM + PAPER[1]).grown(BLEED_MM)
    assert all((item.box & bleed) is None for item in marks.items)


# All in one -----------------------------------------------------------------------------------------------------


def files_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def test_a_zip_holds_the_usual_formats(master: Path) -> None:
    files = files_of(made(master, "zip"))
    assert list(files) == ["all.svg", "all.pdf", "all.png"]
    assert files["all.pdf"] == made(master, "pdf")


def test_a_zip_of_icons_holds_each_icon_by_itself(tmp_path: Path) -> None:
    layers: list[Any] = [Shape(rectangle(0, 0, 300, 100), "#ffffff", name="Ground")]
    for number in range(3):
        tile = Shape(rectangle(10 + 100 * number, 10, 80, 80), "#203060")
        layers.append(Group((tile, Shape(ellipse(50 + 100 * number, 50, 20, 30), GROUND)), name=f"Icon {number + 1}"))
    path = tmp_path / "icons.svg"
    path.write_bytes(svg_of(Group(tuple(layers)), Box(0, 0, 300, 100)))
    files = files_of(made(path, "zip"))
    assert {f"{kind}/icon-{n}.{kind}" for kind in ("svg", "png") for n in (1, 2, 3)} <= set(files)
    image = Image.open(io.BytesIO(files["png/icon-2.png"]))
    assert image.size == (512, 512)
    assert image.getpixel((256, 256)) == (0xE0, 0x40, 0x20, 255)
    assert image.getpixel((1, 1))[3] == 0, "no ground behind it"
    assert etree.fromstring(files["svg/icon-3.svg"]).get("viewBox") == "208.4 8.4 83.2 83.2"


# Errors ---------------------------------------------------------------------------------------------------------


def test_an_unknown_format_is_refused_with_the_choice(master: Path) -> None:
    with pytest.raises(WorkshopError, match="no format “docx”") as refused:
        written(master, "docx", master.parent)
    assert "svg.outlined" in refused.value.remedy


def test_a_master_that_is_lost_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as lost:
        written(tmp_path / "gone.svg", "pdf", tmp_path)
    assert lost.value.where == "gone.svg"
    (tmp_path / "cut.svg").write_bytes(b"<svg")
    with pytest.raises(Unreadable, match=r"cut\.svg"):
        written(tmp_path / "cut.svg", "pdf", tmp_path)
