"""Reads hostile uploads into clean sheets with a small picture each, and fingerprints them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from atelier.workshop.contract.errors import Unreadable
from atelier.workshop.contract.specs import FileRef, Fingerprint, Inspection, Limits, Piece, Upload

from .scene import Scene, from_pixels, from_svg, in_words, to_pixels, to_svg

EXACT = "sketch-exact-1"
SHAPES = "sketch-shapes-1"
PNG = b"\x89PNG\r\n\x1a\n"
REMEDY = "Save it anew as SVG with filled shapes, or as PNG."


def read(upload: Upload, workspace: Path, limits: Limits, suffixes: tuple[str, ...]) -> Inspection:
    """Write the work, cleaned, and its preview into the workspace. Errors: Unreadable."""
    name = Path(upload.filename.replace("\\", "/")).name or "file"
    if Path(name).suffix.lower() not in suffixes:
        raise Unreadable("This kind of file is not accepted.", where=name, remedy=f"Use {', '.join(suffixes)}.")
    with Path(upload.path).open("rb") as file:
        raw = file.read(limits.upload_bytes + 1)
    if len(raw) > limits.upload_bytes:
        raise Unreadable("The file is too large.", where=name, remedy=f"Keep it under {limits.upload_bytes} bytes.")
    scene = scene_of(raw, name)
    drawn = raw.startswith(PNG)
    clean = to_pixels(scene, 240, 160) if drawn else to_svg(scene).encode()
    suffix, media_type = (".png", "image/png") if drawn else (".svg", "image/svg+xml")
    file_ref = written(workspace, f"piece{suffix}", clean, media_type)
    preview = written(workspace, "preview.png", to_pixels(scene, 96, 64), "image/png")
    return Inspection(
        pieces=(
            Piece(
                file=file_ref.path,
                sha256=file_ref.sha256,
                bytes=file_ref.bytes,
                media_type=media_type,
                title=Path(name).stem[:200] or "Sheet",
                extent=len(scene.shapes),
                excerpt=in_words(scene)[:200],
                fingerprints=fingerprints(scene),
                preview=preview,
            ),
        )
    )


def scene_of(raw: bytes, where: str) -> Scene:
    """The sheet in a file. Errors: Unreadable naming `where`."""
    try:
        return from_pixels(raw) if raw.startswith(PNG) else from_svg(raw.decode("utf-8"))
    except ValueError as error:
        raise Unreadable(f"The sheet cannot be read: {error}.", where=where, remedy=REMEDY) from error


def fingerprints(scene: Scene) -> tuple[Fingerprint, Fingerprint]:
    """An exact fingerprint of the sheet, and one by which near copies are found."""
    exact = hashlib.sha256(to_svg(scene).encode()).hexdigest()
    shapes = sorted({f"{s.kind[0]}{s.x}.{s.y}.{s.side}{s.colour}" for s in scene.shapes})
    bands = tuple(_band(shape) for shape in shapes)
    return Fingerprint(scheme=EXACT, value=exact), Fingerprint(scheme=SHAPES, value=" ".join(shapes), bands=bands)


def _band(shape: str) -> int:
    return int.from_bytes(hashlib.blake2b(shape.encode(), digest_size=8).digest()) >> 1


def similarity(left: Fingerprint, right: Fingerprint) -> float:
    """1 for equal sheets; else the Jaccard index of their shapes."""
    if left.scheme != right.scheme:
        return 0.0
    if left.scheme == EXACT:
        return float(left.value == right.value)
    one, other = set(left.value.split()), set(right.value.split())
    return len(one & other) / len(one | other)


def written(workspace: Path, name: str, raw: bytes, media_type: str) -> FileRef:
    """A file in the workspace."""
    (workspace / name).parent.mkdir(parents=True, exist_ok=True)
    (workspace / name).write_bytes(raw)
    return FileRef(path=name, sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw), media_type=media_type)
