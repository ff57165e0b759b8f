"""Generations in the operator's admin: how they went, never what was asked or made."""

from __future__ import annotations

from django.contrib import admin

from atelier.market.core.admin import ReadOnly

from .models import Generation, SampleCount


@admin.register(Generation)
class GenerationAdmin(ReadOnly):
    list_display = ("id", "creation_model", "state", "error_code", "attempt", "restarts", "created_at", "ended_at")
    list_filter = ("state", "error_code", "is_playground")
    list_select_related = ("creation_model",)
    search_fields = ("id", "creation_model__name")
    exclude = ("brief", "brief_told", "idempotency_key")


@admin.register(SampleCount)
class SampleCountAdmin(ReadOnly):
    list_display = ("day", "viewer", "creation_model", "used")
    list_filter = ("day",)
    list_select_related = ("viewer", "creation_model")
