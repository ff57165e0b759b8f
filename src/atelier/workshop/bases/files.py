"""What the files of a base say of themselves: their sums, and the licence on their card."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

LARGE = 2**26
"""From so many bytes on a sum is kept on disk: a base of 3 GB takes seconds to read, in every process anew."""
_CARD = re.compile(r"\A---\n(.*?)\n---", re.S)


def file_sha256(path: Path, kept: Path) -> str:
    """The SHA-256 of a file's bytes, reckoned once for as long as its size and time of change stay. `kept`: the folder
    where sums of large files are noted for other processes."""
    state = path.stat()
    return _sum(path.resolve(), kept, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _sum(path: Path, kept: Path, size: int, changed: int) -> str:
    note = kept / hashlib.sha256(f"{path} {size} {changed}".encode()).hexdigest()[:32]
    with suppress(OSError):
        if re.fullmatch(r"[0-9a-f]{64}", known := note.read_text(encoding="ascii")):
            return known
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if size >= LARGE:
        with suppress(OSError):  # Where nothing can be written, it is reckoned again.
            kept.mkdir(parents=True, exist_ok=True)
            note.write_text(found, encoding="ascii")
    return found


def card_licence(folder: Path) -> str:
    """The licence that a model card (README.md) states in its header; empty when it states none."""
    try:
        header = _CARD.match((folder / "README.md").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""
    stated: dict[str, str] = dict(
        re.findall(r"^(license|license_name):[ \t]*[\"']?([^\s\"']+)", header[1] if header else "", re.M)
    )
    return stated.get("license_name") or stated.get("license", "")
