"""SVG files look as another renderer draws them; PDFs and pictures become scenes; refusals tell what to do."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from atelier.workshop.contract import Inspection, Unreadable, Upload
from atelier.workshop.engines.design.drawing import raster
from atelier.workshop.engines.design.reading import inspect
from atelier.workshop.engines.design.reading.inspection import read
from atelier.workshop.engines.design.reading.svg import Read, read_svg
from atelier.workshop.engines.design.scene import Group, Picture, Shape
from atelier.workshop.engines.design.writing import svg_of

SIDE = 200
DIFFERENCE = 2.0
"""Of 256 levels, on the mean: two renderers smooth edges differently."""


def svg(inner: str, view: str = "0 0 100 100", more: str = "") -> bytes:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {names} viewBox="{view}" width="{SIDE}" height="{SIDE}" {more}>{inner}</svg>'.encode()


DRAWINGS = {
    "transforms": (
        '<g transform="translate(50 50) rotate(30) scale(1.5 .8) skewX(20)"><rect x="-20" y="-20" width="40" '
        'height="40" fill="#c00" transform="matrix(1 .2 0 1 3 4)"/></g>'
        '<circle r="9" cx="80" cy="20" transform="rotate(45, 80 20) skewY(10)"/>'
    ),
    "use": (
        '<defs><g id="a"><rect width="10" height="10"/><circle cx="15" cy="5" r="4" fill="inherit"/></g></defs>'
        '<use xlink:href="#a" x="10" y="10" fill="#06c"/><use href="#a" transform="translate(40 50) scale(2)"/>'
    ),
    "symbol": (
        '<symbol id="s" viewBox="0 0 20 10"><rect width="30" height="30" fill="#093"/><circle r="5" fill="#ff0"/>'
        '</symbol><use href="#s" x="10" y="10" width="60" height="60"/>'
    ),
    "clip": (
        '<clipPath id="c"><circle cx="40" cy="40" r="25"/><rect x="50" y="50" width="30" height="30"/></clipPath>'
        '<g clip-path="url(#c)" transform="translate(5 5)"><rect width="100" height="100" fill="#909"/></g>'
    ),
    "clip by its rule": (
        '<clipPath id="c"><path clip-rule="evenodd" d="M10 10H90V90H10ZM30 30H70V70H30Z"/></clipPath>'
        '<rect width="100" height="100" fill="#909" clip-path="url(#c)"/>'
    ),
    "linear gradient": (
        '<linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop offset=".1" stop-color="#f00"/>'
        '<stop offset="60%" stop-color="#ff0" stop-opacity=".5"/><stop offset="1" stop-color="#00f"/></linearGradient>'
        '<rect x="10" y="20" width="80" height="60" fill="url(#g)"/>'
    ),
    "gradient that takes after another": (
        '<linearGradient id="a"><stop stop-color="#0a0"/><stop offset="1" stop-color="#fff"/></linearGradient>'
        '<radialGradient id="b" href="#a" gradientUnits="userSpaceOnUse" cx="50" cy="50" r="30" fx="40" fy="40" '
        'spreadMethod="reflect" gradientTransform="rotate(20 50 50)"/><rect width="100" height="100" fill="url(#b)"/>'
    ),
    "classes": (
        "<style>.a{fill:#c60} #one{stroke:#000;stroke-width:3px} g > .b, circle.b{fill:teal!important} "
        '@media print{.a{fill:red}}</style><rect class="a" id="one" x="9" y="9" width="30" height="30"/>'
        '<g><circle class="a b" cx="70" cy="70" r="20"/></g>'
        '<rect class="a" style="fill:#111" x="60" width="20" height="20"/>'
    ),
    "nested views": (
        '<svg x="10" y="10" width="50" height="30" viewBox="0 0 10 10" preserveAspectRatio="xMaxYMid slice">'
        '<circle cx="5" cy="5" r="5" fill="#c00"/></svg><svg x="50" y="50" width="40" height="40" viewBox="0 0 5 9" '
        'preserveAspectRatio="none"><rect width="10" height="4" fill="#036"/></svg>'
    ),
    "strokes": (
        '<path d="M10 10L50 50L10 90" fill="none" stroke="#036" stroke-width="8" stroke-linejoin="round" '
        'stroke-linecap="round"/><path d="M60 10L90 50L60 90" fill="none" stroke="#c00" stroke-width="6" '
        'stroke-linejoin="bevel" stroke-linecap="square"/>'
    ),
    "dashes": (
        '<path d="M5 20H95" stroke="#000" stroke-width="6" stroke-dasharray="12 5 3" stroke-dashoffset="7"/>'
        '<circle cx="50" cy="60" r="25" fill="none" stroke="#c0c" stroke-width="4" stroke-dasharray="10,4"/>'
    ),
    "even-odd": (
        '<path d="M50 5L79 91L4 38H96L21 91Z" fill="#c00" fill-rule="evenodd"/>'
        '<path transform="translate(60 60) scale(.4)" d="M50 5L79 91L4 38H96L21 91Z"/>'
    ),
    "arcs and curves": (
        '<path d="M10 50a20 20 0 0 1 40 0a20 30 20 1 0 40 0z" fill="#690"/>'
        '<path d="M10 80q20-40 40 0t40 0" fill="none" stroke="#000"/>'
        '<path d="M5 5c0 20 20 20 20 0s20-20 20 0" fill="#888"/>'
    ),
    "opacity": (
        '<g opacity=".5"><rect width="60" height="60" fill="red"/><rect x="30" y="30" width="60" height="60"/></g>'
        '<circle cx="70" cy="30" r="20" fill="rgba(0,0,255,.4)" stroke="#000" stroke-opacity=".3" stroke-width="9"/>'
        '<rect x="5" y="65" width="20" height="30" fill="hsl(120 50% 40%)" fill-opacity=".7" opacity=".5"/>'
    ),
    "shapes": (
        '<rect x="5" y="5" width="40" height="30" rx="10"/><ellipse cx="70" cy="20" rx="20" ry="10" fill="#06c"/>'
        '<polygon points="10,90 30,50 50,90" fill="#c60"/>'
        '<polyline points="60 60 90 60 60 90" fill="none" stroke="red"/>'
        '<line x1="55" y1="95" x2="95" y2="55" stroke="#000" stroke-width="2"/>'
    ),
    "units and per cent": (
        '<rect x="10%" y="1mm" width="50%" height="5mm"/>'
        '<circle cx="50%" cy="60%" r="20%" fill="currentColor" color="#c0c"/>'
    ),
    "what is not shown": (
        '<rect width="50" height="50" display="none"/><g visibility="hidden"><rect x="50" width="50" height="50" '
        'fill="red"/><rect y="50" width="50" height="50" visibility="visible"/></g>'
    ),
}  # fmt: skip


def pixels(found: Read, ground: str = "#ffffff") -> NDArray[Any]:
    return raster(found.scene.root, found.scene.canvas, SIDE, SIDE, ground)[..., :3].astype(float)


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_looks_as_another_renderer_draws_it(name: str) -> None:
    import resvg_py

    data = svg(DRAWINGS[name])
    drawn = bytes(resvg_py.svg_to_bytes(svg_string=data.decode(), background="#ffffff", dpi=96))
    wanted = np.asarray(Image.open(io.BytesIO(drawn)).convert("RGB")).astype(float)
    ours = pixels(read_svg(data, name))
    assert np.ptp(wanted) > 100, "there is something to see"
    assert np.abs(ours - wanted).mean() < DIFFERENCE


@pytest.mark.parametrize("name", DRAWINGS)
def test_it_looks_the_same_when_it_was_written_anew(name: str) -> None:
    found = read_svg(svg(DRAWINGS[name]), name)
    again = read_svg(svg_of(found.scene.root, found.scene.canvas), name)
    assert np.abs(pixels(found) - pixels(again)).mean() < 0.1


# What a file says of itself -------------------------------------------------------------------------------------

DUBLIN = """
<metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:cc="http://web.resource.org/cc/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><cc:Work><dc:title>Red fox</dc:title><dc:description>A fox
 that runs</dc:description><dc:subject><rdf:Bag><rdf:li>Animal</rdf:li><rdf:li>fox</rdf:li><rdf:li/></rdf:Bag>
