"""What a client may ask for: the form, and the check of what was written into it."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from atelier.workshop.contract import BriefInvalid, Unreadable
from atelier.workshop.pictures.pixels import clean_picture

from .layout.kinds import KINDS
from .reading.styles import colour
from .schema import BRIEF_SCHEMA, MOODS, WORDLESS

_COLOUR = re.compile(r"(?:rgb|hsl)a?\([^)]*\)|[^\s,;/]+")
_BETWEEN = ("and", "with", "&", "+")


@dataclass(frozen=True)
class Brief:
    """A valid brief. `said` holds the words by role; `colours` are #rrggbb; `picture` a clean file with its size."""

    kind: str
    said: dict[str, str]
    subject: str
    mood: str
    colours: tuple[str, ...] = ()
    picture: tuple[bytes, str, tuple[int, int]] | None = None


def valid(brief: dict[str, Any]) -> Brief:
    """Errors: BriefInvalid naming the field."""
    properties: dict[str, dict[str, Any]] = BRIEF_SCHEMA["properties"]
    for name in brief:
        if name not in properties:
            raise BriefInvalid("There is no such field.", where=str(name), remedy=f"Use only {', '.join(properties)}.")
    told = {name: _field(name, rules, brief.get(name)) for name, rules in properties.items()}
    kind = KINDS[told["kind"]]
    needed = "subject" if kind.name in WORDLESS else "headline"
    if not told[needed]:
        raise BriefInvalid("This is missing.", where=needed, remedy=properties[needed]["description"])
    said = {role: told[role] for role in ("headline", "text", "date", "place", "action") if told[role]}
    said = {role: words for role, words in said.items() if role in kind.fields}
    for role, words in said.items():
        _can_be_set(words, role)
    return Brief(
        kind=kind.name,
        said=said,
        subject=told["subject"] or " ".join((told["headline"], told["text"])).strip(),
        mood=MOODS[told["mood"]],
        colours=_colours(told["colours"]),
        picture=_picture(told["image"]),
    )


def _field(name: str, rules: dict[str, Any], value: Any) -> str:
    if value is None or value == "":
        value = rules.get("default", "")
    if not isinstance(value, str):
        raise BriefInvalid("This must be text.", where=name, remedy="Write it in words.")
    if len(value) > rules.get("maxLength", len(value)):
        raise BriefInvalid(
            f"This is {len(value)} characters long; at most {rules['maxLength']} fit.",
            where=name,
            remedy="Make the picture smaller." if name == "image" else f"Shorten it to {rules['maxLength']}.",
        )
    text = value if name == "image" else tidy(value)
    if "enum" in rules and text not in rules["enum"]:
        raise BriefInvalid(
            f"“{text[:40]}” is not a choice.", where=name, remedy=f"Choose one of {', '.join(rules['enum'])}."
        )
    return text


def _can_be_set(words: str, role: str) -> None:
    """Errors: BriefInvalid where a letter is in none of the fonts: it would be drawn as a box."""
    from .type.choosing import fallbacks
    from .type.faces import missing

    without = missing(words, fallbacks())
    if without:
        named = " ".join(without[:8])
        raise BriefInvalid(f"No font here has {named}", where=role, remedy=f"Write it without {named}")


def tidy(value: str) -> str:
    """One line of letters that can be set: no controls, but joiners and marks of direction stay."""
    plain = unicodedata.normalize("NFC", value)
    kept = (c if c.isprintable() or unicodedata.category(c) == "Cf" else " " for c in plain)
    return " ".join("".join(kept).split())


def _colours(text: str) -> tuple[str, ...]:
    found: list[tuple[str, float]] = []
    tokens = [token for token in _COLOUR.findall(text) if token.lower() not in _BETWEEN]
    while tokens:
        name = tokens.pop(0)
        both = colour(name + tokens[0]) if tokens else None  # dark blue is darkblue in CSS
        if both is not None:
            tokens.pop(0)
        known = both or colour(name)
        if known is None:
            raise BriefInvalid(
                f"“{name}” is no colour.", where="colours", remedy="Write colours as #rrggbb or by their English names."
            )
        found.append(known)
    return tuple(dict.fromkeys(name for name, _ in found))[:3]


def _picture(text: str) -> tuple[bytes, str, tuple[int, int]] | None:
    if not text:
        return None
    body = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return clean_picture(base64.b64decode(body, validate=True), "image")
    except (binascii.Error, ValueError, Unreadable) as error:
        raise BriefInvalid(
            "This is no picture that can be read.", where="image", remedy="Choose a PNG or JPEG file."
        ) from error
