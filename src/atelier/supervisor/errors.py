"""What the supervisor says when it cannot go on: one sentence of what is wrong, one of what to do."""

from __future__ import annotations

FULL = "No space left on device"
"""What the system says when a disk is full, whoever passes it on."""
FREE_SPACE = "Free some space, then start again."


class SupervisorError(Exception):
    """A reason to stop, ready to be shown to a person. `remedy` says what to do about it."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.message = message
        self.remedy = remedy
