"""The installer goes on where it left off, and never takes half an environment for a whole one."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def installer(repo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The installer's module, for an environment of this test's own."""
    monkeypatch.setenv("ATELIER_VENV", str(tmp_path / "environment"))
    spec = importlib.util.spec_from_file_location("installer", repo_root / "bin" / "support" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_environment_whose_making_was_interrupted_is_made_anew(
    installer: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, made, interrupted = subprocess.run, [], [True]

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        if "venv" not in command:
            return real(command, **options)
        made.append(command)
        python = Path(installer.python())
        python.parent.mkdir(parents=True, exist_ok=True)
        python.unlink(missing_ok=True)
        python.symlink_to(sys.executable)
        if interrupted:
            interrupted.clear()
            raise KeyboardInterrupt
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(KeyboardInterrupt):
        installer.make_venv()
    assert installer.runs()
    installer.make_venv()
    assert len(made) == 2
    installer.make_venv()
    assert len(made) == 2


def test_a_folder_that_is_no_environment_is_left_alone(installer: ModuleType) -> None:
    installer.VENV.mkdir()
    (installer.VENV / "letter.txt").write_text("a person's own")
    with pytest.raises(installer.Failure, match="is not a virtual environment"):
        installer.make_venv()
    assert [path.name for path in installer.VENV.iterdir()] == ["letter.txt"]
