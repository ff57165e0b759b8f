"""The certificate on paper: one quiet page, the same bytes for the same content."""

from __future__ import annotations

import io
import threading
import unicodedata
from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

MARGIN = 62.0
MEASURE = 330.0
SERIF, ITALIC, SANS, MONO = "Noto Serif", "Noto Serif Italic", "Noto Sans", "Courier"
FONTS = {
    SERIF: ("fontpkg_noto_serif", "NotoSerif[wdth,wght].ttf"),
    ITALIC: ("fontpkg_noto_serif", "NotoSerif-Italic[wdth,wght].ttf"),
    SANS: ("fontpkg_noto_sans", "NotoSans[wdth,wght].ttf"),
}
"""What is embedded, so that names are spelt in Latin, Greek and Cyrillic letters everywhere; hashes are plain ASCII."""
INK, SOFT, SEAL, LINE = "#23211e", "#6b665f", "#b3402a", "#d8d2c8"


def as_pdf(told: dict[str, Any]) -> bytes:
    """The content of certificate.json as an A4 page in PDF."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    _load_fonts()
    paper = io.BytesIO()
    # `invariant` leaves out the time of making and the random document id.
    canvas = Canvas(paper, pagesize=A4, invariant=1, pageCompression=1, lang="en")
    canvas.setTitle(_("Certificate %(number)s") % {"number": told["number"]})
    canvas.setAuthor("Atelier")
    width, height = A4
    y = _head(canvas, told, width, height)
    for label, value, face in _facts(told):
        y = _fact(canvas, label, value, face, y)
    if _lacks_letters(told):
        note = _("“?” stands for a letter that this page cannot show; certificate.json has it.")
        _write(canvas, note, SANS, 8, MARGIN, y, SOFT)
    _foot(canvas, told, width)
    canvas.showPage()
    canvas.save()
    return paper.getvalue()


def _head(canvas: Canvas, told: dict[str, Any], width: float, height: float) -> float:
    y = height - MARGIN - 6
    canvas.setFillColor(SEAL)
    canvas.circle(MARGIN + 4, y + 4, 4, stroke=0, fill=1)
    _write(canvas, "Atelier", SANS, 9, MARGIN + 16, y + 1, SOFT)
    _write(canvas, told["number"], MONO, 9, width - MARGIN, y + 1, SOFT, right=True)
    y -= 66
    _write(canvas, told["terms"]["title"], SERIF, 30, MARGIN, y, INK)
    y -= 26
    line = _("to a piece by %(creator)s, held by %(buyer)s") % {
        "creator": told["creator"]["name"],
        "buyer": told["buyer"]["name"],
    }
    for part in _wrapped(canvas, line, ITALIC, 14, width - 2 * MARGIN):
        _write(canvas, part, ITALIC, 14, MARGIN, y, SOFT)
        y -= 19
    y -= 8
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.6)
    canvas.line(MARGIN, y, width - MARGIN, y)
    return y - 28


def _facts(told: dict[str, Any]) -> list[tuple[str, str, str]]:
    made, piece, terms = told["made_with"], told["piece"], told["terms"]
    issued = datetime.fromisoformat(told["issued_at"])
    unit = f"{piece['extent']} {piece['extent_unit']}".strip()
    rows = [
        (_("Issued"), f"{issued:%Y-%m-%d %H:%M} UTC", SANS),
        (_("Creator"), f"{told['creator']['name']} (@{told['creator']['handle']})", SANS),
        (_("Held by"), told["buyer"]["name"], SANS),
        (_("Piece"), f"{unit}, {piece['media_type']}", SANS),
        (_("Hash of the piece"), piece["sha256"], MONO),
        (_("Made with"), _named(made["creation_model"], made["version"]), SANS),
        (_("Hash of the version"), made["adapter_sha256"], MONO),
        (_("Hash of the works learned from"), made["dataset_sha256"], MONO),
        (_("Terms"), _named(terms["title"], terms["number"]), SANS),
        (_("Hash of the terms"), terms["sha256"], MONO),
    ]
    return rows + [(file["filename"], file["sha256"], MONO) for file in told["files"][:8]]


def _named(name: str, number: int) -> str:
    return _("%(name)s, version %(number)s") % {"name": name, "number": number}


def _fact(canvas: Canvas, label: str, value: str, face: str, y: float) -> float:
    """One row: the label small and soft on the left, the value on as many lines as it needs."""
    size, below = (8.0 if face == MONO else 10.0), y
    for part in _wrapped(canvas, label, SANS, 8, 130):
        _write(canvas, part, SANS, 8, MARGIN, below, SOFT)
        below -= 10
    for part in _wrapped(canvas, value, face, size, MEASURE):
        _write(canvas, part, face, size, MARGIN + 140, y, INK)
        y -= size + 4
    return min(y, below) - 7


def _foot(canvas: Canvas, told: dict[str, Any], width: float) -> None:
    from reportlab.graphics import renderPDF
    from reportlab.graphics.barcode.qr import QrCodeWidget
    from reportlab.graphics.shapes import Drawing

    side = 84.0
    code = QrCodeWidget(told["piece"]["record"], barLevel="M", barBorder=0)
    left, bottom, right, top = code.getBounds()
    drawing = Drawing(side, side, transform=[side / (right - left), 0, 0, side / (top - bottom), 0, 0])
    drawing.add(code)
    renderPDF.draw(drawing, canvas, MARGIN, MARGIN)
    x, y = MARGIN + side + 20, MARGIN + side - 9
    lines = [
        (_("Look the piece up by its hash:"), SANS, SOFT),
        *((part, MONO, INK) for part in _wrapped(canvas, told["piece"]["record"], MONO, 8, width - x - MARGIN)),
        (_("The terms in full:"), SANS, SOFT),
        *((part, MONO, INK) for part in _wrapped(canvas, told["terms"]["url"], MONO, 8, width - x - MARGIN)),
    ]
    for text, face, colour in lines:
        _write(canvas, text, face, 8, x, y, colour)
        y -= 12
    canvas.linkURL(told["piece"]["record"], (MARGIN, MARGIN, MARGIN + side, MARGIN + side))


def _write(
    canvas: Canvas, text: str, face: str, size: float, x: float, y: float, colour: str, *, right: bool = False
) -> None:
    canvas.setFont(face, size)
    canvas.setFillColor(colour)
    (canvas.drawRightString if right else canvas.drawString)(x, y, _printable(text, face))


def _wrapped(canvas: Canvas, text: str, face: str, size: float, width: float) -> list[str]:
    """The text in lines no wider than `width`: broken at blanks, within a word only where it must be."""
    lines, line = [], ""
    for word in _printable(text, face).split(" "):
        while canvas.stringWidth(word, face, size) > width:
            fits = max(1, int(len(word) * width / canvas.stringWidth(word, face, size)))
            if line:
                lines.append(line)
                line = ""
            lines.append(word[:fits])
            word = word[fits:]
        joined = f"{line} {word}".strip()
        if canvas.stringWidth(joined, face, size) > width:
            lines.append(line)
            joined = word
        line = joined
    return [*lines, line]


def _lacks_letters(told: dict[str, Any]) -> bool:
    """Whether a name that people chose holds a letter that a face does not have."""
    names = (told["creator"]["name"], told["buyer"]["name"], told["made_with"]["creation_model"])
    return any(_printable(name, face).count("?") > name.count("?") for name in names for face in (ITALIC, SANS))


def _printable(text: str, face: str) -> str:
    """The text in letters that the face has: without its accents where only those are missing, or else “?”."""
    return "".join(
        letter if _has(face, letter) else _bare(letter, face) for letter in unicodedata.normalize("NFC", text)
    )


def _bare(letter: str, face: str) -> str:
    plain = unicodedata.normalize("NFKD", letter)
    return "".join(part for part in plain if not unicodedata.combining(part) and _has(face, part)) or "?"


def _has(face: str, letter: str) -> bool:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    font = pdfmetrics.getFont(face)
    return ord(letter) in font.face.charToGlyph if isinstance(font, TTFont) else letter.isascii()


_loading = threading.Lock()


def _load_fonts() -> None:
    """Make the faces known, once a process: one loaded anew would not know the letters of a page being drawn."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    with _loading:
        known = pdfmetrics.getRegisteredFontNames()
        for face, (package, file) in FONTS.items():
            if face not in known:
                pdfmetrics.registerFont(TTFont(face, str(resources.files(package) / "files" / file)))
