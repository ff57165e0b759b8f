"""The cluster by itself: made whole or not at all, found again, and reachable for the user it runs as."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import psycopg
import pytest

from atelier.supervisor import postgres
from atelier.supervisor.errors import SupervisorError
from atelier.supervisor.identity import Identity
from atelier.supervisor.postgres import Cluster
from atelier.supervisor.processes import spawn
from atelier.supervisor.testing import throwaway_postgres

from .conftest import wait_for


def test_a_cluster_killed_while_being_made_is_made_anew(data: Path) -> None:
    data.mkdir()
    half = data / "cluster.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("half")
    cluster = Cluster(data, durable=False)
    assert cluster.make()
    assert not half.exists()
    assert not cluster.make()


def test_a_cluster_of_another_major_version_is_refused_and_left_as_it_is(data: Path) -> None:
    (data / "cluster").mkdir(parents=True)
    version = data / "cluster" / "PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(SupervisorError, match="made by PostgreSQL 12"):
        Cluster(data).make()
    assert version.read_text() == "12\n"


def test_a_server_left_behind_is_found_and_ended_and_a_stranger_is_not(data: Path) -> None:
    with throwaway_postgres(data):
        pass
    cluster = Cluster(data, durable=False)
    with (data / "postgres.log").open("ab") as output:
        server = spawn(cluster.program(), output)
    wait_for(cluster.answers, "the server")
    assert Cluster(data).stop_leftover()
    assert server.wait() == 0
    stale = cluster.cluster / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n")
    assert not Cluster(data).stop_leftover()
    assert psutil.pid_exists(os.getpid())


def test_a_stale_postmaster_file_does_not_stop_the_next_start(data: Path) -> None:
    with throwaway_postgres(data) as cluster:
        pid = int((cluster.cluster / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
    assert (cluster.cluster / "postmaster.pid").exists()
    with throwaway_postgres(data) as again:
        assert again.answers()


def test_a_port_that_was_half_written_is_drawn_anew(data: Path) -> None:
    data.mkdir()
    (data / "port").write_text("")
    assert Cluster(data).port in postgres.PORTS
    assert (data / "port").read_text() == str(Cluster(data).port)


def test_a_full_disk_while_the_database_is_made_is_named_with_the_remedy(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.mkdir()

    def refuse(*_: object, **__: object) -> None:
        raise psycopg.errors.DiskFull("could not extend file “base/1/1”: No space left on device")

    monkeypatch.setattr(postgres.psycopg, "connect", refuse)
    with pytest.raises(SupervisorError, match="The database could not be made: the disk is full") as caught:
        Cluster(data).set_up()
    assert "Free some space" in caught.value.remedy
    assert not (data / "set-up").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root keeps a cluster elsewhere")
def test_a_cluster_that_lay_elsewhere_and_is_gone_is_not_replaced_by_an_empty_one(data: Path) -> None:
    data.mkdir()
    (data / "cluster").symlink_to(data.parent / "gone" / "cluster")
    with pytest.raises(SupervisorError, match="and is gone") as caught:
        Cluster(data).make()
    assert f"rm {data / 'cluster'}" in caught.value.remedy
    assert (data / "cluster").is_symlink()


def test_a_new_cluster_forgets_what_was_set_up_in_the_old_one(data: Path) -> None:
    data.mkdir()
    (data / "set-up").write_text("of the cluster before")
    assert Cluster(data, durable=False).make()
    assert not (data / "set-up").exists()


def test_an_identity_cannot_enter_a_private_folder_of_another(tmp_path: Path) -> None:
    stranger = Identity(uid=os.getuid() + 54_321, gid=os.getgid() + 54_321, name="stranger")
    inner = tmp_path / "private" / "inner"
    inner.mkdir(parents=True)
    inner.chmod(0o755)
    (tmp_path / "private").chmod(0o700)
    assert not stranger.can_enter(inner)
    assert Identity(uid=os.getuid(), gid=os.getgid(), name="me").can_enter(inner)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")
def test_in_a_private_home_the_cluster_lies_in_the_shared_place_with_a_link_to_it(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = data.parent / "shared"
    monkeypatch.setattr(postgres, "SHARED_PLACE", shared)
    monkeypatch.setattr(Identity, "can_enter", lambda self, folder: shared in folder.parents)
    home = data / "postgres"
    with throwaway_postgres(home) as cluster:
        assert cluster.binaries.is_relative_to(shared)
        assert (home / "cluster").is_symlink()
        assert cluster.cluster.is_relative_to(shared)
    with throwaway_postgres(home) as again:
        assert again.cluster == cluster.cluster
