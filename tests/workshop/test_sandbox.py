"""Hostile files are read where they can do no harm."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from atelier.workshop.contract import (
    EngineUnavailable,
    Inspection,
    Limits,
    OverTime,
    Unreadable,
    Upload,
    WorkshopError,
    registry,
)
from atelier.workshop.runtime.local import LocalRuntime

Inspect = Callable[..., Inspection]


@pytest.fixture
def inspect(runtime: LocalRuntime, tmp_path: Path) -> Inspect:
    """Inspects a file of the given text; gives each a workspace of its own, named after it."""

    def run(text: str, engine: str = "rogue", name: str = "work.txt") -> Inspection:
        folder = tmp_path / hashlib.sha256(f"{text}{name}".encode()).hexdigest()[:8]
        workspace = folder / "workspace"
        workspace.mkdir(parents=True)
        path = folder / "upload"
        path.write_text(text, encoding="utf-8")
        raw = path.read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        return runtime.inspect(engine, Upload(path=str(path), filename=name, sha256=digest, bytes=len(raw)), workspace)

    return run


@pytest.fixture
def one_second(rogue_engines: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files may be read for one second only."""
    engine = registry.engine("rogue")
    changed = engine.capabilities().model_copy(update={"limits": Limits(inspect_seconds=1)})
    monkeypatch.setattr(engine, "capabilities", lambda: changed)


def test_a_file_is_read_in_another_process(inspect: Inspect) -> None:
    found = inspect("A few good words.", engine="fake")
    assert found.pieces[0].excerpt == "A few good words."


def test_many_files_share_one_started_interpreter(inspect: Inspect, runtime: LocalRuntime) -> None:
    for number in range(40):
        assert inspect(f"Text number {number}.").pieces
    started = runtime._sandbox._idle
    assert [calls for _, calls in started] == [40]


@pytest.mark.parametrize("what", ["crash", "raise", "disk"])
def test_a_crash_is_a_named_error_and_the_next_file_is_read(inspect: Inspect, what: str) -> None:
    with pytest.raises(Unreadable) as caught:
        inspect(what, name="some/where/evil.txt")
    assert caught.value.where == "evil.txt"
    assert caught.value.remedy
    assert inspect("Good words.").pieces


def test_a_file_that_eats_memory_is_refused(inspect: Inspect) -> None:
    with pytest.raises(Unreadable, match="memory"):
        inspect("memory")
    assert inspect("Good words.").pieces


@pytest.mark.parametrize("what", ["sleep", "spin"])
def test_a_file_that_takes_too_long_is_given_up(one_second: None, inspect: Inspect, what: str) -> None:
    with pytest.raises(OverTime) as caught:
        inspect(what)
    assert caught.value.where == "work.txt"
    assert inspect("Good words.").pieces


def test_a_killed_reader_is_replaced(inspect: Inspect, runtime: LocalRuntime) -> None:
    assert inspect("First.").pieces
    (child, _), *_ = runtime._sandbox._idle
    os.kill(child.pid, 9)
    assert inspect("Second.").pieces
    assert runtime._sandbox._idle[0][0].pid != child.pid


def test_errors_of_the_engine_pass_through(inspect: Inspect) -> None:
    with pytest.raises(Unreadable) as caught:
        inspect("own error")
    error = caught.value
    assert (error.code, error.message, error.where, error.remedy) == (
        "slightly_unreadable", "Not quite.", "line 1", "Look again.",
    )  # fmt: skip
    with pytest.raises(Unreadable, match="no words"):
        inspect("...")


def test_what_a_reader_prints_is_no_answer(inspect: Inspect) -> None:
    assert inspect("chatter").pieces[0].excerpt == "chatter"


def test_readers_know_no_secrets(inspect: Inspect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    monkeypatch.setenv("ATELIER_SECRET_KEY", "secret")
    monkeypatch.setenv("STRIPE_SECRET", "secret")
    monkeypatch.setenv("ATELIER_UNHEARD_OF", "secret")
    inspect("environment")
    (seen,) = tmp_path.glob("*/workspace/environment")
    names = seen.read_text(encoding="utf-8").splitlines()
    assert "ATELIER_EXTRA_ENGINES" in names
    assert not {"DATABASE_URL", "ATELIER_SECRET_KEY", "STRIPE_SECRET", "ATELIER_UNHEARD_OF"} & set(names)


def test_many_threads_may_ask_at_once(inspect: Inspect) -> None:
    texts = [f"Words of number {n}." for n in range(12)]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(inspect, texts))
    assert [inspection.pieces[0].excerpt for inspection in found] == texts


def test_a_master_is_exported_in_the_sandbox(runtime: LocalRuntime, tmp_path: Path) -> None:
    master = tmp_path / "master.txt"
    master.write_text("<b>Bold words", encoding="utf-8")
    file = runtime.export("fake", master, "html", tmp_path)
    assert "&lt;b&gt;Bold words" in (tmp_path / file.path).read_text(encoding="utf-8")
    with pytest.raises(WorkshopError, match="no format"):
        runtime.export("fake", master, "docx", tmp_path)


def test_an_unknown_engine_is_named(inspect: Inspect) -> None:
    with pytest.raises(EngineUnavailable, match="nobody"):
        inspect("Words.", engine="nobody")
