"""The form of a message."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .actions import BODY_MOST


class MessageForm(forms.Form):
    """Something to say; `client_key` makes sending it twice say it once."""

    body = forms.CharField(
        label=_("Message"), max_length=BODY_MOST, widget=forms.Textarea(attrs={"rows": 4, "class": "prosewriting"})
    )
    client_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("client_key", uuid.uuid4())
