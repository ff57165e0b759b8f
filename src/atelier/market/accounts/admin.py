"""The operators' raw view of people. Decisions are taken on their own pages, where they are audited."""

from __future__ import annotations

from django.contrib import admin

from atelier.market.core.admin import ReadOnly

from .models import Creator, User, VettingApplication


@admin.register(User)
class UserAdmin(ReadOnly):
    list_display = ("email", "name", "is_staff", "is_active", "is_demo", "date_joined")
    search_fields = ("email", "name")
    exclude = ("password",)


@admin.register(Creator)
class CreatorAdmin(ReadOnly):
    list_display = ("handle", "headline", "vetted_at", "created_at")
    search_fields = ("handle", "headline", "user__email")


@admin.register(VettingApplication)
class VettingAdmin(ReadOnly):
    list_display = ("creator", "state", "applied_at", "decided_at", "decided_by")
    list_filter = ("state",)
