"""The payment form."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from atelier.market.studio.models import Tier


class CardForm(forms.Form):
    """A card, as the gateway in use wants it entered."""

    card_number = forms.CharField(
        label=_("Card number"),
        max_length=64,
        strip=True,
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric", "spellcheck": "false"}),
        error_messages={"required": _("Enter the number of a card.")},
    )


class PurchaseForm(CardForm):
    """What is bought, at the price that was shown, and the card. `key` makes sending it twice buy once."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    output = forms.UUIDField(widget=forms.HiddenInput)
    tier = forms.ChoiceField(choices=Tier.choices, widget=forms.HiddenInput)
    price_seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = uuid.uuid4