</dc:subject></cc:Work></rdf:RDF></metadata><circle r="30" cx="50" cy="50"/>"""


def test_title_and_tags_are_those_of_the_metadata() -> None:
    found = read_svg(svg(DUBLIN), "fox.svg")
    assert (found.title, found.description, found.tags) == ("Red fox", "A fox that runs", ("animal", "fox"))


def test_a_drawings_own_title_comes_before_its_metadata() -> None:
    found = read_svg(svg("<title>Fox\x7f</title><desc>Mine</desc>" + DUBLIN), "fox.svg")
    assert (found.title, found.description) == ("Fox", "Mine")


def test_words_are_told_and_not_drawn() -> None:
    words = '<text font-family="\'Baloo 2\', sans-serif" font-size="8">Two <tspan fill="#c00">scoops</tspan></text>'
    found = read_svg(svg(words + '<rect width="9" height="9"/>'), "words.svg")
    assert [(run.words, run.family, run.size, run.colour) for run in found.texts] == [
        ("Two scoops", "Baloo 2", 8, "#cc0000")
    ]
    assert len(list(found.scene.shapes())) == 1


def test_what_is_not_understood_is_named() -> None:
    found = read_svg(svg('<filter id="f"/><mask id="m"/><rect width="9" height="9" filter="url(#f)"/>'), "shadow.svg")
    assert set(found.left_out) == {"filters (blur, shadow)", "masks"}


# Documents ------------------------------------------------------------------------------------------------------


def document(pages: int = 1) -> bytes:
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(200, 200))
    canvas.setTitle("Two forms")
    canvas.setSubject("What they are")
    canvas.setKeywords("forms, Red")
    for _ in range(pages):
        canvas.setFillColorRGB(0.8, 0, 0)
        canvas.rect(20, 120, 60, 60, stroke=0, fill=1)
        canvas.setStrokeColorRGB(0, 0, 0.8)
        canvas.setLineWidth(4)
        canvas.setDash(8, 4)
        canvas.line(20, 20, 180, 20)
        canvas.saveState()
        clip = canvas.beginPath()
        clip.circle(150, 150, 20)
        canvas.clipPath(clip, stroke=0)
        canvas.rect(100, 100, 100, 100, stroke=0, fill=1)
        canvas.restoreState()
        picture = Image.effect_noise((50, 50), 90).convert("RGB")
        canvas.drawImage(ImageReader(picture), 20, 40, 50, 50)
        canvas.setFont("Helvetica-Bold", 18)
        canvas.drawString(90, 60, "Open all day")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_a_document_becomes_forms_pictures_and_words() -> None:
    (found,) = read(document(), "forms.pdf")
    assert (found.title, found.description, found.tags) == ("Two forms", "What they are", ("forms", "red"))
    assert [(run.words, run.family, run.size) for run in found.texts] == [("Open all day", "Helvetica-Bold", 18)]
    seen = pixels(found)
    assert tuple(seen[50, 50]) == (204, 0, 0)
    assert tuple(seen[50, 150]) == (204, 0, 0), "within the clip"
    assert tuple(seen[28, 128]) == (255, 255, 255), "outside the clip"
    assert np.ptp(seen[112:158, 22:68]) > 100, "the picture"


def test_a_document_looks_as_pdfium_draws_it() -> None:
    import pypdfium2 as pdfium

    data = document()
    (found,) = read(data, "forms.pdf")
    wanted = np.asarray(pdfium.PdfDocument(data)[0].render(scale=1).to_pil().convert("RGB")).astype(float)
    difference = np.abs(pixels(found) - wanted)
    difference[120:150, 85:] = 0  # the words
    assert difference.mean() < DIFFERENCE


def test_each_page_is_a_work(tmp_path: Path) -> None:
    found = inspected(tmp_path, "forms.pdf", document(3))
    assert [piece.title for piece in found.pieces] == [f"Two forms, page {n}" for n in (1, 2, 3)]


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_page_that_is_turned_is_read_as_it_is_seen(turned: int) -> None:
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    from atelier.workshop.engines.design.reading.pdf import read_pdf

    source = pdfium.PdfDocument(document())
    source[0].set_rotation(turned)
    source[0].set_cropbox(10, 0, 200, 190)
    buffer = io.BytesIO()
    source.save(buffer, flags=raw.FPDF_NO_INCREMENTAL)
    (found,) = read_pdf(buffer.getvalue(), "turned.pdf")
    box = found.scene.canvas
    ours = raster(found.scene.root, box, round(box.width), round(box.height), "#ffffff")[..., :3].astype(float)
    wanted = np.asarray(pdfium.PdfDocument(buffer.getvalue())[0].render(scale=1).to_pil().convert("RGB")).astype(float)
    assert np.abs(ours - wanted).mean() < 6  # the words are not drawn


def test_a_locked_document_is_refused_with_the_remedy() -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(document())))
    writer.encrypt("secret")
    buffer = io.BytesIO()
    writer.write(buffer)
    with pytest.raises(Unreadable, match="locked by a password") as refused:
        read(buffer.getvalue(), "locked.pdf")
    assert (refused.value.where, refused.value.remedy) == ("locked.pdf", "Save a copy without a password.")


# Pictures -------------------------------------------------------------------------------------------------------


def saved(image: Image.Image, kind: str, **more: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def flat_picture() -> Image.Image:
    image = Image.new("RGB", (600, 400), "#ffe0b0")
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 80, 300, 280), fill="#c03020")
    draw.polygon([(350, 350), (450, 100), (550, 350)], fill="#205080")
    return image


def painted_picture() -> Image.Image:
    y, x = np.mgrid[0:400, 0:600]
    noise = np.random.default_rng(1).normal(0, 14, (400, 600))
    waves = 90 * np.sin(x / 57) * np.cos(y / 41) + noise
    layers = [128 + waves, 100 + 0.2 * y + noise, 60 + 0.3 * x - 0.5 * waves]
    return Image.fromarray(np.clip(np.stack(layers, 2), 0, 255).astype(np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_flat_picture_becomes_forms(kind: str) -> None:
    picture = flat_picture()
    (found,) = read(saved(picture, kind), "flat")
    shapes = [shape for shape, *_ in found.scene.shapes()]
    assert 3 <= len(shapes) < 40
    assert not any(isinstance(item, Picture) for item in found.scene.root.items)
    box = found.scene.canvas
    ours = raster(found.scene.root, box, 600, 400, "#ffffff")[..., :3].astype(float)
    assert np.abs(ours - np.asarray(picture).astype(float)).mean() < 3


@pytest.mark.parametrize("grey", [False, True])
def test_a_photograph_stays_a_picture(grey: bool) -> None:
    picture = painted_picture()
    (found,) = read(saved(picture.convert("L") if grey else picture, "JPEG", quality=90), "photo.jpg")
    (item,) = found.scene.root.items
    assert isinstance(item, Picture)
    assert item.media_type == "image/jpeg"


def test_of_a_picture_nothing_is_kept_but_its_pixels() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "taken at home"
    (found,) = read(saved(painted_picture(), "JPEG", exif=exif), "photo.jpg")
    (item,) = found.scene.root.items
    assert isinstance(item, Picture)
    assert (item.room.width, item.room.height) == (400, 600)
    assert b"taken at home" not in item.data


# Inspection -----------------------------------------------------------------------------------------------------


def inspected(tmp_path: Path, name: str, data: bytes) -> Inspection:
    path = tmp_path / "upload"
    path.write_bytes(data)
    upload = Upload(path=str(path), filename=name, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))
    return inspect(upload, tmp_path / "works", bytes_max=1_000_000)


def test_an_inspection_writes_the_work_and_shows_what_was_understood(tmp_path: Path) -> None:
    found = inspected(tmp_path, "fox_one.svg", svg(DUBLIN))
    (piece,) = found.pieces
    assert (piece.title, piece.tags, piece.media_type) == ("Red fox", ("animal", "fox"), "image/svg+xml")
    assert piece.excerpt == "1 form, 1 motif; about square."
    written = (tmp_path / "works" / piece.file).read_bytes()
    assert hashlib.sha256(written).hexdigest() == piece.sha256
    assert piece.preview is not None
    preview = (tmp_path / "works" / piece.preview.path).read_bytes()
    assert (hashlib.sha256(preview).hexdigest(), len(preview)) == (piece.preview.sha256, piece.preview.bytes)
    assert piece.preview.media_type == "image/webp"
    shown = Image.open(io.BytesIO(preview))
    assert shown.format == "WEBP"
    assert shown.size == (512, 512)
    assert shown.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    assert np.asarray(shown.convert("L"))[256, 256] < 10


def test_a_file_without_a_title_goes_by_its_name(tmp_path: Path) -> None:
    (piece,) = inspected(tmp_path, "../etc/night-train_2.svg", svg('<circle r="30"/>')).pieces
    assert piece.title == "Night train 2"


def test_the_same_file_gives_the_same_work(tmp_path: Path) -> None:
    one, other = (inspected(tmp_path / each, "a.png", saved(flat_picture(), "PNG")) for each in made(tmp_path))
    assert one == other


def made(tmp_path: Path) -> tuple[str, str]:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    return "one", "other"


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("big.svg", b"<svg>" + b" " * 1_000_000, "up to 1 MB"),
        ("void.svg", b"", "empty"),
        ("word.docx", b"PK\x03\x04" + bytes(99), "no kind that is known"),
        ("dot.svg", svg('<circle r=".5" cx="50" cy="50"/><rect width=".01" height=".01"/>'), "Nearly nothing"),
    ],
)
def test_a_refusal_names_the_file_and_the_remedy(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(Unreadable, match=message) as refused:
        inspected(tmp_path, name, data)
    assert refused.value.where == name
    assert refused.value.remedy.endswith(".")


def test_layers_keep_their_names() -> None:
    layer = '<g inkscape:label="Tail" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape">'
    found = read_svg(svg(f'{layer}<rect id="tip" width="9" height="9"/></g>'), "fox.svg")
    (group,) = found.scene.root.items
    assert isinstance(group, Group)
    (shape,) = group.items
    assert isinstance(shape, Shape)
    assert (group.name, shape.name) == ("Tail", "tip")
