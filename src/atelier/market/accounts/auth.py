"""Who asks: a bearer token made on the account page, or the session of the same browser."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer, SessionAuth

from .models import ApiToken, User

# To the minute is enough to see whether a token is still used, and spares most requests a write.
USED_LATELY = timedelta(minutes=1)


def digest(token: str) -> str:
    """What is kept of a token. Tokens are random, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


class TokenAuth(HttpBearer):
    """`Authorization: Bearer …` with a token that was not revoked, of a user who is still active."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """The token's owner, or None."""
        found = (
            ApiToken.objects.select_related("user")
            .filter(digest=digest(token), revoked_at=None, user__is_active=True)
            .first()
        )
        if found is None:
            return None
        now = timezone.now()
        if found.last_used_at is None or now - found.last_used_at > USED_LATELY:
            ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
        request.user = found.user
        return found.user


class BrowserAuth(SessionAuth):
    """A signed-in browser; writing needs the CSRF token as in any form."""

    def _get_key(self, request: HttpRequest) -> str | None:
        # Who is not signed in is told that a token is missing, not that a form's secret is.
        return super()._get_key(request) if request.user.is_authenticated else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Any | None:
        """The signed-in user, or None."""
        return request.user if request.user.is_authenticated else None


bearer_or_session = [TokenAuth(), BrowserAuth()]


def anybody(request: HttpRequest) -> bool:
    """After the others: who is nobody may ask too, for what is public."""
    return True
