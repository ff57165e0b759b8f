"""What all tests share, those beside the code and those in tests/."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Passwords of test people are hashed fast: the slow hash is Django's own and costs half a second a person."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
