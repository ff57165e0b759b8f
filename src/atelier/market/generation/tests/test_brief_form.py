"""Any engine's brief schema becomes a form: nothing here is about one engine."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from atelier.market.core.errors import Invalid
from atelier.market.generation.brief_form import brief_rows, check_brief
from atelier.market.generation.forms import AskForm
from atelier.workshop.contract import Capabilities, engine

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["subject", "seats"],
    "properties": {
        "subject": {
            "type": "string",
            "title": "Subject",
            "description": "What it <b>is</b> about.",
            "maxLength": 40,
            "examples": ["A blue mug"],
        },
        "mood": {"type": "string", "enum": ["calm", "bright", "grave"], "x-enum-titles": ["Calm", "Bright", "Grave"]},
        "place": {"type": "string", "enum": ["a", "b", "c", "d", "e"], "default": "b"},
        "seats": {"type": "integer", "minimum": 1, "maximum": 9},
        "tempo": {"type": "number", "minimum": 0.5},
        "loud": {"type": "boolean", "title": "Loud"},
        "colours": {"type": "array", "items": {"type": "string", "enum": ["red", "blue"]}},
        "names": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "story": {"type": "string", "maxLength": 2000},
        "notes": {"type": "string", "x-widget": "textarea"},
    },
}


@pytest.fixture
def capabilities() -> Capabilities:
    return engine("fake").capabilities().model_copy(update={"brief_schema": SCHEMA})


def sent(**values: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update({"key": str(uuid.uuid4()), "samples": "2"})
    for name, value in values.items():
        data.setlist(f"brief_{name}", value if isinstance(value, list) else [value])
    return data


def test_fields_come_in_the_order_of_the_schema_and_before_the_forms_own(capabilities: Capabilities) -> None:
    names = list(AskForm(capabilities).fields)
    assert names[:10] == [f"brief_{name}" for name in SCHEMA["properties"]]
    assert names[10:] == ["samples", "key", "source", "again"]


def test_each_kind_of_property_has_its_widget(capabilities: Capabilities) -> None:
    fields = AskForm(capabilities).fields
    widgets = {name[6:]: type(field.widget) for name, field in fields.items() if name.startswith("brief_")}
    assert widgets == {
        "subject": forms.TextInput,
        "mood": forms.RadioSelect,
        "place": forms.Select,
        "seats": forms.NumberInput,
        "tempo": forms.NumberInput,
        "loud": forms.CheckboxInput,
        "colours": forms.CheckboxSelectMultiple,
        "names": forms.Textarea,
        "story": forms.Textarea,
        "notes": forms.Textarea,
    }
    required = [name[6:] for name, field in fields.items() if field.required and name.startswith("brief_")]
    assert required == ["subject", "seats"]
    assert fields["brief_place"].initial == "b"
    assert fields["brief_subject"].widget.attrs["placeholder"] == "A blue mug"


def test_words_of_an_engine_are_never_markup(capabilities: Capabilities) -> None:
    assert AskForm(capabilities).fields["brief_subject"].help_text == "What it &lt;b&gt;is&lt;/b&gt; about."


def test_a_filled_form_is_a_brief_of_the_right_types_without_what_was_left_empty(capabilities: Capabilities) -> None:
    form = AskForm(
        capabilities,
        sent(
            subject="A mug", mood="", seats="3", tempo="1.5", loud="on", colours=["red", "blue"], names="Ada\n\nBo \n"
        ),
    )
    assert form.is_valid(), form.errors
    assert form.brief == {
        "subject": "A mug",
        "seats": 3,
        "tempo": 1.5,
        "loud": True,
        "colours": ["red", "blue"],
        "names": ["Ada", "Bo"],
    }


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"seats": "3"}, "brief_subject"),
        ({"subject": "x" * 41, "seats": "3"}, "brief_subject"),
        ({"subject": "x", "seats": "10"}, "brief_seats"),
        ({"subject": "x", "seats": "many"}, "brief_seats"),
        ({"subject": "x", "seats": "3", "mood": "furious"}, "brief_mood"),
        ({"subject": "x", "seats": "3", "names": "a\nb\nc"}, "brief_names"),
    ],
)
def test_what_is_wrong_stands_at_its_field(capabilities: Capabilities, values: dict[str, str], field: str) -> None:
    form = AskForm(capabilities, sent(**values))
    assert not form.is_valid()
    assert list(form.errors) == [field]


def test_what_another_answer_makes_necessary_is_missed_at_its_field() -> None:
    schema = {
        **SCHEMA,
        "required": [],
        "if": {"properties": {"mood": {"const": "calm"}}, "required": ["mood"]},
        "then": {"required": ["notes"]},
        "else": {"required": ["subject"]},
    }
    for brief, field in (({"mood": "calm"}, "notes"), ({"mood": "grave"}, "subject"), ({}, "subject")):
        with pytest.raises(Invalid) as caught:
            check_brief(schema, brief)
        assert caught.value.field == field
    check_brief(schema, {"mood": "calm", "notes": "few"})


def test_a_brief_goes_into_the_form_and_comes_out_the_same(capabilities: Capabilities) -> None:
    brief = {"subject": "A mug", "mood": "calm", "seats": 3, "loud": True, "colours": ["blue"], "names": ["Ada", "Bo"]}
    again = AskForm.starting_from(capabilities, brief, samples=2, source=uuid.uuid4(), again=True).sent_again()
    assert again.is_valid(), again.errors
    assert {name: again.brief[name] for name in brief} == brief
    assert again.cleaned_data["again"] is True


def test_a_brief_is_read_by_its_titles() -> None:
    brief = {"loud": True, "mood": "grave", "colours": ["red", "blue"], "gone": "x"}
    assert brief_rows(SCHEMA, brief) == [("mood", "Grave"), ("Loud", "yes"), ("colours", "red, blue")]


PICTURE = {
    "type": "object",
    "properties": {
        "subject": {"type": "string"},
        "photo": {
            "type": "string",
            "title": "Your picture",
            "maxLength": 4000,
            "contentEncoding": "base64",
            "contentMediaType": "image/*",
        },
    },
    "required": ["subject"],
}


def png(extra: int = 0) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + bytes(extra)


def with_picture(content: bytes | None, kept: dict[str, str] | None = None, **values: Any) -> AskForm:
    capabilities = engine("fake").capabilities().model_copy(update={"brief_schema": PICTURE})
    files = MultiValueDict({} if content is None else {"brief_photo": [SimpleUploadedFile("a.png", content)]})
    return AskForm(capabilities, sent(subject="x", **values), files, kept=kept)


def test_a_picture_is_chosen_as_a_file_and_kept_as_base64() -> None:
    form = with_picture(png())
    assert form.is_multipart()
    assert form.fields["brief_photo"].widget.attrs["accept"] == "image/*"
    assert "At most 2.9\xa0KB." in str(form.fields["brief_photo"].help_text)
    assert form.is_valid(), form.errors
    assert form.brief == {"subject": "x", "photo": base64.b64encode(png()).decode()}
    assert brief_rows(PICTURE, form.brief) == [("subject", "x"), ("Your picture", "a picture, 8\xa0bytes")]
    assert with_picture(None).is_valid()


@pytest.mark.parametrize("content", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"words", png(3000)])
def test_what_is_no_picture_or_too_large_a_one_is_refused_at_its_field(content: bytes) -> None:
    form = with_picture(content)
    assert not form.is_valid()
    assert list(form.errors) == ["brief_photo"]


def test_a_picture_has_to_be_chosen_again_when_something_else_is_wrong() -> None:
    form = with_picture(png(), samples="99")
    form.data["samples"] = "99"
    assert not form.is_valid()
    form.ask_for_files_again()
    assert "Choose the picture again" in form.errors["brief_photo"][0]


def test_the_picture_of_an_earlier_brief_stands_until_another_is_chosen_or_none_is_wanted() -> None:
    before = base64.b64encode(png()).decode()
    kept = {"photo": before}
    form = with_picture(None, kept)
    assert form.is_valid(), form.errors
    assert form.brief["photo"] == before
    assert "is kept unless you choose another" in str(form.fields["brief_photo"].help_text)
    assert before not in form.as_p()
    other = with_picture(png(5), kept)
    assert other.is_valid()
    assert other.brief["photo"] == base64.b64encode(png(5)).decode()
    none = with_picture(None, kept, photo__without="on")
    assert none.is_valid()
    assert "photo" not in none.brief
    capabilities = engine("fake").capabilities().model_copy(update={"brief_schema": PICTURE})
    again = AskForm.starting_from(capabilities, {"subject": "x", "photo": before}, samples=1).sent_again()
    assert again.brief["photo"] == before


@pytest.mark.parametrize("value", ["not base64!", base64.b64encode(b"<svg/>").decode(), "A" * 4004, 7])
def test_the_api_takes_a_picture_in_base64_and_nothing_else(value: Any) -> None:
    check_brief(PICTURE, {"subject": "x", "photo": base64.b64encode(png()).decode()})
    with pytest.raises(Invalid) as caught:
        check_brief(PICTURE, {"subject": "x", "photo": value})
    assert caught.value.field == "photo"
    assert len(caught.value.message) < 300


def test_an_unknown_field_is_named_with_those_there_are() -> None:
    with pytest.raises(Invalid) as caught:
        check_brief(SCHEMA, {"subject": "x", "seats": 1, "colour": "red"})
    assert "subject" in caught.value.remedy
