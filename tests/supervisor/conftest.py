"""A supervisor in a process of its own, with what a person outside can see of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from atelier.supervisor.postgres import Cluster

STAND_INS = Path(__file__).with_name("stand_ins.py")
# Long enough for a busy machine; a test that waits this long has failed.
PATIENCE = 60.0


def wait_for(reached: Callable[[], bool], what: str) -> None:
    """Waits until `reached`; a test that never gets there fails with `what`."""
    limit = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < limit, f"waited in vain for: {what}"
        time.sleep(0.05)


class Run:
    """One supervisor process on one data folder."""

    def __init__(self, data: Path, *, version: str = "1.2.3", port: int | None = None, **env: str) -> None:
        self.data, self.port = data, port or unused_port()
        self.output = data.parent / f"output-{self.port}-{time.monotonic_ns()}.txt"
        clean = {k: v for k, v in os.environ.items() if k != "DATABASE_URL" and not k.startswith("ATELIER_")}
        command = [sys.executable, str(STAND_INS), version, "--port", str(self.port), "--data", str(data)]
        with self.output.open("w") as file:
            self.process = psutil.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=clean | env)

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_open(self) -> Run:
        wait_for(lambda: "Atelier is open" in self.said() or self.process.poll() is not None, "the site to open")
        assert self.process.poll() is None, self.said()
        wait_for(lambda: self.page() is not None, "the first page")
        return self

    def page(self) -> list[str] | None:
        """The web stand-in's lines: its process id, then its environment; None while it does not answer."""
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5).read().decode().splitlines()
        return None

    def database(self) -> psycopg.Connection:
        page = self.page()
        assert page is not None
        return psycopg.connect(page[1], autocommit=True)

    def postmaster(self) -> int:
        return int((self.data / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])

    def family(self) -> list[psutil.Process]:
        return self.process.children(recursive=True)

    def ends(self) -> int:
        return int(self.process.wait(PATIENCE))

    def stop(self, demand: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(demand)
        return self.ends()


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that the user PostgreSQL runs as can enter (pytest's own folders are private)."""
    root = Path(tempfile.mkdtemp(prefix="atelier-supervisor-"))
    root.chmod(0o711)
    yield root / "data with space"
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def made_once() -> Iterator[Path]:
    """A cluster as the supervisor makes it, never started: making one takes longer than all else a test does."""
    # Not in pytest's own folders: they are private, so the cluster would be made elsewhere and copies would share it.
    root = Path(tempfile.mkdtemp(prefix="atelier-supervisor-made-"))
    root.chmod(0o711)
    folder = root / "postgres"
    folder.mkdir()
    Cluster(folder, durable=False).make()
    assert not (folder / "cluster").is_symlink()
    yield folder
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def up(data: Path, made_once: Path) -> Iterator[Callable[..., Run]]:
    """Starts supervisors; whatever a test leaves running is ended after it."""
    runs: list[Run] = []

    def start(folder: Path = data, *, made: bool = True, **options: object) -> Run:
        if made and not folder.exists():
            folder.mkdir()
            subprocess.run(["cp", "-a", str(made_once), str(folder / "postgres")], check=True)
        runs.append(Run(folder, **options))  # type: ignore[arg-type]
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.stop()
