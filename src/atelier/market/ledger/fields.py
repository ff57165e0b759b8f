"""A column type that Django does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    TextColumn = models.Field[str, str]
else:
    TextColumn = models.Field


class TransactionIdField(TextColumn):
    """PostgreSQL's 64-bit transaction id (xid8): unlike xmin it is the same inside savepoints and never wraps."""

    def db_type(self, connection: object) -> str:
        """The column's type."""
        return "xid8"


class CurrentTransactionId(models.Func):
    """The id of the database transaction that runs now."""

    function = "pg_current_xact_id"
    output_field = TransactionIdField()
