"""The studio in the operator's admin, to look at only."""

from __future__ import annotations

from django.contrib import admin

from atelier.market.core.admin import ReadOnly

from .models import CreationModel, TrainingRun, Version


@admin.register(CreationModel)
class CreationModelAdmin(ReadOnly):
    list_display = ("id", "name", "creator", "state", "version", "created_at")
    list_filter = ("state", "engine", "category")
    list_select_related = ("creator", "version__creation_model")
    search_fields = ("name", "creator__handle")


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnly):
    list_display = ("id", "creation_model", "state", "attempt", "done", "planned", "created_at", "ended_at")
    list_filter = ("state",)
    list_select_related = ("creation_model",)


@admin.register(Version)
class VersionAdmin(ReadOnly):
    list_display = ("id", "creation_model", "number", "state", "publishable", "published_anyway_at", "erased_at")
    list_filter = ("state", "publishable")
    list_select_related = ("creation_model",)
