"""Where this machine keeps what can be made again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where this machine keeps what can be made again: `ATELIER_CACHE`, or the user's cache folder."""
    if chosen := os.environ.get("ATELIER_CACHE"):
        return Path(chosen)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("atelier"))
