"""JSON: a list of texts, a list of records, or an object that holds such a list."""

from __future__ import annotations

import json
from typing import Any

from atelier.workshop.contract import Unreadable

from .fields import roles, tags_of
from .pieces import RawPiece

_LISTS = ("works", "pieces", "items", "texts", "data", "records", "posts")
_REMEDY = "Give a list of texts, or of objects with “text” and, if you like, “title”, “tags” and “description”."


def read_records(text: str, filename: str) -> list[RawPiece]:
    """One piece an entry. Errors: Unreadable naming the line where the JSON breaks, or when it holds no list."""
    entries = _entries(_parsed(text, filename))
    if entries is None:
        raise Unreadable("The JSON holds no list of works.", remedy=_REMEDY, where=filename)
    return [_piece(entry, f"item {number}") for number, entry in enumerate(entries, 1)]


def _parsed(text: str, filename: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise Unreadable("The JSON is nested too deeply.", remedy=_REMEDY, where=filename) from error
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        try:  # one JSON object a line
            if len(lines) > 1:
                return [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            pass
        place = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(
            f"The JSON is broken{place}.", remedy="Correct that line, or export the file again.", where=filename
        ) from error


def _entries(value: Any) -> list[Any] | None:
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    for name in _LISTS:
        if isinstance(value.get(name), list):
            return list(value[name])
    return [value] if "text" in roles(value) else None


def _piece(entry: Any, where: str) -> RawPiece:
    if isinstance(entry, str):
        return RawPiece(entry, where=where)
    if not isinstance(entry, dict):
        return RawPiece("", where=where)
    keys = list(entry)
    found = roles(keys)

    def value(role: str) -> Any:
        return entry[keys[found[role]]] if role in found else ""

    def words(role: str) -> str:
        held = value(role)
        if isinstance(held, list):
            return "\n\n".join(part for part in held if isinstance(part, str))
        return held if isinstance(held, str) else ""

    text = words("text")
    if "text" not in found:
        others = [v for k, v in entry.items() if isinstance(v, str) and roles([k]).keys() <= {"description"}]
        text = max(others, key=len, default="")
    return RawPiece(text, words("title"), tags_of(value("tags")), words("description"), where)
