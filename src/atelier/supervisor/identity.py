"""Who a child runs as: PostgreSQL refuses root, so under root it runs as a system user without rights."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from .errors import SupervisorError


@dataclass(frozen=True)
class Identity:
    """A system user by its numbers."""

    uid: int
    gid: int
    name: str

    def can_enter(self, folder: Path) -> bool:
        """Whether this user may walk down to `folder`; judged by mode bits, parents included."""
        return all(self._may_execute(step) for step in (folder, *folder.parents) if step.exists())

    def _may_execute(self, folder: Path) -> bool:
        seen = folder.stat()
        if seen.st_uid == self.uid:
            return bool(seen.st_mode & 0o100)
        return bool(seen.st_mode & (0o010 if seen.st_gid == self.gid else 0o001))


def unprivileged(owner_of: Path | None = None) -> Identity | None:
    """The user to drop to: None when this process is not root.

    The owner of `owner_of`, when that exists and is not root, else `postgres`, else `nobody`.
    Errors: SupervisorError when the system has neither.
    """
    if os.geteuid() != 0:
        return None
    if owner_of is not None and owner_of.exists() and (seen := owner_of.stat()).st_uid != 0:
        return Identity(seen.st_uid, seen.st_gid, str(seen.st_uid))
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Identity(entry.pw_uid, entry.pw_gid, name)
    raise SupervisorError(
        "PostgreSQL refuses to run as root, and this system has neither a “postgres” nor a “nobody” user.",
        remedy="Start as an ordinary user, or set DATABASE_URL to a PostgreSQL that runs already.",
    )
