"""Django's backend for PostgreSQL, whose pool drops all broken connections as soon as it can give none.

By itself the pool tries its connections one by one and sleeps longer after each broken one: with four or more of them,
as there are after the server was killed, the next request waits its whole timeout and fails
(`psycopg_pool.ConnectionPool._getconn_with_check_loop`).
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from psycopg_pool import PoolTimeout


class DatabaseWrapper(base.DatabaseWrapper):
    """The same, with a second attempt on connections that were all looked at."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection that works. Errors: PoolTimeout after two waits when there is none."""
        try:
            return super().get_new_connection(conn_params)
        except PoolTimeout:
            self.pool.check()
            return super().get_new_connection(conn_params)
