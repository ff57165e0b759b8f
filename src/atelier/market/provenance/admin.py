"""Records in the operator's admin, to read only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Occurrence, Record

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Any]
else:
    Admin = admin.ModelAdmin


class ReadOnly(Admin):
    """Nobody adds, changes or deletes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
