"""File names as strangers send them, made harmless."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

LONGEST = 120
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def sanitised(name: str) -> str:
    """The last part of a name without control, invisible and direction-changing characters; never empty.

    At most 120 characters, with the suffix kept, so that what a person reads is what the suffix says.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    shown = "".join(c for c in last if unicodedata.category(c) not in _HIDDEN)
    shown = " ".join(shown.split()).strip(". ") if shown.strip(". ") else ""
    if not shown:
        return "file"
    suffix = PurePosixPath(shown).suffix[:12]
    return shown if len(shown) <= LONGEST else shown[: LONGEST - len(suffix)].rstrip() + suffix


def suffix_of(name: str) -> str:
    """The suffix of a sanitised name, lower case with its dot; empty when it has none."""
    return PurePosixPath(name).suffix.lower()
