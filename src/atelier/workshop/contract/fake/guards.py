"""Checks of what is asked and of what may be written: the brief against its schema, guardrails against both."""

from __future__ import annotations

from typing import Any

from atelier.workshop.contract.errors import BriefInvalid, Refused
from atelier.workshop.contract.specs import Guardrails

from .bigrams import words

FORMATS = ("paragraph", "tagline", "letter")

BRIEF_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "subject": {
            "type": "string",
            "title": "Subject",
            "description": "What the text is about.",
            "minLength": 1,
            "maxLength": 300,
        },
        "format": {"type": "string", "title": "Format", "enum": list(FORMATS), "default": "paragraph"},
        "length": {
            "type": "integer",
            "title": "Length",
            "description": "In words.",
            "minimum": 5,
            "maximum": 400,
            "default": 40,
        },
    },
    "required": ["subject"],
    "additionalProperties": False,
}


def checked_brief(brief: dict[str, Any]) -> dict[str, Any]:
    """The brief with its defaults filled in. Errors: BriefInvalid naming the field."""
    properties = BRIEF_SCHEMA["properties"]
    for field in brief:
        if field not in properties:
            raise BriefInvalid("is not a field of this brief.", where=field, remedy=f"Fields: {', '.join(properties)}.")
    full = {name: p["default"] for name, p in properties.items() if "default" in p} | brief
    subject = full.get("subject")
    if not isinstance(subject, str) or not 1 <= len(subject.strip()) <= properties["subject"]["maxLength"]:
        raise BriefInvalid("must be a text of 1 to 300 characters.", where="subject", remedy="Say what it is about.")
    if full["format"] not in FORMATS:
        raise BriefInvalid("is not known.", where="format", remedy=f"Choose one of: {', '.join(FORMATS)}.")
    if type(full["length"]) is not int or not 5 <= full["length"] <= 400:
        raise BriefInvalid("must be a whole number from 5 to 400.", where="length", remedy="Choose a length in words.")
    return full


def refuse_forbidden(brief: dict[str, Any], guardrails: Guardrails) -> None:
    """Errors: Refused when the subject touches a refused subject or holds a word that is never used."""
    subject = _spoken(brief["subject"])
    for kind, phrases in (("subject", guardrails.subjects_refused), ("word", guardrails.words_never)):
        for phrase in phrases:
            if _spoken(phrase).strip() and _spoken(phrase) in subject:
                raise Refused(
                    f"This creation model refuses the {kind} “{phrase}”.",
                    where="subject",
                    remedy="Ask for something else.",
                )


class NeverWords:
    """Says of a list of words whether its end is free of every phrase that is never used."""

    def __init__(self, phrases: tuple[str, ...]) -> None:
        self._phrases = [spoken for phrase in phrases if (spoken := [w.casefold() for w in words(phrase)])]

    def allowed(self, parts: list[str]) -> bool:
        return not any([w.casefold() for w in parts[-len(p) :]] == p for p in self._phrases)


def _spoken(text: str) -> str:
    return f" {' '.join(w.casefold() for w in words(text))} "
