"""Works in the operator's admin, to look at only: changes go through the pages, which keep the audit trail."""

from __future__ import annotations

from django.contrib import admin

from atelier.market.core.admin import ReadOnly

from .models import Resemblance, Upload, Work


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    list_display = ("id", "creator", "filename", "state", "created_at")
    list_filter = ("state", "engine")
    list_select_related = ("creator",)
    search_fields = ("filename", "creator__handle")


@admin.register(Work)
class WorkAdmin(ReadOnly):
    list_display = ("id", "creator", "title", "state", "created_at")
    list_filter = ("state", "engine")
    list_select_related = ("creator",)
    search_fields = ("title", "creator__handle")


@admin.register(Resemblance)
class ResemblanceAdmin(ReadOnly):
    list_display = ("id", "work", "other", "similarity", "same_creator", "state")
    list_filter = ("state", "same_creator")
    list_select_related = ("work", "other")
