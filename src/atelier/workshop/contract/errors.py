"""The named errors of the workshop. Each says what is wrong, where, and what to do about it."""

from __future__ import annotations


class WorkshopError(Exception):
    """Base of all errors an engine may raise on purpose. `code` is stable; `remedy` is a sentence for a person."""

    code = "workshop_error"

    def __init__(self, message: str, *, remedy: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.where = where

    def __str__(self) -> str:
        parts = (f"{self.where}: " if self.where else "") + self.message
        return f"{parts} {self.remedy}".strip()


class Cancelled(WorkshopError):
    """Raised by `report` and `emit` when the job was cancelled or its client left; engines let it pass."""

    code = "cancelled"

    def __init__(self, message: str = "cancelled") -> None:
        super().__init__(message)


class Unreadable(WorkshopError):
    """The file cannot be read as any kind of work this engine knows."""

    code = "unreadable"


class TooFewWorks(WorkshopError):
    """There is too little to learn from."""

    code = "too_few_works"


class BriefInvalid(WorkshopError):
    """A field of the brief is missing or out of bounds; `where` names the field."""

    code = "brief_invalid"


class Refused(WorkshopError):
    """A guardrail of the creation model forbids what was asked."""

    code = "refused"


class AdapterInvalid(WorkshopError):
    """The adapter's files are missing, damaged, or made for another base model."""

    code = "adapter_invalid"


class Busy(WorkshopError):
    """No room to take the request now; `ahead` requests wait already."""

    code = "busy"

    def __init__(self, message: str, *, ahead: int = 0) -> None:
        super().__init__(message, remedy="Try again in a moment.")
        self.ahead = ahead


class EngineUnavailable(WorkshopError):
    """The engine, its base model or a library it needs is not installed."""

    code = "engine_unavailable"


class OverTime(WorkshopError):
    """The work took longer than it may."""

    code = "over_time"


class Untold(WorkshopError):
    """Which works shaped an output cannot be told: nothing was kept at training to tell it by."""

    code = "untold"
