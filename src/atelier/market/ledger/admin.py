"""The book in the admin: to look at, never to write."""

from __future__ import annotations

from django.contrib import admin

from atelier.market.core.admin import ReadOnly

from .models import Account, Entry, Transaction


@admin.register(Account)
class AccountAdmin(ReadOnly):
    list_display = ("code", "currency", "kind", "balance_minor", "guarded")
    list_filter = ("kind", "currency")
    search_fields = ("code",)


@admin.register(Transaction)
class TransactionAdmin(ReadOnly):
    list_display = ("id", "at", "kind", "reference", "key")
    list_filter = ("kind",)
    search_fields = ("reference", "key")


@admin.register(Entry)
class EntryAdmin(ReadOnly):
    list_display = ("id", "transaction", "account", "direction", "amount_minor", "note")
    list_select_related = ("transaction", "account")
