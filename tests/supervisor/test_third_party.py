"""The licence record may not fall behind the lock files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FORBIDDEN = re.compile(r"non-?commercial|\bNC\b|proprietary|unknown", re.I)


@pytest.mark.parametrize("lock", ["base", "dev", "weights"])
def test_every_locked_package_is_recorded_with_its_version(repo_root: Path, lock: str) -> None:
    record = (repo_root / "THIRD_PARTY.md").read_text()
    locked = re.findall(r"^([\w.-]+)==(\S+)", (repo_root / "requirements" / f"{lock}.lock").read_text(), re.M)
    assert locked
    missing = [
        f"{name} {version}"
        for name, version in locked
        if f"| {name} | {version} |" not in record and f"`{name}` {version}" not in record
    ]
    assert not missing, f"run bin/lock: {missing}"


def test_no_recorded_licence_forbids_commercial_use(repo_root: Path) -> None:
    rows = [line for line in (repo_root / "THIRD_PARTY.md").read_text().splitlines() if line.startswith("| ")]
    assert len(rows) > 50
    assert not [row for row in rows if FORBIDDEN.search(row)]


def test_the_lock_files_name_no_host_and_no_local_file(repo_root: Path) -> None:
    for file in (repo_root / "requirements").glob("*.lock"):
        assert not re.search(r"https?:|file:|index-url|find-links", file.read_text()), file.name
