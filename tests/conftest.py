"""Fixtures every test may use. PostgreSQL itself is started earlier, by the plugin atelier.supervisor.testing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout these tests belong to."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data(repo_root: Path) -> Path:
    """The folder of real input beside the checkout; a test that asks for it is skipped where there is none."""
    folder = repo_root.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real input beside the checkout ({folder.name} is missing)")
    return folder


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser the `browser` tests drive: CHROMIUM, or what the system has; skipped with a reason where none is."""
    from shutil import which

    named = os.environ.get("CHROMIUM")
    found = named or which("chromium") or which("chromium-browser") or which("google-chrome")
    if not found:
        pytest.skip("no Chromium: set CHROMIUM to its path, or let bin/test install it")
    return found
