"""Reads pictures of anybody's: their pixels are kept, all else in the file (profiles, notes, places) is not."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from atelier.workshop.contract import Unreadable

PIXELS = 50_000_000
SIDE = 2400
"""Larger pictures are made smaller: a print of 20 cm at 300 dots an inch needs no more."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP")


def open_picture(data: bytes, where: str, formats: tuple[str, ...] = FORMATS) -> Image.Image:
    """The picture upright, in RGB or RGBA, its longer side at most `SIDE`. Errors: Unreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=formats)
            if image.width * image.height > PIXELS:
                raise Unreadable(
                    f"The picture has more than {PIXELS // 1_000_000} million pixels.",
                    where=where,
                    remedy="Make it smaller and upload it again.",
                )
            image.draft("RGB", (SIDE, SIDE))
            image.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _damaged(where) from error
    except (Image.DecompressionBombWarning, MemoryError) as error:
        raise _damaged(where) from error
    upright = ImageOps.exif_transpose(image) or image
    transparent = upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info
    plain = upright.convert("RGBA" if transparent else "RGB")
    plain.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    plain.info = {}  # Or comments and profiles would be written into the next file.
    return plain


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
    flat = image.mode == "RGBA" or image.getcolors(4096) is not None
    if flat:
        image.save(buffer, "PNG", optimize=False)
    else:
        image.save(buffer, "JPEG", quality=92, subsampling=0)
    return buffer.getvalue(), "image/png" if flat else "image/jpeg"
