"""The raw view of rows that operators may look at and never change by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import AuditEntry, Event


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows and searches, changes nothing."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ("at", "actor", "verb", "subject_type", "subject_id")
    list_filter = ("verb",)
    search_fields = ("subject_id", "actor__email")


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ("at", "name", "data")
    list_filter = ("name",)
