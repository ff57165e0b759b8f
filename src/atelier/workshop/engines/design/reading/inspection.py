"""The way of an upload: told by its bytes, read, cleaned, shown back, and written as SVG that holds nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePath

from atelier.workshop.contract import FileRef, Inspection, Piece, Refusal, Unreadable, Upload
from atelier.workshop.engines.design.drawing import covered, encoded, raster
from atelier.workshop.engines.design.learning.motifs import motifs_of
from atelier.workshop.engines.design.outline import Box
from atelier.workshop.engines.design.writing import svg_of
from atelier.workshop.pictures.fingerprints import SIDE, fingerprint

from .pdf import read_pdf
from .raster import read_picture
from .svg import Read, read_svg

PIECES_MAX = 100
LEAST_COVER = 0.004
"""Of what covers less of its sheet nearly nothing can be seen."""
FORMS = 2_000
"""In a drawing of more forms, motifs are not looked for before training."""
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM")
_REMEDY = "Upload an SVG, PDF, PNG or JPEG file with the finished work."


def inspect(upload: Upload, workspace: Path, *, bytes_max: int) -> Inspection:
    """Every usable drawing of a hostile file, written as clean SVG into the workspace, and why others were not taken.

    Errors: Unreadable when the file cannot be read or nothing in it can be used.
    """
    name = PurePath(upload.filename.replace("\\", "/")).name or "the file"
    reads = read(_bytes(upload, name, bytes_max), name)
    pieces: list[Piece] = []
    refusals: list[Refusal] = []
    for number, each in enumerate(reads[:PIECES_MAX], 1):
        where = name if len(reads) == 1 else f"{name}, page {number}"
        try:
            pieces.append(_piece(each, where, name, workspace, number, alone=len(reads) == 1))
        except Unreadable as error:
            refusals.append(Refusal(where=where, code="empty", message=error.message, remedy=error.remedy))
    if not pieces:
        raise Unreadable(refusals[0].message, where=refusals[0].where, remedy=refusals[0].remedy)
    return Inspection(pieces=tuple(pieces), refusals=tuple(refusals))


def read(data: bytes, where: str) -> list[Read]:
    """What a file of any of the kinds holds, by its first bytes, whatever its name says. Errors: Unreadable."""
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise Unreadable("The file is empty.", where=where, remedy=_REMEDY)
    if b"%PDF-" in data[:1024]:
        return read_pdf(data, where)
    if data.startswith(_PICTURES) or data[8:12] == b"WEBP":
        return [read_picture(data, where)]
    if data[:2] == b"\x1f\x8b" or b"<" in data[:400]:
        return [read_svg(data, where)]
    raise Unreadable("It is of no kind that is known here.", where=where, remedy=_REMEDY)


def _bytes(upload: Upload, name: str, bytes_max: int) -> bytes:
    path = Path(upload.path)
    try:
        size = path.stat().st_size
        if size > bytes_max:
            raise Unreadable(
                f"The file has {size / 1e6:.1f} MB; up to {bytes_max / 1e6:.0f} MB are taken.",
                where=name,
                remedy="Export it without hidden layers, or smaller.",
            )
        return path.read_bytes()
    except OSError as error:
        raise Unreadable("The file could not be opened.", where=name, remedy="Upload it again.") from error


def _piece(found: Read, where: str, filename: str, workspace: Path, number: int, *, alone: bool) -> Piece:
    seen, size = _seen(found, where)
    pixels = raster(found.scene.root, seen, *size, ground="#ffffff")
    workspace.mkdir(parents=True, exist_ok=True)
    data = svg_of(found.scene.root, found.scene.canvas, title=found.title, texts=found.texts, lettering="words")
    title = found.title or _named(filename, number, alone=alone)
    forms = sum(1 for _ in found.scene.shapes())
    motifs = len(motifs_of(found, "", (title, *found.tags))) if forms <= FORMS else 1
    file = _written(workspace, f"piece-{number:04d}.svg", data, "image/svg+xml")
    return Piece(
        file=file.path,
        sha256=file.sha256,
        bytes=file.bytes,
        media_type=file.media_type,
        title=title[:120],
        tags=found.tags,
        description=found.description[:500],
        extent=max(1, motifs),
        excerpt=_told(found, seen, forms, motifs),
        fingerprints=(fingerprint(pixels),),
        advice=_advice(found),
        preview=_written(workspace, f"preview-{number:04d}.webp", encoded(pixels[..., :3], "WEBP", 80), "image/webp"),
    )


def _seen(found: Read, where: str) -> tuple[Box, tuple[int, int]]:
    """The part in which something is drawn, on the sheet or near it, and its size in pixels. Errors: Unreadable."""
    box, canvas = found.scene.root.box, found.scene.canvas
    inside = box & canvas.grown(max(canvas.width, canvas.height))
    if inside is None or min(inside.width, inside.height) <= 0:
        raise Unreadable("There is nothing drawn in it that can be used.", where=where, remedy=_REMEDY)
    scale = SIDE / max(inside.width, inside.height)
    size = max(16, round(inside.width * scale)), max(16, round(inside.height * scale))
    if float((covered(found.scene.root, inside, *size) > 60).mean()) < LEAST_COVER:
        raise Unreadable("Nearly nothing can be seen in it.", where=where, remedy=_REMEDY)
    return inside, size


def _written(workspace: Path, name: str, data: bytes, media_type: str) -> FileRef:
    (workspace / name).write_bytes(data)
    return FileRef(path=name, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), media_type=media_type)


def _named(filename: str, number: int, *, alone: bool) -> str:
    """A file's name as a title, where the file says none itself."""
    stem = PurePath(filename).stem.replace("_", " ").replace("-", " ").strip() or "Untitled"
    return stem[:1].upper() + stem[1:] + ("" if alone else f", page {number}")


def _told(found: Read, box: Box, forms: int, motifs: int) -> str:
    """What was understood, in a line."""
    parts = [_counted(forms, "form"), _counted(motifs, "motif")]
    if found.texts:
        fonts = list(dict.fromkeys(run.family for run in found.texts if run.family))
        parts.append(
            _counted(len(found.texts), "line") + " of words" + (f" in {', '.join(fonts[:3])}" if fonts else "")
        )
    return f"{', '.join(parts)}; {_shape(box)}."


def _shape(box: Box) -> str:
    times = box.width / max(box.height, 1e-9)
    if 0.9 < times < 1.1:
        return "about square"
    return f"{times:.1f} times as wide as high" if times > 1 else f"{1 / times:.1f} times as high as wide"


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def _advice(found: Read) -> tuple[str, ...]:
    advice = []
    if found.left_out:
        named = ", ".join(found.left_out)
        advice.append(f"Left out, because it is not understood: {named}. Convert it to paths to have it learned.")
    if found.texts:
        advice.append("Words are learned as a choice of type, not as forms. Convert lettering of your own to paths.")
    return tuple(advice)
