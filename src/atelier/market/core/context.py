"""What every template may rely on."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Whether this is a demo market, and the currency that prices stand in."""
    return {"demo": settings.DEMO, "currency": settings.CURRENCY, "site_url": settings.SITE_URL}
