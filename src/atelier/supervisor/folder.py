"""The data folder: one supervisor at a time, never from a newer version, never on a full disk."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from .errors import FREE_SPACE, FULL, SupervisorError

ROOM_NEEDED = 500_000_000


@dataclass
class DataFolder:
    """A data folder held by this process from `open` to `close` (or the process's death, however it comes)."""

    path: Path
    version: str
    _lock: FileIO | None = None

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    def open(self) -> None:
        """Makes the folder when missing and takes it.

        Errors: SupervisorError when another process holds it, a newer version wrote it, it cannot be written, or
        less than 500 MB are free.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # A folder that holds other things already, such as a person's home, keeps the rights it has.
            if not any(self.path.iterdir()) or (self.path / "lock").exists():
                # Others may pass through (PostgreSQL under root is another user) but not look around.
                self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            self._take()
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._refuse_newer()
        self.require_room()

    def _take(self) -> None:
        # Opened for append: the holder's number must stay readable when the lock is refused. Unbuffered: on a full disk
        # nothing may be left over that closing would try to write again.
        self._lock = FileIO(self.path / "lock", "a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.seek(0)
            holder = self._lock.readall().decode(errors="replace").strip() or "unknown"
            self._lock.close()
            raise SupervisorError(
                f"Atelier already runs on {self.path} (process {holder}).",
                remedy="Stop that one first, or give this one another folder with --data.",
            ) from None
        self._lock.truncate(0)
        self._lock.write(f"{os.getpid()}\n".encode())

    def _refuse_newer(self) -> None:
        file = self.path / "VERSION"
        if not file.exists():
            return
        kept = file.read_text().strip()
        if _ordered(kept) > _ordered(self.version):
            raise SupervisorError(
                f"The data in {self.path} was written by Atelier {kept}, and this is Atelier {self.version}.",
                remedy=f"Update Atelier to {kept} or newer, or give another folder with --data.",
            )

    def require_room(self) -> None:
        """Errors: SupervisorError when less than 500 MB are free."""
        free = shutil.disk_usage(self.path).free
        if free < ROOM_NEEDED:
            raise SupervisorError(
                f"The disk is almost full: {free // 1_000_000} MB are free for {self.path}, and 500 MB are needed.",
                remedy="Free some space, or give a folder on another disk with --data.",
            )

    def record_version(self) -> None:
        """Says which version last brought this folder up to date."""
        self.write("VERSION", self.version + "\n")

    def secret_key(self) -> str:
        """The key that signs sessions, drawn once and readable by its owner alone."""
        file = self.path / "secret_key"
        if not file.exists():
            self.write("secret_key", secrets.token_urlsafe(48))
        return file.read_text()

    def write(self, name: str, text: str) -> None:
        """Writes a small private file whole or not at all."""
        half = self.path / f"{name}.new"
        half.touch(mode=0o600)
        half.write_text(text)
        half.rename(self.path / name)

    def close(self) -> None:
        """Lets the folder go."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def unwritable(path: Path, error: OSError) -> SupervisorError:
    """What the system said about a file or folder, with the remedy for it."""
    # Copying many files says what went wrong in its words alone.
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or FULL in str(error):
        return SupervisorError(f"The disk that holds {path} is full.", remedy=FREE_SPACE)
    remedy = "Give a folder you may write to with --data."
    return SupervisorError(f"{error.filename or path} cannot be used: {error.strerror or error}.", remedy=remedy)
