"""Throws what OpenAPI allows, and what it forbids, at every operation of the API: nothing may fall over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django import conf
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.test import TransactionTestCase, override_settings
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from atelier.config.api import api
from atelier.market.accounts.actions import make_token
from atelier.market.core.testing import make_creator, make_user

schema = schemathesis.openapi.from_dict(api.get_openapi_schema())
# The middleware of static files is async and would give each request an event loop of its own; the API needs none.
with override_settings(MIDDLEWARE=[each for each in conf.settings.MIDDLEWARE if "servestatic" not in each]):
    site = get_wsgi_application()

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def emptied_once(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Everything is committed, as in the real site, but the database is emptied only after the last operation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _self: None)
        yield
    with django_db_blocker.unblock():
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def tokens(emptied_once: None, transactional_db: None) -> list[str]:
    """A creator, a buyer who owns nothing, an operator; new ones for each operation."""
    people = [make_creator().user, make_user(), make_user(operator=True)]
    return [make_token(actor=person, name="fuzz")[1] for person in people]


@schema.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_no_operation_falls_over_and_all_answer_as_documented(case: schemathesis.Case, tokens: list[str]) -> None:
    # Who asks varies with the case itself, so that a failure repeats.
    token = tokens[len(repr(case.body) + repr(case.path_parameters)) % len(tokens)]
    response = case.call(app=site, base_url="http://testserver", headers={"Authorization": f"Bearer {token}"})
    case.validate_response(response, checks=CHECKS)


def test_every_operation_but_the_public_ones_asks_who_is_there(client: Any, db: None) -> None:
    public = {"/api/categories", "/api/listings", "/api/listings/{model_id}", "/api/creators/{handle}"}
    public |= {"/api/outputs/{output_id}/picture", "/api/sheets/{sheet_id}"}
    for path, operations in api.get_openapi_schema()["paths"].items():
        for method in operations:
            if path in public or path.startswith("/api/records"):
                continue
            answer = client.generic(method.upper(), path.replace("{", "").replace("}", ""))
            assert answer.status_code == 401, (method, path, answer.status_code)
