"""What a client may ask for: the form, the check of what was written into it, and the words a base is given for it."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from atelier.workshop.contract import BriefInvalid

MOODS = {
    "as the creator": "",
    "playful": "playful and cheerful",
    "bold": "bold, strong contrast",
    "elegant": "elegant and restrained",
    "calm": "calm, soft light",
    "dark": "dark and moody",
}
SHAPES = {"square": (1, 1), "portrait": (3, 4), "landscape": (4, 3), "tall": (9, 16), "wide": (16, 9)}
"""Widths and heights against each other; all have about as many pixels as the base's own square."""

BRIEF_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["subject"],
    "properties": {
        "subject": {
            "type": "string",
            "title": "Subject",
            "description": "What should be seen, in a few words.",
            "minLength": 1,
            "maxLength": 200,
            "examples": ["A fishing boat under a huge moon"],
        },
        "mood": {
            "type": "string",
            "title": "Mood",
            "description": "How it should feel.",
            "enum": list(MOODS),
            "default": "as the creator",
            "examples": ["calm"],
        },
        "shape": {
            "type": "string",
            "title": "Shape",
            "description": "How wide it is against its height.",
            "enum": list(SHAPES),
            "default": "square",
            "examples": ["landscape"],
        },
        "avoid": {
            "type": "string",
            "title": "Avoid",
            "description": "What should not be seen, in a few words.",
            "maxLength": 120,
            "examples": ["people, lettering"],
        },
    },
}


@dataclass(frozen=True)
class Brief:
    """A valid brief, with the defaults filled in."""

    subject: str
    mood: str = "as the creator"
    shape: str = "square"
    avoid: str = ""

    @property
    def prompt(self) -> str:
        """The words the base is given; works are learned under words of the same form (`captions`)."""
        return ", ".join(part for part in (self.subject, MOODS[self.mood]) if part)

    @property
    def told(self) -> str:
        """What the picture shows, for those who cannot see it: what was asked for, for nobody looked at it."""
        mood = "" if self.mood == "as the creator" else f", {self.mood}"
        return f"A {self.shape} picture made for: {self.subject}{mood}"


def valid(brief: dict[str, Any]) -> Brief:
    """Errors: BriefInvalid naming the field."""
    properties: dict[str, dict[str, Any]] = BRIEF_SCHEMA["properties"]
    for name in brief:
        if name not in properties:
            raise BriefInvalid("There is no such field.", where=str(name), remedy=f"Use only {', '.join(properties)}.")
    return Brief(**{name: _field(name, rules, brief.get(name)) for name, rules in properties.items()})


def _field(name: str, rules: dict[str, Any], value: Any) -> str:
    if value is None or value == "":
        value = rules.get("default", "")
    if not isinstance(value, str):
        raise BriefInvalid("This must be text.", where=name, remedy="Write it in words.")
    text = tidy(value)
    if not text and name in BRIEF_SCHEMA["required"]:
        raise BriefInvalid("This is missing.", where=name, remedy=rules["description"])
    if len(text) > rules.get("maxLength", len(text)):
        raise BriefInvalid(
            f"This is {len(text)} characters long; at most {rules['maxLength']} fit.",
            where=name,
            remedy=f"Shorten it to {rules['maxLength']}.",
        )
    if "enum" in rules and text not in rules["enum"]:
        raise BriefInvalid(
            f"“{text[:40]}” is not a choice.", where=name, remedy=f"Choose one of {', '.join(rules['enum'])}."
        )
    return text


def tidy(text: str) -> str:
    """One line without control characters."""
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return re.sub(r"\s+", " ", plain).strip()


def size(shape: str, side: int, multiple: int) -> tuple[int, int]:
    """Width and height in pixels: about `side` squared in all, each a multiple of `multiple`."""
    wide, high = SHAPES[shape]
    factor = side / math.sqrt(wide * high)
    return tuple(max(multiple, round(each * factor / multiple) * multiple) for each in (wide, high))  # type: ignore[return-value]


def nearest_shape(width: int, height: int) -> str:
    """The shape whose proportions are nearest to those of a picture."""
    asked = math.log(width / height)
    return min(SHAPES, key=lambda name: abs(asked - math.log(SHAPES[name][0] / SHAPES[name][1])))
