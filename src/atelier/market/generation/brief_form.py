"""Turns an engine's brief schema (JSON Schema 2020-12) into a Django form, and checks briefs against the schema.

Every property becomes a field, in the order it is written: title → label, description → help, first example →
placeholder, default → initial. Enums of up to four choices are radio buttons, longer ones a select; an array of an
enum is check boxes, any other array one item a line. `x-enum-titles` names the choices, `x-widget: textarea` asks for
room to write. A string whose content is a picture in base64 is chosen as a file (`brief_pictures`). Nothing here knows
what the engine makes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from atelier.market.core.errors import Invalid

from . import brief_pictures

PREFIX = "brief_"
RADIO_MOST = 4
LINE_MOST = 300
BRIEF_MOST = 20_000
"""Characters of JSON that a brief may take without its pictures; no schema needs more."""


class LinesField(forms.CharField):
    """Several short texts, one a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        """A list as lines."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """The lines that are not blank, as a list."""
        return [line.strip() for line in (super().clean(value) or "").splitlines() if line.strip()]


def brief_fields(schema: Mapping[str, Any]) -> dict[str, forms.Field]:
    """The form fields of a schema by prefixed name, so that no property collides with the form's own fields."""
    required = set(schema.get("required", ()))
    return {
        PREFIX + name: _field(name, rules, name in required) for name, rules in schema.get("properties", {}).items()
    }


