"""A base of the hub is fetched once and stays what it is; whatever fails is named with its remedy."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from atelier.workshop.bases import hub
from atelier.workshop.contract import EngineUnavailable
from atelier.workshop.engines.text.base import base, base_info

FIRST, SECOND = "a" * 40, "b" * 40


class StandIn(ThreadingHTTPServer):
    """A hub with one repository, `house/tiny`, whose branch `main` points to a commit that tests may change.

    `refusals`: answers (status, error code) by the end of a path. `asked`: the paths of all requests.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.files |= {"README.md": b"---\nlicense: cc0-1.0\n---\n", "pytorch_model.bin": b"not wanted"}
        self.main = FIRST
        self.refusals: dict[str, tuple[int, str]] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *_: object) -> None:
        """Nothing: the tests' output stays clean."""

    def _answer(self, *, body: bool) -> None:
        path, held = urlsplit(self.path).path, self.server
        held.asked.append(path)
        for end, (status, code) in held.refusals.items():
            if path.endswith(end):
                return self._send(status, b"{}", {"X-Error-Code": code}, body=body)
        known = {FIRST, SECOND, "main", "spoken"}
        parts = path.strip("/").split("/")
        if parts[:4] == ["api", "models", "house", "tiny"] and parts[5] in known:
            commit = {"main": held.main, "spoken": SECOND}.get(parts[5], parts[5])
            if parts[4] == "revision":
                return self._send(200, json.dumps({"id": "house/tiny", "sha": commit, "siblings": []}).encode())
            tree = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in held.files.items()
            ]
            return self._send(200, json.dumps(tree).encode())
        if parts[:3] == ["house", "tiny", "resolve"] and parts[3] in known and parts[4] in held.files:
            data = held.files[parts[4]]
            about = {"X-Repo-Commit": parts[3], "ETag": f'"{hashlib.sha1(data).hexdigest()}"'}
            return self._send(200, data, about, body=body)
        missing = "RevisionNotFound" if parts[2:4] == ["house", "tiny"] else "RepoNotFound"
        return self._send(404, b"{}", {"X-Error-Code": missing}, body=body)

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None, *, body: bool = True) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)


@pytest.fixture
def stand_in(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The hub that this test's installation knows, and an empty cache."""
    server = StandIn(tiny_folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ATELIER_TEXT_BASE", "house/tiny")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_base_of_the_hub_is_fetched_and_says_where_it_is_from(stand_in: StandIn) -> None:
    found = base()
    assert found.info == base_info()
    assert (found.info.name, found.info.licence) == ("house/tiny", "CC0-1.0")
    assert found.info.source == f"Hugging Face hub, house/tiny at {FIRST}"
    assert found.sha256 == hashlib.sha256(stand_in.files["model.safetensors"]).hexdigest()
    assert not any("pytorch_model" in path for path in stand_in.asked)


def test_a_base_stays_what_it_was_when_the_hub_has_a_newer_one_or_is_gone(stand_in: StandIn) -> None:
    before = base_info()
    stand_in.main, asked = SECOND, len(stand_in.asked)
    hub.fetched.cache_clear()
    assert base_info() == before
    assert len(stand_in.asked) == asked  # not even asked again


@pytest.mark.parametrize(("revision", "commit"), [("spoken", SECOND), (SECOND, SECOND), ("main", FIRST)])
def test_a_revision_may_be_named(
    revision: str, commit: str, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_TEXT_BASE", f"house/tiny@{revision}")
    assert base_info().source.endswith(f"house/tiny at {commit}")
    assert base_info().name == "house/tiny"


@pytest.mark.parametrize(
    ("name", "said", "remedy"),
    [
        ("house/large", "is not there", "name"),
        ("house/tiny@older", "no such revision", "branch"),
        ("house/tiny", "asks for permission", "HF_TOKEN"),
    ],
)
def test_what_the_hub_has_not_or_denies_is_named(
    name: str, said: str, remedy: str, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "permission" in said:
        stand_in.refusals["house/tiny/revision/main"] = (403, "GatedRepo")
    monkeypatch.setenv("ATELIER_TEXT_BASE", name)
    for ask in (base, base_info):
        with pytest.raises(EngineUnavailable, match=said) as caught:
            ask()
        assert name in str(caught.value)
        assert remedy in caught.value.remedy


def test_without_a_network_the_remedy_says_so(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(EngineUnavailable, match="cannot be fetched") as caught:
        base_info()
    assert "network" in caught.value.remedy
    monkeypatch.setenv("HF_ENDPOINT", stand_in.url)
    assert base_info().name == "house/tiny"


def test_a_download_that_broke_off_goes_on(stand_in: StandIn) -> None:
    stand_in.refusals["model.safetensors"] = (400, "")
    with pytest.raises(EngineUnavailable, match="cannot be fetched"):
        base()
    stand_in.refusals.clear()
    already = len(stand_in.asked)
    assert base().info.source.endswith(FIRST)
    assert any(path.endswith("model.safetensors") for path in stand_in.asked[already:])


@pytest.mark.parametrize("folder", ["/no/such/folder", "./house/tiny", "house", "../house/tiny", "a/b/c"])
def test_what_is_no_name_of_the_hub_is_a_folder(
    folder: str, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_TEXT_BASE", folder)
    with pytest.raises(EngineUnavailable, match=r"lacks config\.json"):
        base_info()
    assert not stand_in.asked


def test_a_folder_of_that_name_comes_before_the_hub(
    stand_in: StandIn, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "tiny").symlink_to(tiny_folder)
    monkeypatch.chdir(tmp_path)
    assert base_info().source == "local folder"
    assert not stand_in.asked
