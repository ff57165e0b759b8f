"""Forms of the works pages."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from atelier.market.core.forms import PhrasesField

from . import statements
from .crafts import accept_list, capabilities, engine_choices
from .models import Work


class ManyFiles(forms.FileInput):
    """A field to which many files can be dropped at once."""

    allow_multiple_selected = True


class UploadForm(forms.Form):
    """Texts pasted or files dropped, and what the person says of all of them. Nothing is ticked beforehand."""

    batch = forms.UUIDField(widget=forms.HiddenInput)
    engine = forms.ChoiceField(label=_("What kind of works are these?"), widget=forms.RadioSelect)
    sent = forms.Field(label=_("Files"), required=False, widget=ManyFiles(attrs={"multiple": True, "data-drop": ""}))
    pasted = forms.CharField(
        label=_("Or paste one"),
        required=False,
        max_length=400_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "data-count": "", "class": "prosewriting"}),
    )
    title = forms.CharField(
        label=_("Title"), required=False, max_length=200, help_text=_("Of what you paste, or of a single file.")
    )
    tags = PhrasesField(
        label=_("Tags"), required=False, help_text=_("Parted by commas; every work of this upload gets them.")
    )
    attested = forms.BooleanField(
        label=_("I state that I made these works"), required=False, help_text=statements.AUTHORSHIP
    )
    consent = forms.BooleanField(
        label=_("My creation models may learn from these works"), required=False, help_text=statements.CONSENT
    )

    field_order = ["batch", "engine", "sent", "pasted", "title", "tags", "attested", "consent"]

    def __init__(self, data: Any = None, *, engine: str, **options: Any) -> None:
        initial = {"batch": uuid.uuid4(), "engine": engine, **options.pop("initial", {})}
        super().__init__(data, initial=initial, **options)
        choices = engine_choices()
        field = self.fields["engine"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
        if len(choices) == 1:
            field.widget, field.initial = forms.HiddenInput(), choices[0][0]
            self.initial["engine"] = choices[0][0]
            self.fields["sent"].widget.attrs["accept"] = accept_list(choices[0][0])
        self._offer(choices)

    def _offer(self, choices: list[tuple[str, str]]) -> None:
        """Say what is taken, by kind of works where there are several: kinds of files, bounds, pasted text."""
        offered = {title: capabilities(name) for name, title in choices}
        told = [
            _("%(kinds)s; each at most %(most)s MB.")
            % {
                "kinds": ", ".join(dict.fromkeys(kind.title for kind in each.accepts)),
                "most": round(each.limits.upload_bytes / 1_000_000),
            }
            for each in offered.values()
        ]
        if len(told) > 1:
            told = [f"{title}: {sentence}" for title, sentence in zip(offered, told, strict=True)]
        more = _("One file may hold many pieces. Names are kept, nothing is published.")
        self.fields["sent"].help_text = " ".join([*map(str, told), str(more)])
        pasting = [title for title, each in offered.items() if each.accepts_pasted is not None]
        if not pasting:
            del self.fields["pasted"]
        elif len(pasting) < len(offered):
            self.fields["pasted"].help_text = _("For %(crafts)s.") % {"crafts": "; ".join(pasting)}


class WorkForm(forms.Form):
    """What is said about a work."""

    title = forms.CharField(label=_("Title"), max_length=200)
    description = forms.CharField(
        label=_("Short description"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What it was for. It helps a creation model to learn which brief leads to which work."),
    )
    tags = PhrasesField(label=_("Tags"), required=False, help_text=_("Parted by commas."))


class ShareForm(forms.Form):
    """A co-author and their part in percent."""

    email = forms.EmailField(label=_("Co-author’s e-mail address"), help_text=_("They need an account here."))
    percent = forms.DecimalField(
        label=_("Their share, in percent"), min_value=0, max_value=100, decimal_places=2, max_digits=5
    )

    @property
    def basis_points(self) -> int:
        """The share in hundredths of a percent."""
        return int(self.cleaned_data["percent"] * 100)


class FilterForm(forms.Form):
    """How the list is narrowed; everything is optional, and nonsense is ignored."""

    words = forms.CharField(label=_("Words"), required=False, max_length=100)
    state = forms.ChoiceField(label=_("State"), required=False)
    tag = forms.ChoiceField(label=_("Tag"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    consent = forms.ChoiceField(
        label=_("Training"),
        required=False,
        choices=[("", _("All")), ("yes", _("Permitted")), ("no", _("Not permitted"))],
    )

    def __init__(self, data: Any, facets: dict[str, Any]) -> None:
        super().__init__(data)
        states = [(state, f"{Work.State(state).label} ({count})") for state, count in facets["states"].items()]
        self._choose("state", [("", _("All in use")), *states])
        self._choose("tag", [("", _("All")), *((tag, tag) for tag in facets["tags"])])
        self._choose("language", [("", _("All")), *((code, code) for code in facets["languages"])])

    def _choose(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    @property
    def filters(self) -> dict[str, str]:
        """What was chosen, as arguments of `queries.filtered`."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}


class DecisionForm(forms.Form):
    """An operator's verdict on a resemblance."""

    reason = forms.CharField(
        label=_("Reason"),
        min_length=3,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Kept with the decision."),
    )