def brief_of(schema: Mapping[str, Any], cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """The brief that a cleaned form stands for. What was left empty is left out, so that the engine's default holds."""
    found = {name: cleaned.get(PREFIX + name) for name in schema.get("properties", {})}
    return {name: value for name, value in found.items() if value is not None and value != "" and value != []}


def brief_rows(schema: Mapping[str, Any], brief: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A brief for reading: the title of each field and what was asked, in the order of the schema.

    A picture is told by its size, in a brief as it is and in one that was told before.
    """
    brief = brief_pictures.told(schema, brief)
    rows = []
    for name, rules in schema.get("properties", {}).items():
        if name in brief:
            values = brief[name] if isinstance(brief[name], list) else [brief[name]]
            rows.append((str(rules.get("title", name)), ", ".join(_title_of(rules, value) for value in values)))
    return rows


def _title_of(rules: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, dict):
        return brief_pictures.in_words(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    chosen = rules if "enum" in rules else rules.get("items", {})
    titles = dict(_choices(chosen)) if "enum" in chosen and "x-enum-titles" in chosen else {}
    return str(titles.get(value, value))


def check_brief(schema: Mapping[str, Any], brief: Mapping[str, Any]) -> None:
    """Errors: Invalid whose `field` is the property that is wrong; also for what JSON or storage forbids."""
    pictures = brief_pictures.pictures_in(schema, brief)
    _check_storable({name: value for name, value in brief.items() if name not in pictures})
    for name, value in pictures.items():
        if isinstance(value, str):
            brief_pictures.check_picture(name, schema["properties"][name], value)
    wrong = sorted(Draft202012Validator(dict(schema)).iter_errors(dict(brief)), key=lambda error: len(error.path))
    if wrong:
        raise Invalid(_words(wrong[0]), field=_place(wrong[0]), remedy=_remedy(wrong[0], schema))


def _check_storable(brief: Mapping[str, Any]) -> None:
    """PostgreSQL stores no NUL, and no JSON holds half a character or a number that is none."""
    try:
        text = json.dumps(dict(brief), allow_nan=False, ensure_ascii=False)
        text.encode()
    except (ValueError, TypeError, RecursionError):
        raise Invalid(_("The brief holds something that is not text."), remedy=_("Write it in words.")) from None
    if "\\u0000" in text:
        raise Invalid(_("The brief holds a character that cannot be kept."), remedy=_("Write it in words."))
    if len(text) > BRIEF_MOST:
        raise Invalid(_("The brief is too long."), remedy=_("Say the same in fewer words."))


def _field(name: str, rules: Mapping[str, Any], required: bool) -> forms.Field:
    common: dict[str, Any] = {
        "label": rules.get("title", name.replace("_", " ").capitalize()),
        # Help is written into the page as HTML, and an engine may be a third party's.
        "help_text": escape(rules.get("description", "")),
        "initial": rules.get("default"),
        "required": required,
    }
    kind = rules.get("type", "string")
    if brief_pictures.is_picture(rules):
        return brief_pictures.PictureField(name, rules, **{**common, "initial": None})
    if kind == "array":
        items = rules.get("items", {})
        if "enum" in items:
            return forms.MultipleChoiceField(choices=_choices(items), widget=forms.CheckboxSelectMultiple, **common)
        return LinesField(**common)
    if "enum" in rules:
        return _enum(rules, kind, common)
    if kind == "boolean":
        return forms.BooleanField(**{**common, "required": False})
    if kind in {"integer", "number"}:
        chosen = forms.IntegerField if kind == "integer" else forms.FloatField
        return chosen(min_value=rules.get("minimum"), max_value=rules.get("maximum"), **common)
    return _text(rules, common)


def _enum(rules: Mapping[str, Any], kind: str, common: dict[str, Any]) -> forms.Field:
    choices = _choices(rules)
    if not common["required"] and common["initial"] is None:
        choices = [("", _("No preference")), *choices]
    widget: forms.Widget = forms.RadioSelect() if len(choices) <= RADIO_MOST else forms.Select()
    coerce: Any = {"integer": int, "number": float}.get(kind, str)
    return forms.TypedChoiceField(choices=choices, coerce=coerce, empty_value=None, widget=widget, **common)


def _choices(rules: Mapping[str, Any]) -> list[tuple[Any, str]]:
    titles = rules.get("x-enum-titles") or [str(value).capitalize() for value in rules["enum"]]
    return list(zip(rules["enum"], titles, strict=True))


def _text(rules: Mapping[str, Any], common: dict[str, Any]) -> forms.Field:
    most = rules.get("maxLength")
    attributes = {"placeholder": str(rules["examples"][0])} if rules.get("examples") else {}
    roomy = rules.get("x-widget") == "textarea" or (most or 0) > LINE_MOST
    widget: forms.Widget = forms.Textarea({**attributes, "rows": 3}) if roomy else forms.TextInput(attributes)
    least = rules.get("minLength") if common["required"] else None
    return forms.CharField(max_length=most, min_length=least, widget=widget, **common)


def _place(error: ValidationError) -> str:
    if error.path:
        return str(error.path[0])
    if error.validator == "required" and isinstance(error.instance, dict):
        needed = error.validator_value if isinstance(error.validator_value, list) else []
        missing = [name for name in needed if name not in error.instance]
        return str(missing[0]) if missing else ""
    return ""


def _words(error: ValidationError) -> str:
    """What is wrong, in words for a person; the library's own for what is rare."""
    limit = error.validator_value
    known = {
        "required": _("This is missing."),
        "enum": _("This is not one of the choices."),
        "maxLength": _("This is longer than %(limit)s characters."),
        "minLength": _("This is shorter than %(limit)s characters."),
        "maximum": _("This is more than %(limit)s."),
        "minimum": _("This is less than %(limit)s."),
        "type": _("This is not of the right kind (%(limit)s)."),
        "additionalProperties": _("The brief has a field that this creation model does not know."),
    }
    words = known.get(str(error.validator))
    return words % {"limit": limit} if words else str(error.message)[:300]


def _remedy(error: ValidationError, schema: Mapping[str, Any]) -> str:
    if error.validator == "enum" and isinstance(error.validator_value, list):
        return _("Choose one of: %(choices)s.") % {"choices": ", ".join(map(str, error.validator_value))}
    if error.validator == "additionalProperties":
        return _("Use only: %(fields)s.") % {"fields": ", ".join(schema.get("properties", {}))}
    rules = schema.get("properties", {}).get(_place(error), {})
    return str(rules.get("description", ""))
