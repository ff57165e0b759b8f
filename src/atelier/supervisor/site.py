"""Which programs the site is made of, and what tells whether preparing it again would change anything."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Site:
    """The commands of a site; `{host}` and `{port}` in them are filled in. Tests bring their own."""

    prepare: tuple[str, ...]
    web: tuple[str, ...]
    worker: tuple[str, ...]
    health_path: str = "/healthz"
    sources: tuple[Path, ...] = ()

    def filled(self, command: tuple[str, ...], host: str, port: int) -> tuple[str, ...]:
        """The command with host and port in place."""
        return tuple(word.replace("{host}", host).replace("{port}", str(port)) for word in command)

    def fingerprint(self, *more: str) -> str:
        """A hash of all that preparing depends on: migrations, demo, lock file, and the words given."""
        state = hashlib.sha256("\0".join(more).encode())
        for file in self._files():
            state.update(str(file).encode() + b"\0" + file.read_bytes())
        return state.hexdigest()

    def _files(self) -> Iterable[Path]:
        for source in self.sources:
            yield from sorted(f for f in source.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
            if source.is_file():
                yield source


def atelier() -> Site:
    """The real site."""
    python = sys.executable
    migrations = sorted((PACKAGE / "market").glob("*/migrations"))
    lock = PACKAGE.parents[1] / "requirements" / "base.lock"
    return Site(
        prepare=(python, "-m", "atelier.config.prepare"),
        web=(
            *(python, "-m", "uvicorn", "atelier.config.asgi:application", "--host", "{host}", "--port", "{port}"),
            # Open event streams never end by themselves: without a limit they would hold up every stop.
            *("--timeout-graceful-shutdown", "3", "--no-access-log", "--log-level", "warning", "--no-server-header"),
        ),
        worker=(python, "-m", "atelier.config.worker"),
        sources=(*migrations, PACKAGE / "config", lock),
    )
