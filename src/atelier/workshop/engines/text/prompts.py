"""What a buyer may ask for, and how a brief or a training work becomes a prompt of one and the same shape."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atelier.workshop.contract import BriefInvalid, WorkFile

from .chat import CHATML, Template, template_of
from .reading.languages import guess_language, is_common

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SYSTEM = "You are a writer with a voice of your own. You write the finished text and nothing else."
LENGTHS = ("short", "medium", "long")
LANGUAGES = {"en": "English", "fr": "French", "de": "German", "es": "Spanish"}
TOKENS_PER_WORD = 1.6
"""Generous for English, whose words take about 1.35 tokens; other languages take up to 2.2."""
GREETING = re.compile(
    r"^(dear|hello|hi|good (morning|evening)|bonjour|bonsoir|cher|chère|chers|chères|madame|monsieur|mesdames)\b", re.I
)
SUBJECT_LINE = re.compile(r"^(subject|objet|re) ?:", re.I)
FACTS_MOST = 4
"""How many names and numbers of a work its brief asks for, as buyers give a few."""
_FACT = re.compile(r"(?<=[a-zß-ÿ0-9,;:] )[A-ZÀ-Ý][^\W\d_]{2,}|\d+")
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True)
class Format:
    """A form of text: the words by which a work's tags betray it, and the words (least, most) of each length."""

    clues: tuple[str, ...]
    short: tuple[int, int]
    medium: tuple[int, int]
    long: tuple[int, int]

    def words(self, length: str) -> tuple[int, int]:
        return {"short": self.short, "medium": self.medium, "long": self.long}[length]


_LINE = ((3, 8), (8, 14), (14, 25))
_NOTE = ((15, 40), (40, 80), (80, 140))
_TEXT = ((30, 70), (70, 150), (150, 280))
FORMATS: dict[str, Format] = {
    "product description": Format(("product", "description", "catalogue", "catalog", "listing"), *_TEXT),
    "tagline": Format(("tagline", "slogan", "strapline", "claim"), *_LINE),
    "headline": Format(("headline",), *_LINE),
    "call to action": Format(("call to action", "cta", "button"), *_LINE),
    "social post": Format(("social", "post", "tweet", "instagram", "linkedin", "facebook", "caption"), *_NOTE),
    "e-mail": Format(("email", "e mail", "newsletter", "mail"), *_TEXT),
    "advertisement": Format(("ad", "advert", "advertisement", "banner", "poster"), *_NOTE),
    "blog post": Format(("blog", "article", "column"), (80, 150), (150, 250), (250, 400)),
    "letter": Format(("letter", "note"), *_TEXT),
    "story": Format(("story", "tale", "fable", "fiction", "narrative"), *_TEXT),
    "poem": Format(("poem", "verse", "lyrics", "song"), *_NOTE),
    "text": Format((), *_TEXT),
}

BRIEF_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["subject"],
    "properties": {
        "subject": {
            "type": "string",
            "title": "Product or subject",
            "description": "What the text is about, in a few words.",
            "minLength": 1,
            "maxLength": 200,
            "examples": ["A hand-thrown stoneware mug"],
        },
        "format": {
            "type": "string",
            "title": "Format",
            "description": "What kind of text you need.",
            "enum": list(FORMATS),
            "default": "product description",
            "examples": ["social post"],
        },
        "audience": {
            "type": "string",
            "title": "Audience",
            "description": "Who will read it.",
            "maxLength": 120,
            "examples": ["People who drink their first coffee standing"],
        },
        "details": {
            "type": "string",
            "title": "Facts to include",
            "description": "Names, numbers, materials, dates: whatever must not be missed.",
            "maxLength": 600,
            "examples": ["Holds 300 ml; glazed in ash blue; safe in the dishwasher"],
            "x-widget": "textarea",
        },
        "length": {
            "type": "string",
            "title": "Length",
            "description": "How long it may be, as is usual for the format.",
            "enum": list(LENGTHS),
            "default": "medium",
            "examples": ["short"],
        },
        "language": {
            "type": "string",
            "title": "Language",
            "description": "The language of the text.",
            "enum": list(LANGUAGES),
            "x-enum-titles": list(LANGUAGES.values()),
            "default": "en",
            "examples": ["en"],
        },
    },
}


def validate_brief(brief: dict[str, Any]) -> dict[str, str]:
    """The brief with white space tidied and defaults filled in, fields in the order of the schema.

    Errors: BriefInvalid naming the field.
    """
    properties: dict[str, dict[str, Any]] = BRIEF_SCHEMA["properties"]
    for name in brief:
        if name not in properties:
            raise BriefInvalid("There is no such field.", where=str(name), remedy=f"Use only {', '.join(properties)}.")
    return {name: _field(name, rules, brief.get(name)) for name, rules in properties.items()}


def _field(name: str, rules: dict[str, Any], value: Any) -> str:
    if value is None or value == "":
        value = rules.get("default", "")
    if not isinstance(value, str):
        raise BriefInvalid("This must be text.", where=name, remedy="Write it in words.")
    text = _tidy(value)
    if not text and name in BRIEF_SCHEMA["required"]:
        raise BriefInvalid("This is missing.", where=name, remedy=rules["description"])
    if len(text) > rules.get("maxLength", len(text)):
        most = rules["maxLength"]
        raise BriefInvalid(
            f"This is {len(text)} characters long; at most {most} fit.", where=name, remedy=f"Shorten it to {most}."
        )
    if "enum" in rules and text not in rules["enum"]:
        raise BriefInvalid(
            f"“{text[:40]}” is not a choice.", where=name, remedy=f"Choose one of {', '.join(rules['enum'])}."
        )
    return text


