"""Licences in the admin: to look at."""

from __future__ import annotations

from django.contrib import admin

from atelier.market.core.admin import ReadOnly

from .models import Licence, LicensedFile, SaleAttribution


@admin.register(Licence)
class LicenceAdmin(ReadOnly):
    list_display = ("number", "issued_at", "tier", "creator", "buyer")
    list_filter = ("tier",)
    search_fields = ("number", "buyer__email", "creator__handle")
    list_select_related = ("creator", "buyer")


@admin.register(LicensedFile)
class LicensedFileAdmin(ReadOnly):
    list_display = ("filename", "format", "state", "ready_at", "error")
    list_filter = ("state", "format")
    search_fields = ("licence__number",)


@admin.register(SaleAttribution)
class SaleAttributionAdmin(ReadOnly):
    list_display = ("licence", "at", "method", "told", "untold")
    list_filter = ("untold", "method")
    search_fields = ("licence__number",)
    list_select_related = ("licence",)
