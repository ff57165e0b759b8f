"""What a child says is kept, also at its end and on a full disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from atelier.supervisor.processes import Child, Program


def child(script: str, log: Path, heard: list[str]) -> Child:
    program = Program(name="web", command=(sys.executable, "-c", script), env=dict(os.environ))
    return Child(program, log, lambda _, line: heard.append(line))


def test_the_last_words_of_a_child_are_heard_even_if_it_said_them_while_nobody_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    web = child("print('this is why'); raise SystemExit(3)", tmp_path / "web.log", heard)
    web.start()
    assert web.process is not None
    web.process.wait()
    look, looks = web.pump, iter([lambda: None])
    monkeypatch.setattr(web, "pump", lambda: next(looks, look)())
    assert web.attend() == 3
    assert web.last_lines == heard == ["this is why"]
    web.finish()


def test_a_log_on_a_full_disk_is_left_out_and_stops_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []
    web = child("print('one'); print('two')", Path("/dev/full"), heard)
    web.start()
    assert web.process is not None
    web.process.wait()
    web.pump()
    web.finish()
    assert heard == ["one", "two"]
    assert capfd.readouterr().err == ""
