"""The errors an action may raise. Pages and API turn each into words and a status in one place (middleware, api)."""

from __future__ import annotations


class MarketError(Exception):
    """Base of every error meant for a person. `field` names the form field, `remedy` says what to do."""

    status = 400
    code = "invalid"

    def __init__(self, message: str, *, field: str = "", remedy: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = str(message)
        self.field = field
        self.remedy = str(remedy)
        self.code = code or self.code


class Invalid(MarketError):
    """What was sent cannot be used; `field` says where."""

    status = 422
    code = "invalid"


class Denied(MarketError):
    """The person may not do this."""

    status = 403
    code = "denied"


class Missing(MarketError):
    """There is no such thing, or not for this person."""

    status = 404
    code = "missing"


class Conflict(MarketError):
    """The thing is no longer in the state that this needs; nothing was changed."""

    status = 409
    code = "conflict"


class TooMany(MarketError):
    """A limit is reached; `remedy` says when there is room again."""

    status = 429
    code = "too_many"
