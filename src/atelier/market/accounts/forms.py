"""Forms of the account pages."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .actions import LANGUAGES
from .models import User


class SignupForm(forms.Form):
    """What sign-up asks besides e-mail and password (allauth adds those)."""

    name = forms.CharField(label=_("Your name"), max_length=120, help_text=_("As others will see it."))

    field_order = ["name", "email", "password1"]

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth before the user is saved."""
        user.name = self.cleaned_data["name"]
        user.save()


class ProfileForm(forms.Form):
    """The name others see."""

    name = forms.CharField(label=_("Your name"), max_length=120, help_text=_("As others see it."))


class CreatorForm(forms.Form):
    """How a creator appears."""

    handle = forms.CharField(
        label=_("Handle"),
        max_length=40,
        help_text=_("Your address in the market, such as @lena-writes. It stays once you are approved."),
    )
    headline = forms.CharField(label=_("Headline"), max_length=140, help_text=_("What you make, in one line."))
    languages = forms.MultipleChoiceField(
        label=_("Languages"), choices=list(LANGUAGES.items()), widget=forms.CheckboxSelectMultiple, initial=["en"]
    )
    about = forms.CharField(
        label=_("About you"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 6})
    )


class VettingForm(forms.Form):
    """What a creator tells the operators."""

    statement = forms.CharField(
        label=_("What you make, and that it is yours"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Where it was published, for whom you work, how long you have done it."),
    )
    links = forms.CharField(
        label=_("Where we can see it"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Up to five addresses, one a line."),
    )

    def clean_links(self) -> list[str]:
        """One address a line; whether they are any is the action's to say."""
        return [line for line in self.cleaned_data["links"].splitlines() if line.strip()]


class DecisionForm(forms.Form):
    """An operator's answer."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The creator reads this. Needed to decline."),
    )


class TokenForm(forms.Form):
    """Names a new API token."""

    name = forms.CharField(label=_("What will use it"), max_length=80)
