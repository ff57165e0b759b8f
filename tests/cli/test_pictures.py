"""The command line with an engine that makes pictures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from atelier.market.works.testing import some_sheet

Run = Callable[..., subprocess.CompletedProcess[str]]
ENVIRONMENT = {**os.environ, "ATELIER_EXTRA_ENGINES": "sketch=atelier.workshop.contract.fake.sketch:SketchEngine"}
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "atelier.cli", *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, env=ENVIRONMENT, check=False)

    return call


@pytest.fixture
def adapter(run: Run, tmp_path: Path) -> Path:
    works = tmp_path / "works"
    works.mkdir()
    for number in range(6):
        (works / f"{number}.svg").write_bytes(some_sheet(number))
    (tmp_path / "brief.json").write_text(json.dumps({"subject": "A fair"}))
    done = run("train", "--engine", "sketch", "--works", works, "--out", "adapter", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [sheet["title"] for sheet in told["sheets"]] == ["Palette", "A work held out"]
    assert {"name": "shape:circle", "title": "Circle", "group": "Shapes"} in told["parts"]
    return tmp_path / "adapter"


def rows_of(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout)["outputs"])


def test_training_lays_sheets_and_parts_beside_the_adapter(adapter: Path) -> None:
    sheets, parts = (json.loads((adapter / f"{name}.json").read_text()) for name in ("sheets", "parts"))
    for row in (*sheets, *parts):
        assert (adapter / row["file"]).read_bytes().startswith(PNG)
    assert sheets[0]["public"] is True
    assert all("picture" not in row for row in (*sheets, *parts))
    assert sorted(path.name for path in (adapter / "adapter").iterdir()) == ["adapter.json"]


def test_each_sample_is_a_master_and_a_png(run: Run, adapter: Path, tmp_path: Path) -> None:
    asked = ("generate", "--adapter", adapter, "--brief", "brief.json", "--samples", "2", "--seed", "3")
    rows = rows_of(run(*asked, "--out", "out", "--json"))
    assert [(row["file"], row["picture"]) for row in rows] == [
        ("sample-1.svg", "sample-1.png"),
        ("sample-2.svg", "sample-2.png"),
    ]
    for row in rows:
        assert (tmp_path / "out" / row["file"]).read_text().startswith("<svg ")
        assert (tmp_path / "out" / row["picture"]).read_bytes().startswith(PNG)
        assert "A fair" in row["told"]
        assert "text_excerpt" not in row
    label = json.loads((tmp_path / "out" / "atelier.json").read_text())
    assert set(label["files"]) == {"sample-1.svg", "sample-1.png", "sample-2.svg", "sample-2.png"}
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".atelier")) == []
    told = run(*asked, "--out", "again")
    assert "again/sample-1.svg" in told.stdout
    assert "again/sample-2.png" in told.stdout


def test_inspecting_tells_the_picture_of_a_work(run: Run, adapter: Path) -> None:
    done = run("inspect", "--engine", "sketch", "works/0.svg", "--json")
    (row,) = json.loads(done.stdout)["files"]
    assert row["pieces"][0]["preview"]["media_type"] == "image/png"
