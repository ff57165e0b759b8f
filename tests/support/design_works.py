"""Works to learn from: those of the demo's two designers, drawn for this project."""

from __future__ import annotations

import hashlib
import importlib.resources
from collections.abc import Sequence
from pathlib import Path

from atelier.workshop.contract import Unreadable, Upload, WorkFile
from atelier.workshop.engines.design import DesignEngine
from atelier.workshop.engines.design.learning.learn import learn, seen
from atelier.workshop.engines.design.learning.style import Style

WILMA, PIM = "wilma-kestrelby", "pim-ostervale"


def files_of(handle: str) -> list[Path]:
    """The thirty works of a demo designer, in order of name."""
    folder = Path(str(importlib.resources.files("atelier.config"))) / "demo" / "works" / handle
    return sorted(folder.glob("*.svg"))


def taken_in(files: Sequence[Path], workspace: Path) -> list[WorkFile]:
    """The files as the engine takes them in; those that it refuses are passed over."""
    engine, found = DesignEngine(), []
    for number, path in enumerate(files):
        folder, raw = workspace / str(number), path.read_bytes()
        upload = Upload(path=str(path), filename=path.name, sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw))
        try:
            pieces = engine.inspect(upload, folder).pieces
        except Unreadable:
            continue
        found += [
            WorkFile(
                id=f"{number}-{piece.file}", path=str(folder / piece.file), sha256=piece.sha256, title=piece.title,
                tags=piece.tags, description=piece.description,
            )
            for piece in pieces
        ]  # fmt: skip
    return found


def learned_from(files: Sequence[Path], workspace: Path) -> Style:
    """The style of files of anybody's."""
    return learn([seen(work) for work in taken_in(files, workspace)])


def learned(handle: str, workspace: Path) -> Style:
    """The style of a demo designer."""
    return learned_from(files_of(handle), workspace)
