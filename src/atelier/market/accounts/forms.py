"""Forms of the account pages."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .models import User


class SignupForm(forms.Form):
    """What sign-up asks besides e-mail and password (allauth adds those)."""

    name = forms.CharField(label=_("Your name"), max_length=120, help_text=_("As others will see it."))

    field_order = ["name", "email", "password1"]

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth before the user is saved."""
        user.name = self.cleaned_data["name"]
        user.save()
