"""Template helpers every page may use without loading: money, live tickets."""

from __future__ import annotations

from typing import Any

from django import template

from atelier.market.core import live, money

register = template.Library()


@register.filter
def minor(amount: int | None, currency: str = "USD") -> str:
    """Minor units as money with its currency."""
    return money.show(amount or 0, currency)


@register.simple_tag
def live_url(topic: str) -> str:
    """The address of the live stream of a topic, with the right to watch it. Use only after checking that right."""
    from django.urls import reverse

    return reverse("core:live", args=[live.ticket(topic)])


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """`mapping[key]`, or None."""
    return mapping.get(key) if hasattr(mapping, "get") else None
