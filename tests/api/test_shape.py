"""What every operation shares: errors of one shape, and documentation that needs no other server."""

from __future__ import annotations

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from atelier.market.accounts.models import Creator
from atelier.market.core.testing import make_user

pytestmark = pytest.mark.django_db


def test_the_documentation_is_served_from_here(client: Client) -> None:
    page = client.get("/api/docs").content.decode()
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//[^"']+""", page)
    scripts = re.findall(r'src="/static/([^"]+)"', page)
    assert scripts
    assert all(finders.find(script) for script in scripts)


def test_who_is_not_signed_in_is_asked_for_a_token_and_who_is_for_the_secret_of_the_form() -> None:
    client = Client(enforce_csrf_checks=True)
    body = {"handle": "lena-writes", "headline": "Short texts", "languages": ["en"]}
    for headers in ({}, {"Authorization": "Bearer atl_wrong"}):
        answer = client.put("/api/me/creator", body, "application/json", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    client.force_login(make_user())
    assert client.put("/api/me/creator", body, "application/json").status_code == 403
    assert not Creator.objects.exists()


def test_every_error_has_the_same_shape(client: Client) -> None:
    for answer, status in ((client.get("/api/me"), 401), (client.get("/api/listings?limit=0"), 422)):
        assert answer.status_code == status
        assert {"code", "message", "field", "remedy"} <= set(answer.json())