def _tidy(value: str) -> str:
    """One line of printable text; what looks like the marks of the chat template is taken out."""
    plain = unicodedata.normalize("NFC", value).replace("<|", "< ").replace("|>", " >").replace("think>", "think >")
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())


def prompt_text(brief: dict[str, Any], template: Template = CHATML) -> str:
    """The prompt of a valid brief up to where the text begins, in the chat template of the base."""
    asked = template.turn("user", request_text(validate_brief(brief)))
    return f"{opening_text(template)}{asked}{template.opened()}"


def prompt_text_for_work(work: WorkFile, text: str, template: Template = CHATML) -> str:
    """The prompt that a brief for this very work would have made, from its title, tags, description and length."""
    return prompt_text(brief_for_work(work, text), template)


def prompt_tokens(tokenizer: Tokenizer, brief: dict[str, Any]) -> list[int]:
    """`prompt_text` as token ids."""
    return list(tokenizer.encode(prompt_text(brief, template_of(tokenizer)), add_special_tokens=False).ids)


def opening_text(template: Template) -> str:
    """What every prompt begins with: the system's turn."""
    return f"{template.begin}{template.turn('system', SYSTEM)}"


def request_text(brief: dict[str, str]) -> str:
    """What the buyer says, of a valid brief."""
    low, high = FORMATS[brief["format"]].words(brief["length"])
    form, article = brief["format"], "an" if brief["format"][0] in "aeiou" else "a"
    lines = [f"Write {article} {form} in {LANGUAGES[brief['language']]}, {low} to {high} words."]
    lines.append(f"Subject: {brief['subject']}")
    if brief["audience"]:
        lines.append(f"Audience: {brief['audience']}")
    if brief["details"]:
        lines.append(f"Include: {brief['details']}")
    return "\n".join(lines)


def brief_for_work(work: WorkFile, text: str) -> dict[str, str]:
    """The brief whose answer this work might have been; every field within the bounds of the schema.

    What a work lacks is read from its text: its subject from the words it says most, its language, the names and
    numbers that a buyer would have given. A brief that asks for what its work has teaches to use what is asked for.
    """
    words = len(text.split())
    form = format_for_work(work, words) if any(map(_plain, work.tags)) else _format_by_shape(text, words)
    title, description = _tidy(work.title), _tidy(work.description)
    subject = title or description or ", ".join(_said_most(_tidy(text))) or " ".join(_tidy(text).split()[:8])
    said = {_plain(subject), _plain(form), *FORMATS[form].clues}
    themes = [tag for tag in map(_tidy, work.tags) if tag and not {_plain(tag), _plain(tag).removesuffix("s")} & said]
    told = _plain(" ".join((subject, description, *themes))).split()
    facts = [
        fact for fact in dict.fromkeys(_FACT.findall(_tidy(text))) if not (_plain(fact) in told or is_common(fact))
    ]
    details = "; ".join(
        part for part in (description if title else "", ", ".join(themes), ", ".join(facts[:FACTS_MOST])) if part
    )
    language = work.language.lower()[:2] or guess_language(text)
    return {
        "subject": subject[:200].strip(),
        "format": form,
        "audience": "",
        "details": details[:600].strip(),
        "length": length_for(form, words),
        "language": language if language in LANGUAGES else "en",
    }


def format_for_work(work: WorkFile, words: int) -> str:
    """The format that the tags betray; a very short piece without a clue is a tagline."""
    for tag in work.tags:
        spoken = f" {_plain(tag)} "
        for name, form in FORMATS.items():
            if any(f" {clue} " in spoken or f" {clue}s " in spoken for clue in (_plain(name), *form.clues)):
                return name
    return "tagline" if words <= _LINE[2][1] else "text"


def _format_by_shape(text: str, words: int) -> str:
    """The format of a work without tags: e-mails and letters are known by how they begin."""
    lines = text.strip().splitlines() or [""]
    if SUBJECT_LINE.match(lines[0]):
        return "e-mail"
    if len(lines) > 1 and GREETING.match(lines[0]):
        return "letter"
    return "tagline" if words <= _LINE[2][1] else "text"


def _said_most(text: str) -> list[str]:
    """The three words that a text says most, common ones aside; of equals the longer. In the order of the text."""
    words = [word for word in _LONG_WORD.findall(text) if not is_common(word)]
    counts = Counter(map(str.casefold, words))
    first = {word.casefold(): word for word in reversed(words)}
    most = sorted(first, key=lambda word: (-counts[word], -len(word), word))[:3]
    return [first[word] for word in sorted(most, key=text.casefold().index)]


def length_for(form: str, words: int) -> str:
    """The length under which a text of so many words falls in this format."""
    return next((name for name in LENGTHS if words <= FORMATS[form].words(name)[1]), "long")


def max_tokens(brief: dict[str, Any]) -> int:
    """The most tokens an answer may take: room for the longest text of that length and a little more."""
    valid = validate_brief(brief)
    most = FORMATS[valid["format"]].words(valid["length"])[1]
    per_word = TOKENS_PER_WORD if valid["language"] == "en" else 2.4
    return int(most * per_word) + 16


def _plain(text: str) -> str:
    """Lower case, letters and digits only, single spaces."""
    return " ".join(re.findall(r"\w+", text.casefold()))
