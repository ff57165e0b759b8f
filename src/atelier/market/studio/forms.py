"""Forms of the studio."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from atelier.market.core.forms import PhrasesField, fresh_key
from atelier.market.works.crafts import crafts

from .models import CreationModel

MONEY = ("floor_minor", "personal_minor", "commercial_minor", "exclusive_minor")


class MoneyField(forms.DecimalField):
    """An amount in whole units with two places, as integer minor units."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=Decimal("0"), max_value=Decimal("1000000"), decimal_places=2, **options)

    def prepare_value(self, value: Any) -> Any:
        """Minor units as an amount."""
        return f"{Decimal(value) / 100:.2f}" if isinstance(value, int) else value

    def clean(self, value: Any) -> Any:
        amount = super().clean(value)
        return None if amount is None else int(amount * 100)


class ModelForm(forms.Form):
    """The settings of a creation model; the actions say what is out of bounds."""

    key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("What buyers will see, such as “Second Helpings”.")
    )
    craft = forms.ChoiceField(label=_("Craft"))
    about = forms.CharField(
        label=_("About"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("How it writes or draws or sounds, and what it is good for."),
    )
    tags = PhrasesField(label=_("Tags"), required=False, help_text=_("Parted by commas, at most 12."))
    palette = PhrasesField(
        label=_("Colours of the cover"),
        required=False,
        help_text=_("Up to six, like #d9482b, #f4cf6b. Empty: we choose."),
    )
    subjects_refused = PhrasesField(
        label=_("Subjects it refuses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line. A brief that touches one of them is turned down."),
    )
    words_never = PhrasesField(
        label=_("Words it never uses"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One word or phrase a line."),
    )
    samples_a_day = forms.IntegerField(label=_("Free samples a day, for each viewer"), min_value=0, max_value=1000)
    reveal_percent = forms.IntegerField(
        label=_("How much of a sample is shown before purchase, in percent"), min_value=5, max_value=90
    )
    floor_minor = MoneyField(label=_("Floor"), help_text=_("No price ever lies under it."))
    personal_minor = MoneyField(label=_("Personal licence"))
    commercial_minor = MoneyField(label=_("Commercial licence"))
    exclusive_minor = MoneyField(label=_("Exclusive licence"), help_text=_("Sold once; the piece is then withdrawn."))

    def __init__(self, data: Any = None, *, model: CreationModel | None = None, **options: Any) -> None:
        standing = model or CreationModel()
        names = [name for name in self.base_fields if name not in {"key", "craft"}]
        initial = {name: getattr(standing, name) for name in names}
        initial["craft"] = f"{standing.engine}/{standing.category}" if model else ""
        initial["key"] = fresh_key()
        super().__init__(data, initial={**initial, **options.pop("initial", {})}, **options)
        field = self.fields["craft"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (craft.key, craft.title) for craft in crafts() if model is None or craft.engine == model.engine
        ]

    @property
    def settings(self) -> dict[str, Any]:
        """What was entered, as settings of a creation model."""
        return {name: value for name, value in self.cleaned_data.items() if name != "key"}

    @property
    def prices(self) -> list[forms.BoundField]:
        """The fields that stand side by side."""
        return [self[name] for name in MONEY]

    @property
    def others(self) -> list[forms.BoundField]:
        """All visible fields but the prices, in order."""
        return [field for field in self.visible_fields() if field.name not in MONEY]
