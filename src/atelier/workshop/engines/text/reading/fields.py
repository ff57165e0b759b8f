"""Which column or key of a table or record holds the text, the title, the tags and the description."""

from __future__ import annotations

from collections.abc import Iterable

NAMES = {
    "text": "text body content copy fable story work piece lyrics article post caption message full_text fulltext",
    "title": "title name headline heading subject",
    "tags": "tags tag keywords labels topics category categories",
    "description": "description summary lesson moral abstract subtitle brief about note",
}
_ROLE = {name: role for role, names in NAMES.items() for name in names.split()}


def roles(names: Iterable[object]) -> dict[str, int]:
    """Role → index of the first name that means it, in any case and with spaces, hyphens or underscores."""
    found: dict[str, int] = {}
    for index, name in enumerate(names):
        key = str(name).strip().lower().replace(" ", "_").replace("-", "_")
        role = _ROLE.get(key)
        if role is not None:
            found.setdefault(role, index)
    return found


def tags_of(value: object) -> tuple[str, ...]:
    """Tags from a list, or from text with commas or semicolons; at most twenty, each at most 50 characters."""
    parts = value if isinstance(value, list) else str(value or "").replace(";", ",").split(",")
    cleaned = (" ".join(str(part).split())[:50] for part in parts)
    return tuple(dict.fromkeys(tag for tag in cleaned if tag))[:20]
