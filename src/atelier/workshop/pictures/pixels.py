"""Reads pictures of anybody's: their pixels are kept, all else in the file (profiles, notes, places) is not."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps

from atelier.workshop.contract import Unreadable

PIXELS = 40_000_000
SIDE = 2400
"""Larger pictures are made smaller: a print of 20 cm at 300 dots an inch needs no more."""
FEW = 128
"""A picture with no more colours is smaller, and exact, as PNG."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")


def open_picture(data: bytes, where: str, formats: tuple[str, ...] = FORMATS) -> Image.Image:
    """The picture upright, in RGB or RGBA, its longer side at most `SIDE`. Errors: Unreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=formats)
            if image.width * image.height > PIXELS:
                raise Unreadable(
                    f"The picture has more than {PIXELS // 1_000_000} million pixels.",
                    where=where,
                    remedy="Make it smaller and upload it again.",
                )
            image.draft("RGB", (SIDE, SIDE))
            image.load()
            return plain(image)
    except Unreadable:
        raise
    except Exception as error:  # Pillow's readers raise nearly anything on damaged files
        raise _damaged(where) from error


def plain(image: Image.Image) -> Image.Image:
    """See `open_picture`."""
    transparent = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    if image.mode not in ("RGB", "L", "RGBA"):
        image = image.convert("RGBA" if transparent else "RGB")
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)  # before anything copies all the pixels
    upright = (ImageOps.exif_transpose(image) or image).convert("RGBA" if transparent else "RGB")
    upright.info = {}  # Or comments and profiles would be written into the next file.
    return upright


def _damaged(where: str) -> Unreadable:
    return Unreadable(
        "The picture cannot be read.", where=where, remedy="Save it again as PNG or JPEG and upload that."
    )


def clean_picture(data: bytes, where: str) -> tuple[bytes, str, tuple[int, int]]:
    """A new file of nothing but the pixels, its media type and its size. Errors: Unreadable."""
    image = open_picture(data, where)
    return (*written(image), image.size)


def written(image: Image.Image) -> tuple[bytes, str]:
    """PNG where it is transparent or flat, else JPEG; with the media type."""
    buffer = io.BytesIO()
    flat = image.mode == "RGBA" or image.getcolors(FEW) is not None
    if flat:
        image.save(buffer, "PNG", optimize=False)
    else:
        image.save(buffer, "JPEG", quality=92, subsampling=0)
    return buffer.getvalue(), "image/png" if flat else "image/jpeg"
