"""Pictures in briefs: chosen as files, kept as base64 in the brief, told to people by their size."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from django import forms
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from atelier.market.core.errors import Invalid

LETTERS_MOST = 4_000_000
"""Characters of base64 of a picture whose schema names no bound, and the most whatever it names."""
_MAGIC = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/webp": (b"RIFF",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}


def is_picture(rules: Mapping[str, Any]) -> bool:
    """Whether a property of a schema holds a picture (JSON Schema 2020-12, contentEncoding and contentMediaType)."""
    media_type = str(rules.get("contentMediaType", ""))
    return rules.get("contentEncoding") == "base64" and media_type.startswith("image/")


def letters_most(rules: Mapping[str, Any]) -> int:
    """How many characters of base64 a picture may have."""
    return min(LETTERS_MOST, int(rules.get("maxLength", LETTERS_MOST)))


def bytes_most(rules: Mapping[str, Any]) -> int:
    """How many bytes its file may have."""
    return letters_most(rules) // 4 * 3


def told(schema: Mapping[str, Any], brief: Mapping[str, Any]) -> dict[str, Any]:
    """A brief as lists and searches read it: each picture is {"bytes": how many}."""
    rules = schema.get("properties", {})
    return {
        name: {"bytes": len(value) * 3 // 4 - value[-2:].count("=")}
        if isinstance(value, str) and is_picture(rules.get(name, {}))
        else value
        for name, value in brief.items()
    }


def pictures_in(schema: Mapping[str, Any], brief: Mapping[str, Any]) -> dict[str, str]:
    """The pictures of a brief by the names of their properties."""
    rules = schema.get("properties", {})
    return {name: value for name, value in brief.items() if value and is_picture(rules.get(name, {}))}


def in_words(value: Mapping[str, Any]) -> str:
    """A picture of a told brief, for reading."""
    return _("a picture, %(size)s") % {"size": filesizeformat(value.get("bytes", 0))}


def check_picture(name: str, rules: Mapping[str, Any], value: str) -> None:
    """Errors: Invalid at the property when its value is no picture in base64 of the kind and size it may have."""
    if len(value) > letters_most(rules):
        raise Invalid(_too_large(rules), field=name, remedy=_("Make the picture smaller."))
    try:
        content = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not _is_of(content, str(rules["contentMediaType"])):
        raise Invalid(
            _("This is no picture of a kind that can be used."),
            field=name,
            remedy=_("Save it as PNG, JPEG or WebP, and choose that file."),
        )


def _is_of(content: bytes, media_type: str) -> bool:
    kinds = _MAGIC if media_type == "image/*" else {media_type: _MAGIC.get(media_type, (b"",))}
    return any(content.startswith(magic) for starts in kinds.values() for magic in starts) and bool(content)


def _too_large(rules: Mapping[str, Any]) -> str:
    return _("The picture is larger than %(most)s.") % {"most": filesizeformat(bytes_most(rules))}


class PictureField(forms.FileField):
    """A picture chosen as a file; its cleaned value is base64. The initial value is one kept from an earlier brief."""

    def __init__(self, name: str, rules: Mapping[str, Any], **common: Any) -> None:
        common["help_text"] = f"{common['help_text']} {_at_most(rules)}".strip()
        super().__init__(widget=forms.FileInput({"accept": str(rules["contentMediaType"])}), **common)
        self.name = name
        self.rules = rules

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The picture in base64, that of before, or None."""
        found = super().clean(data, initial)
        if not found or isinstance(found, str):
            return found or None
        if found.size > bytes_most(self.rules):
            raise forms.ValidationError(_too_large(self.rules) + " " + _("Make the picture smaller."))
        encoded = base64.b64encode(found.read()).decode()
        try:
            check_picture(self.name, self.rules, encoded)
        except Invalid as error:
            raise forms.ValidationError(f"{error.message} {error.remedy}") from error
        return encoded


def _at_most(rules: Mapping[str, Any]) -> str:
    return _("At most %(most)s.") % {"most": filesizeformat(bytes_most(rules))}
