"""Pictures of a proof as files beside the adapter."""

from __future__ import annotations

import hashlib
from pathlib import Path

from atelier.workshop.contract import FileRef


def written(data: bytes, path: Path, workspace: Path) -> FileRef:
    """A WebP picture in the workspace."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return FileRef(
        path=path.relative_to(workspace).as_posix(),
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        media_type="image/webp",
    )
