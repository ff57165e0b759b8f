"""Payment gateways: the interface, the one in use, and finding the one a purchase was begun with."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from .interface import Gateway

KNOWN = {"sandbox": "atelier.market.billing.gateways.sandbox.SandboxGateway"}
"""The gateways of this project by name. Add one here before switching away from it while payments are under way."""


@cache
def _made(path: str) -> Gateway:
    gateway: Gateway = import_string(path)()
    return gateway


def current() -> Gateway:
    """The gateway of this installation (setting PAYMENT_GATEWAY)."""
    return _made(settings.PAYMENT_GATEWAY)


def named(name: str) -> Gateway:
    """The gateway of that name, so that what was begun with one is settled with it after the setting changed."""
    gateway = current()
    return gateway if gateway.name == name else _made(KNOWN[name])
