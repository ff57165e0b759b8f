"""The form by which samples are asked for: the engine's own brief, how many samples, and what makes it happen once."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from atelier.market.core.errors import Invalid, MarketError
from atelier.workshop.contract import Capabilities

from .brief_form import PREFIX, brief_fields, brief_of, check_brief
from .brief_pictures import pictures_in

WITHOUT = "__without"
"""Ends the name of the field by which a kept picture is left out."""


class AskForm(forms.Form):
    """A brief for one engine. `brief`, `samples` and `request_key` are there once the form is valid.

    One that does not ask (`asks`) has no brief in it, only how many samples; its `brief` is empty. One for a single
    sample (`one`) does not ask how many.
    """

    samples = forms.TypedChoiceField(
        label=_("How many samples"),
        help_text=_("Each is made anew for the same brief, side by side."),
        coerce=int,
        widget=forms.RadioSelect,
    )
    key = forms.UUIDField(widget=forms.HiddenInput)
    source = forms.UUIDField(widget=forms.HiddenInput, required=False)
    again = forms.BooleanField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        capabilities: Capabilities,
        *args: Any,
        kept: Mapping[str, str] | None = None,
        asks: bool = True,
        one: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.capabilities = capabilities
        self.schema = capabilities.brief_schema if asks else {}
        self.kept = dict(kept or {})
        own = list(self.fields)
        self.fields.update(brief_fields(self.schema))
        self.kept = self.kept if asks else {}
        for name, picture in self.kept.items():
            self._keep(name, picture)
        known = [PREFIX + name + end for name in self.schema.get("properties", {}) for end in ("", WITHOUT)]
        self.order_fields(known + own)
        choice = self.fields["samples"]
        assert isinstance(choice, forms.TypedChoiceField)
        counts = range(1, capabilities.limits.samples_max + 1)
        choice.choices = [(n, ngettext("%(n)d sample", "%(n)d samples", n) % {"n": n}) for n in counts]
        if one:
            choice.widget, self.initial["samples"] = forms.HiddenInput(), 1
        self.initial.setdefault("samples", min(3, capabilities.limits.samples_max))
        self.initial.setdefault("key", uuid.uuid4())

    def _keep(self, name: str, picture: str) -> None:
        """Let a picture of an earlier brief stand unless another is chosen, or none is wanted."""
        field = self.fields[PREFIX + name]
        self.initial[PREFIX + name] = picture
        kept = _("The picture of the earlier brief is kept unless you choose another.")
        field.help_text = f"{field.help_text} {kept}".strip()
        self.fields[PREFIX + name + WITHOUT] = forms.BooleanField(
            label=_("%(field)s: leave the earlier one out") % {"field": field.label}, required=False
        )

    @classmethod
    def starting_from(
        cls, capabilities: Capabilities, brief: dict[str, Any], *, asks: bool = True, one: bool = False, **initial: Any
    ) -> AskForm:
        """An unsent form with a brief filled in."""
        known = capabilities.brief_schema.get("properties", {})
        return cls(
            capabilities,
            asks=asks,
            one=one,
            initial={PREFIX + name: value for name, value in brief.items() if name in known} | initial,
            kept=pictures_in(capabilities.brief_schema, brief),
        )

    def sent_again(self) -> AskForm:
        """This form as if it were sent as it stands, so that errors can be put on it."""
        values = {name: self.get_initial_for_field(field, name) for name, field in self.fields.items()}
        data = {name: self.fields[name].prepare_value(value) for name, value in values.items() if value is not None}
        bound = AskForm(self.capabilities, data, kept=self.kept)
        bound.is_valid()
        return bound

    def clean(self) -> dict[str, Any]:
        """Checks the brief as a whole by the engine's schema; each error goes to its field."""
        cleaned = super().clean() or {}
        for name in self.kept:
            if cleaned.get(PREFIX + name + WITHOUT) and not self.files.get(PREFIX + name):
                cleaned[PREFIX + name] = None
        if self.schema and not self.errors:
            try:
                check_brief(self.schema, self.brief)
            except Invalid as error:
                self.put(error)
        return cleaned

    def put(self, error: MarketError) -> None:
        """Show an action's error at the field it is about."""
        field = error.field if error.field in self.fields else PREFIX + error.field
        words = f"{error.message} {error.remedy}".strip()
        self.add_error(field if field in self.fields else None, words)

    def errors_in_place(self) -> dict[str, str]:
        """What is wrong, by the id of the field as the page has it; empty for what is about no field to be seen."""
        found: dict[str, str] = {}
        for name, errors in self.errors.items():
            seen = name in self.fields and not self[name].is_hidden
            place = str(self[name].auto_id) if seen else ""
            found[place] = " ".join([*filter(None, [found.get(place)]), *map(str, errors)])
        return found

    def ask_for_files_again(self) -> None:
        """Say at each field whose file was sent that it must be chosen again: a browser keeps what was typed only."""
        for name in self.files:
            if name in self.fields and not self.has_error(name):
                self.add_error(name, _("Choose the picture again: a browser does not keep it."))

    @property
    def brief(self) -> dict[str, Any]:
        """The brief that was filled in."""
        return brief_of(self.schema, self.cleaned_data)

    @property
    def request_key(self) -> str:
        """One key for one wish: a double click has the same, the same form sent with another brief has another."""
        parts = [str(self.cleaned_data["key"]), self.brief, self.cleaned_data["samples"], self.cleaned_data["again"]]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
