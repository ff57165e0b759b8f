"""The form of the verify page: a file, a text, or a hash."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

TEXT_MOST = 200_000


class VerifyForm(forms.Form):
    """One of three ways to name what is looked for. The file itself is read by `reading.HashingUpload`."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("It is read to compute its hash and is not kept. 25 MB at most."),
        required=False,
        widget=forms.FileInput(attrs={"data-drop": ""}),
    )
    text = forms.CharField(
        label=_("Text"),
        help_text=_("Paste as much of it as you have: the whole is found by its hash, a part by its hidden mark."),
        required=False,
        strip=False,
        max_length=TEXT_MOST,
        widget=forms.Textarea(attrs={"rows": 6, "class": "prosewriting"}),
    )
    sha256 = forms.RegexField(
        r"^\s*[0-9a-fA-F]{64}\s*$",
        label=_("Hash"),
        help_text=_("A SHA-256, 64 hexadecimal digits."),
        required=False,
        error_messages={"invalid": _("This is not a SHA-256: it has 64 digits, 0 to 9 and a to f.")},
        widget=forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"}),
    )
