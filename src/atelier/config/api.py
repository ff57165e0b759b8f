"""The JSON API: each room's `api.router` under one roof, with the errors of actions as JSON."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from atelier import __version__
from atelier.market.accounts.auth import bearer_or_session
from atelier.market.core.errors import MarketError

api = NinjaAPI(
    title="Atelier",
    version=__version__,
    description="Everything the pages do, as JSON. Make a token on your account page and send it as a bearer token.",
    auth=bearer_or_session,
    urls_namespace="api",
)


@api.exception_handler(MarketError)
def market_error(request: HttpRequest, error: MarketError) -> HttpResponse:
    """{code, message, field, remedy} with the error's own status."""
    body = {"code": error.code, "message": error.message, "field": error.field, "remedy": error.remedy}
    return api.create_response(request, body, status=error.status)


@api.exception_handler(ValidationError)
def validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """A body that does not fit the schema, in the same shape as every other error."""
    first = error.errors[0] if error.errors else {}
    # After the source (body, query …) pydantic names the operation's own parameter, which nobody outside knows.
    parts = list(first.get("loc", ()))[1:]
    field = ".".join(str(part) for part in (parts[1:] if len(parts) > 1 and isinstance(parts[1], str) else parts))
    body = {"code": "invalid", "message": str(first.get("msg", "")), "field": field, "remedy": "", "all": error.errors}
    return api.create_response(request, body, status=422)


@api.exception_handler(AuthenticationError)
def unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """No token, or one that no longer works."""
    remedy = _("Make a token on your account page and send it as “Authorization: Bearer …”.")
    body = {"code": "unauthenticated", "message": _("Who are you?"), "field": "Authorization", "remedy": remedy}
    return api.create_response(request, body, status=401)


@api.exception_handler(RequestDataTooBig)
def too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """A body longer than is read at all, such as one with a large picture in a brief."""
    most = round(settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1_000_000, 1)
    message = _("What was sent is larger than %(most)s MB.") % {"most": most}
    body = {"code": "too_large", "message": message, "field": "", "remedy": _("Send less, or a smaller picture.")}
    return api.create_response(request, body, status=413)


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What ninja itself refuses, such as a body that is no JSON, in the same shape as every other error."""
    body = {"code": "invalid", "message": str(error), "field": "", "remedy": _("See /api/docs.")}
    return api.create_response(request, body, status=error.status_code)


for app in settings.INSTALLED_APPS:
    if app.startswith("atelier.market.") and find_spec(f"{app}.api"):
        room = import_module(f"{app}.api")
        api.add_router("", room.router, tags=[app.rsplit(".", 1)[-1]])
