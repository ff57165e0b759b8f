"""A whole site in a folder of its own, started as a person would start it, for journeys and for killing parts of it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from email import message_from_bytes, policy
from pathlib import Path
from types import TracebackType

import psutil
import psycopg
import requests


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """Starts `python -m atelier.supervisor` on its own data folder and stops it again."""

    def __init__(self, folder: Path, *, demo: bool = False, engines: str = "", recipes: str = "") -> None:
        self.folder = folder
        self.data = folder / "data"
        self.mail = folder / "mail"
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.demo = demo
        self.engines = engines
        self.recipes = recipes
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Site:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The environment the site runs in: nothing of the test run's own database."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ATELIER_", "DATABASE_URL", "DJANGO_"))}
        return {
            **inherited,
            "ATELIER_EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "ATELIER_EMAIL_FOLDER": str(self.mail),
            **({"ATELIER_CACHE": os.environ["ATELIER_CACHE"]} if "ATELIER_CACHE" in os.environ else {}),
            **({"ATELIER_EXTRA_ENGINES": self.engines} if self.engines else {}),
            **({"ATELIER_TRAIN_RECIPES": self.recipes} if self.recipes else {}),
        }

    def start(self, seconds: float = 90) -> None:
        """Start and wait for the first answer."""
        log = (self.folder / "site.log").open("ab")
        command = [sys.executable, "-m", "atelier.supervisor", "--data", str(self.data), "--port", str(self.port)]
        self.process = subprocess.Popen(
            command + ([] if self.demo else ["--no-demo"]), env=self.environment, stdout=log, stderr=log
        )
        self.wait_until_up(seconds)

    def wait_until_up(self, seconds: float = 90) -> None:
        """Until /healthz answers. Fails with the end of the log when the site does not come up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            try:
                if requests.get(f"{self.url}/healthz", timeout=5).ok:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.1)
        raise AssertionError("the site did not come up:\n" + (self.folder / "site.log").read_text()[-4000:])

    def stop(self) -> None:
        """Stop as Ctrl-C does, and make sure that nothing is left."""
        if self.process is None:
            return
        children = psutil.Process(self.process.pid).children(recursive=True) if self.process.poll() is None else []
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        finally:
            for child in children:
                if child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
                    child.kill()
            self.process = None

    def child(self, needle: str) -> psutil.Process | None:
        """A process of the site whose command line holds `needle` (worker, uvicorn, postgres)."""
        assert self.process is not None
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if needle in " ".join(process.cmdline()):
                    return process
            except psutil.Error:
                continue
        return None

    def kill(self, needle: str) -> bool:
        """kill -9 one part of the site; False when it was not there at that moment."""
        process = self.child(needle)
        if process is None:
            return False
        process.send_signal(signal.SIGKILL)
        return True

    def manage(self, *arguments: str, **environment: str) -> str:
        """Run `atelier manage …` on this site."""
        command = [sys.executable, "-m", "atelier.cli", "manage", "--data", str(self.data), *arguments]
        done = subprocess.run(
            command, env={**self.environment, **environment}, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def letters(self, address: str) -> list[str]:
        """The bodies of all letters to an address, latest last."""
        found: list[tuple[float, str]] = []
        for file in self.mail.glob("*"):
            for part in re.split(rb"\n-{60,}\n", file.read_bytes()):
                letter = message_from_bytes(part.lstrip(), policy=policy.default)
                if address in str(letter["To"]):
                    body = letter.get_body(("plain",))
                    found.append((file.stat().st_mtime, body.get_content() if body else ""))
        return [body for _, body in sorted(found)]

    def letter_with(self, address: str, pattern: str, seconds: float = 20) -> re.Match[str]:
        """Wait for a letter that holds a pattern."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for body in reversed(self.letters(address)):
                if match := re.search(pattern, body):
                    return match
            time.sleep(0.2)
        raise AssertionError(f"no letter to {address} with {pattern}: {self.letters(address)}")


def postgres_url(site: Site) -> str:
    """The address of the site's own PostgreSQL, read from its worker's environment."""
    worker = site.child("atelier.config.worker")
    assert worker is not None
    return worker.environ()["DATABASE_URL"]


def rows(site: Site, sql: str, *values: object) -> list[tuple[object, ...]]:
    """What the database itself says."""
    with psycopg.connect(postgres_url(site)) as connection:
        return connection.execute(sql, values).fetchall()
