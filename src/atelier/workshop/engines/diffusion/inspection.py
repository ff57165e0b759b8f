"""Reads a hostile picture: its pixels are kept, upright; all else that the file says is not."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path, PurePath

import numpy as np
from PIL import Image

from atelier.workshop.contract import FileRef, Inspection, Piece, Unreadable, Upload
from atelier.workshop.pictures.fingerprints import SIDE as FINGERPRINT_SIDE
from atelier.workshop.pictures.fingerprints import fingerprint
from atelier.workshop.pictures.pixels import open_picture, written

FORMATS = ("PNG", "JPEG", "WEBP")
LEAST = 64
"""Pixels of the shorter side below which there is nothing to learn."""
ADVISED = 512
PREVIEW = 512
FLAT = 8
"""By so many of 256 levels at least must something differ from something else."""


def inspect(upload: Upload, workspace: Path, *, bytes_max: int) -> Inspection:
    """The picture in an upload as one clean piece. Errors: Unreadable naming the file."""
    name = PurePath(upload.filename.replace("\\", "/")).name or "the file"
    image = open_picture(_bytes(upload, name, bytes_max), name, FORMATS)
    if min(image.size) < LEAST:
        raise Unreadable(
            f"The picture has only {image.width} by {image.height} pixels.",
            where=name,
            remedy=f"Upload it with at least {LEAST} a side, better {ADVISED}.",
        )
    if _is_flat(image):
        raise Unreadable("All of it is one colour.", where=name, remedy="Upload a picture that shows something.")
    return Inspection(pieces=(_piece(image, name, workspace),))


def opaque(image: Image.Image) -> Image.Image:
    """In RGB, on white where it is transparent."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")


def pixels(image: Image.Image) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Of a picture as its fingerprint is taken from: opaque, at most `FINGERPRINT_SIDE` a side."""
    small = opaque(image)
    small.thumbnail((FINGERPRINT_SIDE, FINGERPRINT_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(small)


def _is_flat(image: Image.Image) -> bool:
    extremes = opaque(image).getextrema()
    return all(isinstance(each, tuple) and each[1] - each[0] < FLAT for each in extremes)


def _bytes(upload: Upload, name: str, bytes_max: int) -> bytes:
    path = Path(upload.path)
    try:
        size = path.stat().st_size
        if size > bytes_max:
            raise Unreadable(
                f"The file has {size / 1e6:.1f} MB; up to {bytes_max / 1e6:.0f} MB are taken.",
                where=name,
                remedy="Export it smaller and upload it again.",
            )
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable("The file could not be opened.", where=name, remedy="Upload it again.") from error
    if not data:
        raise Unreadable("The file is empty.", where=name, remedy="Upload a PNG, JPEG or WebP picture.")
    return data


def _piece(image: Image.Image, name: str, workspace: Path) -> Piece:
    data, media_type = written(image)
    suffix = ".png" if media_type == "image/png" else ".jpg"
    stem = PurePath(name).stem.replace("_", " ").replace("-", " ").strip() or "Untitled"
    file = _write(workspace, f"piece-0001{suffix}", data, media_type)
    small = opaque(image)
    small.thumbnail((PREVIEW, PREVIEW), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=80)
    advice: tuple[str, ...] = ()
    if min(image.size) < ADVISED:
        advice = (f"It is smaller than {ADVISED} pixels; details will be learned less well than from a larger one.",)
    return Piece(
        file=file.path,
        sha256=file.sha256,
        bytes=file.bytes,
        media_type=media_type,
        title=f"{stem[:1].upper()}{stem[1:]}"[:120],
        extent=1,
        excerpt=f"{image.width} by {image.height} pixels.",
        fingerprints=(fingerprint(pixels(image)),),
        advice=advice,
        preview=_write(workspace, "preview-0001.webp", buffer.getvalue(), "image/webp"),
    )


def _write(workspace: Path, name: str, data: bytes, media_type: str) -> FileRef:
    workspace.mkdir(parents=True, exist_ok=True)
    (workspace / name).write_bytes(data)
    return FileRef(path=name, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), media_type=media_type)
