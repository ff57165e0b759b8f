"""Works, what the base makes of their words, and what the version makes of them, side by side for judging by eye."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps

from atelier.workshop.contract import FileRef, Sheet
from atelier.workshop.engines.diffusion.splits import Learned

EDGE, GAP = 240, 8
FILE = "sheet.webp"


def sheet(rows: Sequence[tuple[Learned, Image.Image, Image.Image]], workspace: Path) -> Sheet:
    """Each row a work, the base's picture and the version's, of the same seed. Written beside the adapter."""
    wide, high = 3 * EDGE + 4 * GAP, len(rows) * (EDGE + GAP) + GAP
    drawn = Image.new("RGB", (wide, high), "white")
    for down, (work, base, ours) in enumerate(rows):
        for across, each in enumerate((work.picture, base, ours)):
            small = ImageOps.pad(each, (EDGE, EDGE), Image.Resampling.LANCZOS, color="white")
            drawn.paste(small, (GAP + across * (EDGE + GAP), GAP + down * (EDGE + GAP)))
    buffer = io.BytesIO()
    drawn.save(buffer, "WEBP", quality=85)
    data = buffer.getvalue()
    (workspace / FILE).write_bytes(data)
    titles = "; ".join(f"“{work.work.title}”" for work, _, _ in rows)
    return Sheet(
        title="Works kept out of training, the base, and this version",
        told=f"In each row a work, the base's picture for its words, and this version's: {titles}.",
        picture=FileRef(path=FILE, sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), media_type="image/webp"),
        width=wide,
        height=high,
    )
