"""Runs every check in turn, goes on after a failure, and ends with a summary and pytest's own closing lines."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
NO_TESTS = 5
# Longer than the whole suite may take; a stage that hangs is ended so that the others still speak.
LIMIT = 1800
SLOW = "slow or browser or engine"
KILLS = "tests/journeys/test_kills.py"
# What only computes lets the trainings that tests wait for go first: they run at a low priority themselves.
STEP_BACK = ("nice", "-n", "15")


@dataclass
class Stage:
    """One check and how it ended."""

    name: str
    command: list[str]
    may_be_empty: bool = False
    beside: bool = False  # runs while the others do, and is shown when it has ended
    code: int = -1
    seconds: float = 0.0
    closing: str = ""

    @property
    def is_pytest(self) -> bool:
        return "pytest" in Path(self.command[0]).name

    def hear(self, line: str) -> None:
        """Keep pytest's closing line."""
        if self.is_pytest and re.search(r"\b(passed|failed|error|errors|no tests ran)\b.* in [\d.]+s", line):
            self.closing = line.strip().strip("=").strip()


def tool(name: str, *arguments: str) -> list[str]:
    """A tool of this environment."""
    return [str(TOOLS / name), *arguments]


def lint() -> list[Stage]:
    """What reads the code without running it."""
    return [
        Stage("ruff check", tool("ruff", "check", ".")),
        Stage("ruff format", tool("ruff", "format", "--check", ".")),
        Stage("mypy", [*STEP_BACK, *tool("mypy")], beside=True),
        Stage("imports", tool("lint-imports")),
    ]


def slow_files() -> list[str]:
    """The test files that name a mark of the slow tests: to read all others too takes each worker 5 s more.

    Journeys come first: they take longest and wait most, so that they must not be what is left at the end.
    """
    names = re.compile(rf"\bmark\.({SLOW.replace(' or ', '|')})\b")
    found = [path for folder in ("tests", "src") for path in (ROOT / folder).rglob("test_*.py")]
    named = [str(path.relative_to(ROOT)) for path in found if names.search(path.read_text("utf-8"))]
    return sorted(set(named) - {KILLS}, key=lambda name: ("journeys" not in name, name))


def kills() -> Stage:
    """The journey in which parts of a site are killed: it waits for three quarters of its time, beside the others."""
    return Stage("kills", tool("pytest", "-q", "-p", "no:xdist", KILLS), beside=True)


def fast() -> Stage:
    """The tests that need neither a browser nor the real engine, two at a time."""
    return Stage("tests", tool("pytest", "-q", "-n", "2", "-m", f"not ({SLOW})"))


def slow() -> Stage:
    """The tests that start a browser, whole sites or the real engine: two files at a time, each from top to bottom."""
    shared = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
    return Stage("slow tests", tool("pytest", "-q", *shared, "-m", SLOW, *slow_files()), may_be_empty=True)


def announce(stage: Stage) -> None:
    print(f"\n── {stage.name}: {' '.join([Path(stage.command[0]).name, *stage.command[1:]])}", flush=True)


@contextmanager
def running_beside(stages: list[Stage]) -> Iterator[None]:
    """Runs stages that leave most of a core free, or can wait for one, one after the other while others run; what they
    print comes after."""
    printed: list[str] = []

    def work() -> None:
        for stage in stages:
            begun = time.monotonic()
            try:
                done = subprocess.run(
                    stage.command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT
                )
                stage.code = done.returncode
                printed.append(done.stdout + done.stderr)
                for line in done.stdout.splitlines():
                    stage.hear(line)
            except subprocess.TimeoutExpired:
                printed.append(f"It had not ended after {LIMIT} s.\n")
            stage.seconds = time.monotonic() - begun

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    thread.join()
    for stage, words in zip(stages, printed, strict=True):
        announce(stage)
        print(words, end="", flush=True)


def run(stage: Stage) -> None:
    """Runs it, its output passed on line by line."""
    announce(stage)
    begun = time.monotonic()
    process = subprocess.Popen(stage.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    watch = threading.Timer(LIMIT, process.send_signal, [signal.SIGINT])
    watch.daemon = True
    watch.start()
    try:
        for line in process.stdout:
            print(line, end="", flush=True)
            stage.hear(line)
        stage.code = process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise
    finally:
        watch.cancel()
    stage.seconds = time.monotonic() - begun
    if stage.may_be_empty and stage.code == NO_TESTS:
        stage.code = 0


def find_chromium() -> str | None:
    """The browser, installed when that is possible; its path goes to the tests in CHROMIUM."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("── installing Chromium", flush=True)
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "-q", *words], env=env, stdout=subprocess.DEVNULL)
        found = shutil.which("chromium")
    return found


def summary(stages: list[Stage]) -> int:
    """Prints how each stage ended; 1 when any failed."""
    print("\n── summary")
    for stage in stages:
        verdict = "passed" if stage.code == 0 else f"FAILED (exit {stage.code})"
        print(f"{stage.name:<12} {verdict:<18} {stage.seconds:6.0f} s  {stage.closing}")
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", " ".join(s.closing for s in stages)):
        counts["failed" if word == "error" else word] += int(number)
    if any(stage.is_pytest for stage in stages):
        print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped", flush=True)
    return int(any(stage.code != 0 for stage in stages))


def plan(words: list[str]) -> list[Stage]:
    """The stages a command line asks for. Errors: SystemExit with the usage."""
    if words[:1] == ["--"]:
        return [Stage("tests", tool("pytest", *words[1:]))]
    plans = {"all": [kills(), *lint(), fast(), slow()], "lint": lint(), "fast": [fast()], "slow": [kills(), slow()]}
    asked = words[0] if words else "all"
    if asked not in plans or len(words) > 1:
        raise SystemExit("usage: bin/test [all|lint|fast|slow]   or   bin/test -- ARGUMENTS OF PYTEST")
    return plans[asked]


def set_environment() -> None:
    """What tests need of their environment to be quick beside others.

    Two tests at a time share the cores: a library's second thread would spin while it waits for the other test, which
    took twice the processor's time and more (measured: 103 s against 43 s for the shapes of bases and the style).
    They also start hundreds of processes, and without compiled modules on disk each of them compiles all that it
    imports anew: 3 of the 5 s that torch or the web process then takes to start.
    """
    for name in ("ATELIER_TEXT_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def main() -> int:
    """Exit code 0 only when every stage passed."""
    stages = plan(sys.argv[1:])
    if any(stage.name == "slow tests" for stage in stages):
        browser = find_chromium()
        if browser is None:
            print("Chromium is missing. Install it, or set CHROMIUM to its path; then start again.", file=sys.stderr)
            return 1
        os.environ["CHROMIUM"] = browser
    set_environment()
    try:
        with running_beside([stage for stage in stages if stage.beside]):
            for stage in stages:
                if not stage.beside:
                    run(stage)
    except KeyboardInterrupt:
        return 130
    return summary(stages)


if __name__ == "__main__":
    sys.exit(main())
