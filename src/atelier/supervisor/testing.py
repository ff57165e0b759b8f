"""A PostgreSQL for tests, and the pytest plugin that has it running before Django reads its settings.

Loaded by `-p atelier.supervisor.testing` in pyproject.toml. The server lives in a temporary folder, is shared by all
xdist workers of a run (they inherit its address) and ends with the run, also when that is interrupted or killed.
With DATABASE_URL set, that server is used; its role must be allowed to create databases.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .postgres import Cluster
from .processes import spawn

FAKE_ENGINES = {
    "fake": "atelier.workshop.contract.fake:FakeEngine",
    "sketch": "atelier.workshop.contract.fake.sketch:SketchEngine",
}
_stopping = contextlib.ExitStack()


@contextlib.contextmanager
def throwaway_postgres(folder: Path, *, durable: bool = False) -> Iterator[Cluster]:
    """A server in `folder` (made when missing) whose role may create databases; unless `durable`, careless of power."""
    cluster = Cluster(folder, durable=durable, creates_databases=True)
    cluster.make()
    log = folder / "postgres.log"
    with log.open("ab") as output:
        process = spawn(cluster.program(), output)
    try:
        cluster.wait_until_ready(lambda: process.poll() is None, lambda: log.read_text(errors="replace")[-2000:])
        cluster.set_up()
        yield cluster
    finally:
        process.send_signal(cluster.program().stop_signal)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def temporary_root() -> Iterator[Path]:
    """A folder for one test run, held by a lock; what runs that were killed left behind is removed on the way."""
    base = Path(tempfile.gettempdir()) / f"atelier-tests-{os.getuid()}"
    base.mkdir(exist_ok=True)
    base.chmod(0o711)
    for old in base.iterdir():
        with contextlib.suppress(OSError), (old / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
    root = Path(tempfile.mkdtemp(prefix=time.strftime("%H%M%S-"), dir=base))
    root.chmod(0o711)
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield root
        finally:
            shutil.rmtree(root, ignore_errors=True)


def _set_environment(root: Path) -> None:
    os.environ["ATELIER_TEST_ROOT"] = str(root)
    os.environ["ATELIER_SECRET_KEY"] = secrets.token_urlsafe(32)
    os.environ["ATELIER_DEMO"] = "0"
    os.environ["ATELIER_DEBUG"] = "0"
    with contextlib.suppress(ModuleNotFoundError):
        if importlib.util.find_spec("atelier.workshop.contract.fake") is not None:
            pairs = (f"{name}={place}" for name, place in FAKE_ENGINES.items())
            os.environ.setdefault("ATELIER_EXTRA_ENGINES", ",".join(pairs))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Starts the server in the first process of a run; an xdist worker finds its address in the environment."""
    if "ATELIER_TEST_ROOT" not in os.environ:
        root = _stopping.enter_context(temporary_root())
        _set_environment(root)
        if not os.environ.get("DATABASE_URL"):
            cluster = _stopping.enter_context(throwaway_postgres(root / "postgres"))
            os.environ["DATABASE_URL"] = cluster.url
        # A run inside this one (pytester) must not take this run's folder for its own parent's.
        early_config.add_cleanup(_stopping.close)
    data = Path(os.environ["ATELIER_TEST_ROOT"]) / "data" / os.environ.get("PYTEST_XDIST_WORKER", "main")
    data.mkdir(parents=True, exist_ok=True)
    os.environ["ATELIER_DATA"] = str(data)
    return (yield)
