"""Files on disk that are either whole or not there, whatever is killed when."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class WholeFiles(FileSystemStorage):
    """Writes a file beside its place and moves it there in one step. For blobs: a name stands for its content.

    Two who write the same name write the same bytes, so the later one simply takes the place.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself, taken or not."""
        return name

    def _save(self, name: str, content: File[Any]) -> str:
        place = Path(self.path(name))
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=place.parent, prefix=".partial-")
        try:
            with os.fdopen(handle, "wb") as target:
                for chunk in content.chunks():
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            Path(partial).chmod(self.file_permissions_mode or 0o644)
            Path(partial).replace(place)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
        return name
