"""The picture of a creation model."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString

from atelier.market.core.covers import cover_svg

register = template.Library()


@register.simple_tag
def cover(model: Any, css: str = "") -> SafeString:
    """The cover of anything with `name`, `palette` and a key, such as a creation model."""
    return cover_svg(model.name, model.palette, f"{model.pk}:{model.name}", css)
