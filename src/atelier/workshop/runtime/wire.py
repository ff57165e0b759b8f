"""How named errors cross a pipe between processes and come out as themselves."""

from __future__ import annotations

from typing import Any

from atelier.workshop.contract import Busy, WorkshopError


def error_to_wire(error: WorkshopError) -> dict[str, Any]:
    """A named error as plain data; `codes` lists its code and those of its ancestors, nearest first."""
    codes = [kind.__dict__["code"] for kind in type(error).__mro__ if "code" in kind.__dict__]
    return {
        "codes": list(dict.fromkeys([error.code, *codes])),
        "message": error.message,
        "remedy": error.remedy,
        "where": error.where,
        "ahead": getattr(error, "ahead", 0),
    }


def error_from_wire(data: dict[str, Any]) -> WorkshopError:
    """The error that was sent, as the nearest class known here, with its own code.

    A third party's error class may live in a module that only the other process imported: it becomes its ancestor.
    """
    known = {kind.__dict__["code"]: kind for kind in _family(WorkshopError) if "code" in kind.__dict__}
    kind = next((known[code] for code in data["codes"] if code in known), WorkshopError)
    error = kind.__new__(kind)
    WorkshopError.__init__(error, str(data["message"]), remedy=str(data["remedy"]), where=str(data["where"]))
    error.code = str(data["codes"][0])
    if isinstance(error, Busy):
        error.ahead = int(data["ahead"])
    return error


def _family(kind: type[WorkshopError]) -> list[type[WorkshopError]]:
    return [kind, *(member for child in kind.__subclasses__() for member in _family(child))]
