"""Every address of the site. Each room names its own; this only puts them side by side."""

from __future__ import annotations

from importlib.util import find_spec

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from .api import api

# Operators sign in where everyone does: with their second factor, and slowed down after wrong passwords.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("account/", include("allauth.urls")),
    path("operator/admin/", admin.site.urls),
    path("api/", api.urls),
    *[
        path("", include(f"{app}.urls"))
        for app in settings.INSTALLED_APPS
        if app.startswith("atelier.market.") and find_spec(f"{app}.urls")
    ],
]
