"""What a person may count on when they start, kill and stop Atelier."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest

from .conftest import Run, wait_for

Up = Callable[..., Run]


def gone(processes: list[psutil.Process]) -> bool:
    return not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)


def test_ctrl_c_while_the_database_is_made_is_a_stop_and_no_failure(up: Up, data: Path) -> None:
    run = up(made=False)

    def maker() -> psutil.Process | None:
        return next((p for p in run.family() if p.is_running() and "initdb" in p.name()), None)

    wait_for(lambda: maker() is not None or run.process.poll() is not None, "initdb")
    # A terminal's Ctrl-C reaches both.
    with contextlib.suppress(psutil.Error, AttributeError):
        maker().send_signal(signal.SIGINT)  # type: ignore[union-attr]
    assert run.stop(signal.SIGINT) == 0
    assert "cannot start" not in run.said()
    assert run.said().rstrip().endswith("Stopped.")
    assert not (data / "postgres" / "cluster.new").exists()


@pytest.mark.parametrize("demand", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_everything_and_says_so(up: Up, demand: signal.Signals) -> None:
    run = up().wait_until_open()
    wait_for(lambda: "worker up" in run.said(), "the worker")
    family = run.family()
    assert run.stop(demand) == 0
    assert gone(family)
    assert run.said().rstrip().endswith("Stopped.")


def test_a_first_start_makes_the_database_and_says_what_it_is_doing(up: Up) -> None:
    run = up(made=False).wait_until_open()
    said = run.said()
    assert said.index("Making the database") < said.index("Making tables (0 of 2)") < said.index("Atelier is open")


def test_the_application_role_is_no_superuser_and_has_its_extensions(up: Up) -> None:
    with up().wait_until_open().database() as db:
        rights = db.execute("SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        assert rights.fetchone() == (False, False, False)
        names = {row[0] for row in db.execute("SELECT extname FROM pg_extension")}
    assert {"vector", "pg_trgm", "unaccent", "btree_gist", "citext"} <= names


def test_the_database_refuses_whoever_has_no_password(up: Up) -> None:
    page = up().wait_until_open().page()
    assert page is not None
    port = page[1].rpartition(":")[2].partition("/")[0]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=port, user="atelier", dbname="atelier", password="")


def test_secrets_are_readable_by_their_owner_alone(up: Up, data: Path) -> None:
    up().wait_until_open()
    for name in ("secret_key", "postgres/secrets.json", "logs/web.log", "VERSION"):
        assert stat.S_IMODE((data / name).stat().st_mode) & 0o077 == 0, name


def test_a_second_start_prepares_nothing_and_keeps_the_data(up: Up) -> None:
    first = up().wait_until_open()
    with first.database() as db:
        db.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first.stop()
    second = up().wait_until_open()
    with second.database() as db:
        assert db.execute("SELECT answer FROM kept").fetchone() == (42,)
        assert db.execute("SELECT count(*) FROM prepared").fetchone() == (1,)


def test_another_version_prepares_again(up: Up) -> None:
    up().wait_until_open().stop()
    with up(version="1.3.0").wait_until_open().database() as db:
        assert db.execute("SELECT count(*) FROM prepared").fetchone() == (2,)


def test_a_killed_postgres_comes_back_with_its_data(up: Up) -> None:
    run = up().wait_until_open()
    with run.database() as db:
        db.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    old = run.postmaster()
    os.kill(old, signal.SIGKILL)

    def back() -> bool:
        try:
            with run.database() as db:
                return db.execute("SELECT answer FROM kept").fetchone() == (42,)
        except psycopg.OperationalError:
            return False

    wait_for(back, "PostgreSQL to come back")
    assert run.postmaster() != old
    assert "postgres │ was killed by signal 9" in run.said()


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_killed_child_is_started_again_and_takes_its_own_children_along(up: Up, name: str) -> None:
    run = up().wait_until_open()
    wait_for(lambda: "worker up" in run.said(), "the worker")
    sign = "serve_forever" if name == "web" else "working"
    victim = next(p for p in run.process.children() if any(sign in word for word in p.cmdline()))
    if name == "worker":
        wait_for(lambda: bool(victim.children()), "the worker's own child")
    below = victim.children()
    victim.kill()
    wait_for(lambda: f"{name} │ was killed by signal 9" in run.said(), "the news")
    wait_for(lambda: any(sign in word for p in run.process.children() for word in p.cmdline()), "its successor")
    assert gone(below)
    wait_for(lambda: run.page() is not None, "the page")


def test_a_killed_supervisor_leaves_nothing_behind_and_the_next_start_works(up: Up) -> None:
    run = up().wait_until_open()
    wait_for(lambda: "worker up" in run.said(), "the worker")
    with run.database() as db:
        db.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    direct = run.process.children()
    assert len(direct) == 3
    os.kill(run.process.pid, signal.SIGKILL)
    run.ends()
    following = up(port=run.port).wait_until_open()
    with following.database() as db:
        assert db.execute("SELECT answer FROM kept").fetchone() == (42,)
    wait_for(lambda: gone(direct), "the orphans to end")
    marked = [p for p in psutil.process_iter() if _carries_mark(p, run.data)]
    ours = {following.process.pid, *(p.pid for p in following.family())}
    assert {p.pid for p in marked} <= ours


def _carries_mark(process: psutil.Process, data: Path) -> bool:
    try:
        return process.environ().get("ATELIER_SUPERVISED") == str(data)
    except (psutil.Error, OSError):
        return False


def test_a_second_copy_on_one_folder_is_refused_with_the_number_of_the_first(up: Up) -> None:
    first = up().wait_until_open()
    second = up()
    assert second.ends() == 1
    assert f"already runs on {first.data} (process {first.process.pid})" in second.said()
    assert "Stop that one first, or give this one another folder with --data." in second.said()
    assert first.page() is not None


def test_data_of_a_newer_version_is_refused_and_left_as_it_is(up: Up, data: Path) -> None:
    data.mkdir()
    (data / "VERSION").write_text("10.0.0\n")
    run = up(version="9.9.9")
    assert run.ends() == 1
    assert "was written by Atelier 10.0.0, and this is Atelier 9.9.9" in run.said()
    assert "Update Atelier to 10.0.0 or newer" in run.said()
    assert (data / "VERSION").read_text() == "10.0.0\n"
    assert not (data / "postgres").exists()


def test_a_taken_port_is_named_before_anything_starts(up: Up, data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = up(port=port, made=False)
        assert run.ends() == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in run.said()
    assert "choose another port: --port" in run.said()
    assert not (data / "postgres").exists()


def test_a_disk_that_fills_up_while_the_market_is_prepared_is_named_with_the_remedy(up: Up, data: Path) -> None:
    run = up(STAND_IN_DISK="full")
    assert run.ends() == 1
    assert f"Preparing the market failed: the disk that holds {data} is full." in run.said()
    assert "Free some space, then start again." in run.said()
    assert not (data / "VERSION").exists()


def test_a_site_that_answers_to_its_own_name_only_is_found(up: Up) -> None:
    run = up(ATELIER_HOSTS=".market.example,other.example")
    wait_for(lambda: "Atelier is open" in run.said() or run.process.poll() is not None, "the site to open")
    assert run.stop() == 0


def test_a_given_database_is_used_and_none_is_started(up: Up, data: Path) -> None:
    run = up(made=False, DATABASE_URL=os.environ["DATABASE_URL"]).wait_until_open()
    page = run.page()
    assert page is not None
    assert page[1] == os.environ["DATABASE_URL"]
    assert not (data / "postgres").exists()
    assert run.stop() == 0


def test_a_given_database_that_is_down_is_waited_for_and_a_stop_is_heard(up: Up) -> None:
    run = up(DATABASE_URL="postgres://someone:hidden@127.0.0.1:1/nothing")
    wait_for(lambda: "Waiting for the database at 127.0.0.1:1/nothing" in run.said(), "the news")
    assert run.stop() == 0
    assert "hidden" not in run.said()


@pytest.mark.parametrize("url", ["postgres://me:hid#den@127.0.0.1:5432/x", "postgres://me@here:port/x", "hidden"])
def test_an_address_that_is_none_is_refused_without_showing_it(up: Up, url: str) -> None:
    run = up(made=False, DATABASE_URL=url)
    assert run.ends() == 1
    assert "DATABASE_URL is no address of a database." in run.said()
    assert "%23 for #" in run.said()
    assert "hid" not in run.said()


def test_a_given_database_that_refuses_the_password_is_not_waited_for(up: Up) -> None:
    address = os.environ["DATABASE_URL"].rpartition("@")[2]
    run = up(DATABASE_URL=f"postgres://atelier:wrong@{address}")
    assert run.ends() == 1
    assert "password authentication failed" in run.said()
    assert "Correct DATABASE_URL" in run.said()
