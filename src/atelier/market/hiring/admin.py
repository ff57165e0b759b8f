"""Conversations in the operator's admin: who and when, never what was said."""

from __future__ import annotations

from django.contrib import admin

from atelier.market.core.admin import ReadOnly

from .models import Conversation


@admin.register(Conversation)
class ConversationAdmin(ReadOnly):
    list_display = ("id", "buyer", "creator", "created_at", "last_message_at")
    list_select_related = ("buyer", "creator")
    search_fields = ("buyer__email", "creator__handle")
