"""What may be asked for, and that everything else is refused by the name of its field."""

from __future__ import annotations

import base64
import io
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from atelier.workshop.contract import BriefInvalid
from atelier.workshop.engines.design.briefs import tidy, valid
from atelier.workshop.engines.design.layout.kinds import KINDS
from atelier.workshop.engines.design.schema import BRIEF_SCHEMA

WHOLE = {
    "kind": "poster", "headline": "Summer fair", "text": "Two scoops for one", "date": "5 to 7 July",
    "place": "The quay", "action": "Book", "subject": "ice cream", "mood": "playful", "colours": "#0b3d91, gold",
}  # fmt: skip


def picture() -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 20), "#c00").save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_a_whole_brief_is_understood() -> None:
    found = valid(WHOLE | {"image": picture()})
    assert (found.kind, found.subject, found.mood) == ("poster", "ice cream", "playful")
    assert found.said == {name: WHOLE[name] for name in ("headline", "text", "date", "place", "action")}
    assert found.colours == ("#0b3d91", "#ffd700")
    assert found.picture is not None
    assert found.picture[1:] == ("image/png", (30, 20))


@pytest.mark.parametrize(
    ("text", "colours"),
    [
        ("#0B3D91", ("#0b3d91",)),
        ("gold and dark blue", ("#ffd700", "#00008b")),
        ("rgb(1, 2, 3); hsl(120 100% 50%)", ("#010203", "#00ff00")),
        ("red red red", ("#ff0000",)),
        ("red, green, blue, white", ("#ff0000", "#008000", "#0000ff")),
    ],
)
def test_colours_are_read_as_people_write_them(text: str, colours: tuple[str, ...]) -> None:
    assert valid({"headline": "a", "colours": text}).colours == colours


def test_only_a_headline_is_needed() -> None:
    found = valid({"headline": "Summer fair"})
    assert (found.kind, found.said, found.subject) == ("post", {"headline": "Summer fair"}, "Summer fair")
    assert (found.mood, found.colours, found.picture) == ("", (), None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_takes_the_words_that_it_shows(kind: str) -> None:
    assert set(valid(WHOLE | {"kind": kind}).said) == set(KINDS[kind].fields)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"headline": ""}, "headline", "missing"),
        ({"headline": "\u0007 \n"}, "headline", "missing"),
        ({"headline": "a" * 91}, "headline", "91 characters"),
        ({"headline": 7}, "headline", "must be text"),
        ({"headline": "Party 🎉"}, "headline", "No font here has 🎉"),
        ({"place": "𓀀 street"}, "place", "No font here has 𓀀"),
        ({"kind": "sculpture"}, "kind", "not a choice"),
        ({"mood": "angry"}, "mood", "not a choice"),
        ({"colours": "blurple"}, "colours", "no colour"),
        ({"colours": "#12"}, "colours", "no colour"),
        ({"image": "not base64!"}, "image", "no picture"),
        ({"image": base64.b64encode(b"<svg/>").decode()}, "image", "no picture"),
        ({"typeface": "Comic Sans"}, "typeface", "no such field"),
    ],
)
def test_what_cannot_be_made_is_refused_by_its_field(change: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(BriefInvalid, match=message) as refused:
        valid(WHOLE | change)
    assert refused.value.where == field
    assert refused.value.remedy


def test_letters_that_are_not_shown_need_no_font() -> None:
    assert valid(WHOLE | {"kind": "pattern", "headline": "🎉"}).said == {}


@pytest.mark.parametrize("words", ["Café", "שלום עולם", "مرحبا", "नमस्ते", "Привет", "Γειά", "Tiếng Việt", "สวัสดี"])
def test_many_scripts_can_be_set(words: str) -> None:
    assert valid({"headline": words}).said["headline"] == words


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_headline_is_taken_or_refused(text: str) -> None:
    try:
        found = valid({"headline": text})
    except BriefInvalid as error:
        refused = error
    else:
        assert found.said["headline"] == tidy(text)
        return
    assert refused.where == "headline"


def test_words_are_one_line_of_what_can_be_printed() -> None:
    assert tidy("  Two\n scoops\u0000\u2028 e\u0301 ") == "Two scoops é"


def test_the_form_describes_itself() -> None:
    jsonschema.Draft202012Validator.check_schema(BRIEF_SCHEMA)
    jsonschema.validate(WHOLE, BRIEF_SCHEMA)
    for rules in BRIEF_SCHEMA["properties"].values():
        assert {"title", "description"} <= set(rules)
    example = {name: rules["examples"][0] for name, rules in BRIEF_SCHEMA["properties"].items() if "examples" in rules}
    assert valid(example).said
