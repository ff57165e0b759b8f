"""What the forms of every room share."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms

from .errors import MarketError


def put_error(form: forms.Form, error: MarketError, **fields: str) -> None:
    """Put an action's error beside the field it concerns; `fields` maps names of the action to names of the form."""
    field = fields.get(error.field, error.field)
    form.add_error(field if field in form.fields else None, f"{error.message} {error.remedy}".strip())


def fresh_key() -> str:
    """A key that makes a form sent twice count once."""
    return uuid.uuid4().hex


class PhrasesField(forms.CharField):
    """Short phrases, one a line or parted by commas, as a list."""

    def prepare_value(self, value: Any) -> Any:
        """A list as text, parted as the widget shows it."""
        parting = "\n" if isinstance(self.widget, forms.Textarea) else ", "
        return parting.join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """Text as a list without blanks."""
        lines = str(value or "").replace("\x00", "").replace(",", "\n").splitlines()
        return [phrase for line in lines if (phrase := " ".join(line.split()))]

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """Bounds are the action's."""
