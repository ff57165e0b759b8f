"""What becomes of connections to a database that went away."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from atelier.market.core.database.base import DatabaseWrapper

DEAD = 8


@pytest.fixture
def wrapper(db: None) -> Iterator[BaseDatabaseWrapper]:
    """A wrapper with a pool of its own, as a web process has one."""
    own = DatabaseWrapper(connections["default"].settings_dict, alias="of_its_own")
    connections["of_its_own"] = own
    yield own
    own.close()
    own.close_pool()
    del connections["of_its_own"]


def test_the_first_request_after_the_database_was_killed_is_served(wrapper: BaseDatabaseWrapper) -> None:
    pool = wrapper.pool  # type: ignore[attr-defined]
    pool.open()
    held = [pool.getconn() for _ in range(DEAD)]
    for connection in held:
        pool.putconn(connection)
    ours = [connection.info.backend_pid for connection in held]
    with psycopg.connect(
        **psycopg.conninfo.conninfo_to_dict(held[0].info.dsn), password=held[0].info.password
    ) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", [ours])
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    assert pid not in ours
