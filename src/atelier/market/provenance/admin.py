"""Records in the operator's admin, to read only."""

from __future__ import annotations

from django.contrib import admin

from atelier.market.core.admin import ReadOnly

from .models import Occurrence, Record


@admin.register(Record)
class RecordAdmin(ReadOnly):
    list_display = ("sha256", "kind", "media_type", "at")
    search_fields = ("sha256",)
    list_filter = ("kind",)


@admin.register(Occurrence)
class OccurrenceAdmin(ReadOnly):
    list_display = ("source", "kind", "at")
    search_fields = ("source", "record__sha256")
    list_select_related = ("record",)
