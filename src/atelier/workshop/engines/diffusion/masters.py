"""What is bought: the picture as PNG, WebP or JPEG, with nothing in the file but its pixels."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from PIL import Image

from atelier.workshop.contract import FileRef, OutputFormat, WorkshopError
from atelier.workshop.pictures.pixels import open_picture

FORMATS = (
    OutputFormat(name="png", title="PNG, without loss", media_type="image/png", suffix=".png"),
    OutputFormat(name="webp", title="WebP", media_type="image/webp", suffix=".webp"),
    OutputFormat(name="jpeg", title="JPEG", media_type="image/jpeg", suffix=".jpg"),
)


def export(master: Path, format_name: str, workspace: Path) -> FileRef:
    """Write a master in one of the formats. Errors: Unreadable; WorkshopError."""
    form = next((each for each in FORMATS if each.name == format_name), None)
    if form is None:
        names = ", ".join(each.name for each in FORMATS)
        raise WorkshopError(f"There is no format “{format_name}”.", remedy=f"Choose one of: {names}.")
    try:
        data = master.read_bytes()
    except OSError as error:
        raise WorkshopError("The master cannot be read.", where=master.name, remedy="Make it again.") from error
    made = encoded(open_picture(data, master.name, ("PNG",)), form.name)
    workspace.mkdir(parents=True, exist_ok=True)
    path = f"{master.stem}-{form.name}{form.suffix}"
    (workspace / path).write_bytes(made)
    return FileRef(path=path, sha256=hashlib.sha256(made).hexdigest(), bytes=len(made), media_type=form.media_type)


def encoded(picture: Image.Image, format_name: str) -> bytes:
    """The bytes of a picture in one of the formats; the same picture gives the same bytes."""
    buffer = io.BytesIO()
    if format_name == "png":
        picture.save(buffer, "PNG")
    elif format_name == "webp":
        picture.save(buffer, "WEBP", quality=92, method=4)
    else:
        picture.convert("RGB").save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()
