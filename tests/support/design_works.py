"""Works to learn from: those of the demo's two designers, drawn for this project."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

WILMA, PIM = "wilma-kestrelby", "pim-ostervale"


def files_of(handle: str) -> list[Path]:
    """The thirty works of a demo designer, in order of name."""
    folder = Path(str(importlib.resources.files("atelier.config"))) / "demo" / "works" / handle
    return sorted(folder.glob("*.svg"))
