"""The brief as a JSON Schema: from it the form is made that a client fills in."""

from __future__ import annotations

from typing import Any

from .layout.kinds import KINDS

MOODS = {"as the creator": "", "playful": "playful", "bold": "bold", "elegant": "elegant", "calm": "calm"}
PICTURE_LETTERS = 4_000_000
WORDLESS = tuple(kind.name for kind in KINDS.values() if not kind.fields)
"""Kinds that hold no words: what should be seen must be said instead."""


def _line(title: str, description: str, longest: int, example: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "string",
        "title": title,
        "description": description,
        "maxLength": longest,
        "examples": [example],
        **more,
    }


BRIEF_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "if": {"properties": {"kind": {"enum": list(WORDLESS)}}, "required": ["kind"]},
    "then": {"required": ["subject"]},
    "else": {"required": ["headline"]},
    "properties": {
        "kind": {
            "type": "string",
            "title": "What it is",
            "description": "What you need designed.",
            "enum": list(KINDS),
            "x-enum-titles": [kind.title for kind in KINDS.values()],
            "default": "post",
            "examples": ["post"],
        },
        "headline": _line(
            "Headline or name", "What is read first; for a logo or a card, the name. Patterns and icons need none.",
            90, "Two scoops for one on Sunday",
        ),
        "text": _line("Supporting text", "What else must be said.", 240, "Every flavour, all afternoon"),
        "date": _line("Date and time", "When it is.", 60, "5 to 7 July"),
        "place": _line("Place or address", "Where it is.", 90, "Fishermen’s Quay"),
        "action": _line("Call to action", "What the reader should do.", 30, "Book a place"),
        "subject": _line(
            "Subject", "What should be seen, in a few words; told by the headline if empty.", 120, "ice cream"
        ),
        "mood": {
            "type": "string",
            "title": "Mood",
            "description": "How it should feel.",
            "enum": list(MOODS),
            "default": "as the creator",
            "examples": ["playful"],
        },
        "colours": _line(
            "Your colours", "Up to three, as #rrggbb or by name; the creator's own if empty.", 60, "#0b3d91, gold"
        ),
        "image": {
            "type": "string",
            "title": "Your own picture",
            "description": "A PNG or JPEG to be shown instead of the creator's motifs.",
            "maxLength": PICTURE_LETTERS,
            "contentEncoding": "base64",
            "contentMediaType": "image/*",
        },
    },
}  # fmt: skip
