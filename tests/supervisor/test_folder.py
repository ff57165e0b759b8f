"""The data folder: private when it is ours, left alone when it is not, and plain about a full disk."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections import namedtuple
from io import FileIO
from pathlib import Path

import pytest

from atelier.supervisor import folder as module
from atelier.supervisor import health
from atelier.supervisor.attach import environment_of
from atelier.supervisor.errors import SupervisorError
from atelier.supervisor.folder import DataFolder, unwritable

Usage = namedtuple("Usage", "total used free")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_of_our_own_is_private_and_one_with_other_things_keeps_its_rights(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    (home / "letter.txt").write_text("not ours")
    for path, rights in ((tmp_path / "new", 0o711 if os.geteuid() == 0 else 0o700), (home, 0o755)):
        folder = DataFolder(path, "1.0.0")
        folder.open()
        folder.close()
        assert mode(path) == rights
        assert mode(path / "logs") == 0o700


def test_a_disk_that_is_almost_full_is_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1, 1, 12_000_000))
    folder = DataFolder(tmp_path / "data", "1.0.0")
    with pytest.raises(SupervisorError, match="12 MB are free") as caught:
        folder.open()
    folder.close()
    assert "Free some space" in caught.value.remedy


def test_a_disk_too_full_for_a_single_line_is_named_and_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(FileIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "FileIO", Full)
    folder = DataFolder(tmp_path / "data", "1.0.0")
    with pytest.raises(SupervisorError, match="is full") as caught:
        folder.open()
    folder.close()
    assert "Free some space" in caught.value.remedy
    monkeypatch.undo()
    again = DataFolder(tmp_path / "data", "1.0.0")
    again.open()
    again.close()


def test_a_copy_of_many_files_onto_a_full_disk_is_named_too() -> None:
    error = shutil.Error([("a", "b", "[Errno 28] No space left on device: 'b'")])
    assert "is full" in unwritable(Path("data"), error).message


def test_an_address_of_another_machine_is_named_as_such() -> None:
    with pytest.raises(SupervisorError, match=r"192\.0\.2\.1 is no address of this machine") as caught:
        health.require_free_port("192.0.2.1", 8000)
    assert "--host" in caught.value.remedy


def test_a_key_that_is_set_stays_beside_a_site_that_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "secrets.json").write_text('{"atelier": "pass/word"}')
    (tmp_path / "postgres" / "port").write_text("20001")
    (tmp_path / "secret_key").write_text("of the folder")
    monkeypatch.delenv("ATELIER_SECRET_KEY", raising=False)
    assert environment_of(tmp_path) == {
        "DATABASE_URL": "postgres://atelier:pass%2Fword@127.0.0.1:20001/atelier",
        "ATELIER_DATA": str(tmp_path),
        "ATELIER_SECRET_KEY": "of the folder",
    }
    monkeypatch.setenv("ATELIER_SECRET_KEY", "of the person")
    assert "ATELIER_SECRET_KEY" not in environment_of(tmp_path)
