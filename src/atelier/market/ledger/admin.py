"""The book in the admin: to look at, never to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Account, Entry, Transaction

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
else:
    AnyModelAdmin = admin.ModelAdmin


class ReadOnly(AnyModelAdmin):
    """Shows rows and lets nobody add, change or remove them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
