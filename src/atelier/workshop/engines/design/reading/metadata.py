"""What a drawing says of itself: its title and description, else Dublin Core as Inkscape and Openclipart write it."""

from __future__ import annotations

from typing import Any

from .tree import local, name_of

TITLE, DESCRIPTION, TAG, TAGS = 300, 500, 60, 30
"""Characters of each, and how many tags."""


def said(root: Any, name: str, longest: int) -> str:
    """The words of an element such as `title`: a child of the drawing, else of the work that its metadata describe."""
    own = next((child for child in root if name_of(child) == name), None)
    work = next((each for each in root.iter("{*}Work")), None)
    told = next((each for each in work if local(each) == name), None) if work is not None else None
    for found in (own, told):
        words = plain("".join(found.itertext()))[:longest] if found is not None else ""
        if words:
            return words
    return ""


def tags_of(root: Any) -> tuple[str, ...]:
    """The subjects that the metadata name, in lower case."""
    named = (
        plain("".join(each.itertext())).lower() for subject in root.iter("{*}subject") for each in subject.iter("{*}li")
    )
    return tuple(dict.fromkeys(tag[:TAG] for tag in named if tag))[:TAGS]


def plain(text: str) -> str:
    """One line of what can be printed."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
