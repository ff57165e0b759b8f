"""Brings the site up, keeps it up, takes it down: database first and last, web and worker between."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from . import health
from .console import Console
from .errors import FREE_SPACE, FULL, SupervisorError
from .folder import ROOM_NEEDED, DataFolder
from .leftovers import MARK, end_leftovers, reap_strangers
from .postgres import Cluster
from .processes import Child, Program, stop_all
from .site import Site

TICK = 0.1
# A child that never once worked and ends this often is broken, not unlucky.
HOPELESS_AFTER = 4
ROOM_CHECK_EVERY = 30.0


class Stopped(Exception):
    """The person (or the system) asked us to stop."""


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line and in the environment."""

    host: str
    port: int
    demo: bool
    database_url: str | None


class Supervisor:
    """One site on one data folder. `run` returns when it was asked to stop, with nothing left running."""

    def __init__(self, options: Options, folder: DataFolder, site: Site, console: Console) -> None:
        self._options, self._folder, self._site, self._console = options, folder, site, console
        self._children: dict[str, Child] = {}
        self._progress: dict[str, str] = {}
        self._cluster: Cluster | None = None
        self._demands = 0
        self._open = False
        self._room_checked = 0.0
        self._full_said = 0.0

    @property
    def address(self) -> str:
        """Where a browser on this machine finds the site."""
        host = health.reachable(self._options.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self._options.port}"

    def run(self) -> None:
        """Errors: SupervisorError with the reason when the site cannot be brought up; nothing is left running."""
        begun = time.monotonic()
        with self._signals():
            try:
                self._bring_up(begun)
                while True:
                    self._tick()
                    self._console.status(self._state())
            except (Stopped, SupervisorError):
                # What fails because it was asked to stop (Ctrl-C reaches the making of a database too) is no failure.
                if not self._demands:
                    raise
                self._console.status("Stopping; what is being written is finished first …")
            finally:
                self._take_down()
                self._console.end()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def demand(number: int, frame: object) -> None:
            self._demands += 1

        before = {n: signal.signal(n, demand) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    # Up --------------------------------------------------------------------------------------------------------------

    def _bring_up(self, begun: float) -> None:
        # The order of a killed supervisor's children does not matter: all of them are in the way.
        if count := end_leftovers(self._folder.path):
            self._console.say(f"Ended {count} process(es) that an earlier run had left behind.")
        health.require_free_port(self._options.host, self._options.port)
        url = self._options.database_url
        if url:
            self._wait_for_database(url)
        else:
            url = self._start_postgres()
        env = self._environment(url)
        self._prepare(env, own=self._cluster is not None)
        self._start("web", self._site.web, env, grace=4.5)
        self._wait_for("Opening the site", self._site_answers, broken=self._children["web"])
        self._open = True
        self._console.say(f"\n  Atelier is open: {self.address}   (after {time.monotonic() - begun:.1f} s)\n")
        # After the first page is possible: loading its libraries would take the processor from the web process.
        self._start("worker", self._site.worker, env, grace=5.0)

    def _site_answers(self) -> bool:
        # The site answers to the names it was given only; a leading dot or star stands for many.
        name = os.environ.get("ATELIER_HOSTS", "").split(",")[0].strip().lstrip("*.") or "localhost"
        return health.site_answers(self._options.host, self._options.port, self._site.health_path, name)

    def _wait_for_database(self, url: str) -> None:
        name = health.without_password(url)
        while reason := health.database_silence(url):
            self._console.status(f"Waiting for the database at {name}: {reason}")
            self._pause(1.0)
        self._console.status(f"The database at {name} answers")

    def _start_postgres(self) -> str:
        cluster = self._cluster = Cluster(self._folder.postgres)
        if not (cluster.cluster / "PG_VERSION").exists():
            self._console.status("Making the database (once, some seconds)")
        if cluster.make():
            (self._folder.postgres / "prepared").unlink(missing_ok=True)
        if cluster.stop_leftover():
            self._console.say("Ended a PostgreSQL that an earlier run had left behind.")
        self._console.status("Starting PostgreSQL")
        child = self._run_child(cluster.program())

        def alive() -> bool:
            if self._demands:
                raise Stopped
            self._tick_children()
            return child.running or child.restarts < HOPELESS_AFTER

        cluster.wait_until_ready(alive, lambda: "\n".join(child.last_lines))
        cluster.set_up()
        return cluster.url

    def _prepare(self, env: dict[str, str], *, own: bool) -> None:
        """Migrations and demo; skipped on a database of our own when nothing they depend on has changed."""
        stamp = self._folder.postgres / "prepared"
        key = self._site.fingerprint(self._folder.version, str(self._options.demo))
        if own and stamp.exists() and stamp.read_text() == key:
            return
        program = self._program("prepare", self._site.prepare, env, grace=10.0)
        child = Child(program, self._folder.logs / "prepare.log", self._hear)
        self._console.status("Preparing the market")
        child.start()
        try:
            while child.running:
                self._tick()
                child.pump()
                self._console.status(self._progress.get("prepare", "Preparing the market"))
            assert child.process is not None
            code = child.process.returncode
        finally:
            stop_all([child])
            self._progress.pop("prepare", None)
        if code != 0:
            raise self._failed("Preparing the market failed", child, f"exit code {code}")
        self._folder.record_version()
        if own:
            self._folder.write("postgres/prepared", key)

    def _environment(self, url: str) -> dict[str, str]:
        env = dict(os.environ)
        env |= {
            "DATABASE_URL": url,
            "ATELIER_DATA": str(self._folder.path),
            "ATELIER_PORT": str(self._options.port),
            "ATELIER_DEMO": "1" if self._options.demo else "0",
            "PYTHONUNBUFFERED": "1",
            MARK: str(self._folder.path),
        }
        env["ATELIER_SECRET_KEY"] = env.get("ATELIER_SECRET_KEY") or self._folder.secret_key()
        # numpy's threads wait by spinning: beside other busy processes one thread is six times quicker than two.
        env.setdefault("OPENBLAS_NUM_THREADS", "1")
        return env

    # Keeping ---------------------------------------------------------------------------------------------------------

    def _program(self, name: str, command: tuple[str, ...], env: dict[str, str], grace: float) -> Program:
        filled = self._site.filled(command, self._options.host, self._options.port)
        return Program(name=name, command=filled, env=env, cwd=Path.cwd(), grace=grace)

    def _start(self, name: str, command: tuple[str, ...], env: dict[str, str], grace: float) -> Child:
        return self._run_child(self._program(name, command, env, grace))

    def _run_child(self, program: Program) -> Child:
        child = Child(program, self._folder.logs / f"{program.name}.log", self._hear)
        self._children[program.name] = child
        child.start()
        return child

    def _hear(self, name: str, line: str) -> None:
        """Takes one line of a child: progress into the status, the rest to the console where it is of interest."""
        if FULL in line:
            self._say_full()
        if line.startswith("{"):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                news = json.loads(line)
                counted = f" ({news['done']} of {news['planned']})" if news["planned"] > 1 else ""
                self._progress[name] = f"{news['step']}{counted}" if news["done"] < news["planned"] else ""
                return
        child = self._children.get(name)
        if child is None or child.program.echo:
            self._console.quote(name, line)

    def _tick(self) -> None:
        """One turn: read what children say, bring back who ended. Errors: Stopped when we were asked to."""
        if self._demands:
            raise Stopped
        self._tick_children()
        self._watch_room()
        pipes = [c.process.stdout for c in self._children.values() if c.process and c.process.stdout]
        select.select([pipe for pipe in pipes if not pipe.closed], [], [], TICK)

    def _tick_children(self) -> None:
        for name, child in self._children.items():
            code = child.attend()
            if code is not None:
                self._progress.pop(name, None)
                how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
                self._console.say(f"{name:>8} │ {how}; starting it again")
        reap_strangers({c.process.pid for c in self._children.values() if c.process})

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._tick()
            time.sleep(TICK)

    def _wait_for(self, words: str, reached: Callable[[], bool], *, broken: Child) -> None:
        begun = time.monotonic()
        while not reached():
            self._tick()
            seconds = int(time.monotonic() - begun)
            self._console.status(words + (f" ({seconds // 10 * 10} s)" if seconds >= 10 else ""))
            if broken.restarts >= HOPELESS_AFTER:
                raise self._failed(f"“{broken.program.name}” ends as soon as it starts", broken, "it says nothing")

    def _failed(self, what: str, child: Child, otherwise: str) -> SupervisorError:
        """What a child said last as the reason why we cannot go on."""
        if any(FULL in line for line in child.last_lines):
            return SupervisorError(f"{what}: the disk that holds {self._folder.path} is full.", remedy=FREE_SPACE)
        words = " / ".join(child.last_lines[-3:]) or otherwise
        return SupervisorError(f"{what}: {words}", remedy=f"The whole story is in {child.log_file}.")

    def _watch_room(self) -> None:
        if time.monotonic() - self._room_checked > ROOM_CHECK_EVERY:
            self._room_checked = time.monotonic()
            if shutil.disk_usage(self._folder.path).free < ROOM_NEEDED:
                self._say_full()

    def _say_full(self) -> None:
        if time.monotonic() - self._full_said > 60 or not self._full_said:
            self._full_said = time.monotonic()
            self._console.say(f"The disk that holds {self._folder.path} is (almost) full: free some space soon.")

    def _state(self) -> str:
        states = [f"{name} {'up' if child.running else 'restarting'}" for name, child in self._children.items()]
        work = [words for words in self._progress.values() if words]
        return " · ".join([self.address, *states, *work, "Ctrl-C stops"])

    # Down ------------------------------------------------------------------------------------------------------------

    def _take_down(self) -> None:
        """Web and worker first, so that the database has no more visitors when it goes."""
        demands = self._demands
        front = [child for name, child in self._children.items() if name != "postgres"]
        stop_all(front, hurry=lambda: self._demands > demands)
        stop_all([child for name, child in self._children.items() if name == "postgres"])
        self._children.clear()
