"""Purchases in the admin: to look at. Their states follow the gateway, never a hand."""

from __future__ import annotations

from django.contrib import admin

from atelier.market.core.admin import ReadOnly

from .models import LicenceTerms, Purchase


@admin.register(Purchase)
class PurchaseAdmin(ReadOnly):
    list_display = ("id", "created_at", "state", "tier", "price_minor", "currency", "buyer", "gateway_reference")
    list_filter = ("state", "tier", "gateway")
    search_fields = ("id", "gateway_reference", "buyer__email")
    list_select_related = ("buyer",)


@admin.register(LicenceTerms)
class LicenceTermsAdmin(ReadOnly):
    list_display = ("title", "tier", "number", "in_force_from")
