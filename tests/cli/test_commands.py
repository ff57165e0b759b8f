"""The command line, as a person or a script meets it, with the fake engine."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from atelier import cli

Run = Callable[..., subprocess.CompletedProcess[str]]
WORK = "The harbour wakes at {n}. Somebody counts the boats, somebody counts the gulls, and the tide counts nobody."
ENVIRONMENT = {**os.environ, "ATELIER_EXTRA_ENGINES": "fake=atelier.workshop.contract.fake:FakeEngine"}
COMMAND = [sys.executable, "-m", "atelier.cli"]


def running_in(folder: Path) -> Run:
    def call(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        words = [*COMMAND, *map(str, arguments)]
        return subprocess.run(
            words, capture_output=True, text=True, cwd=folder, env=ENVIRONMENT, input=stdin, check=False
        )

    return call


def write_works(folder: Path) -> Path:
    (folder / "more").mkdir(parents=True)
    for number in range(8):
        (folder / f"{number}.txt").write_text(WORK.format(n=number), encoding="utf-8")
    (folder / "more" / "several.md").write_text("\n---\n".join(WORK.format(n=n) for n in "abc"), encoding="utf-8")
    (folder / ".hidden").write_text("not a work")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs `atelier` in a folder of its own."""
    return running_in(tmp_path)


@pytest.fixture
def works(tmp_path: Path) -> Path:
    return write_works(tmp_path / "works")


@pytest.fixture
def brief(tmp_path: Path) -> Path:
    path = tmp_path / "brief.json"
    path.write_text(json.dumps({"subject": "A lighthouse", "length": 20}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a training leaves; nobody changes it."""
    folder = tmp_path_factory.mktemp("trained")
    run = running_in(folder)
    done = run("train", "--engine", "fake", "--works", write_works(folder / "works"), "--out", "adapter", "--json")
    assert done.returncode == 0, done.stderr
    return folder / "adapter"


@pytest.fixture
def adapter(trained_once: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained_once, tmp_path / "adapter")


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one line of standard output."""
    assert done.stdout.count("\n") == 1, done.stdout
    return dict(json.loads(done.stdout))


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".atelier")]


# Training ----------------------------------------------------------------------------------------------------------


def test_training_ends_with_one_line_that_holds_the_proof(run: Run, works: Path, tmp_path: Path) -> None:
    done = run("train", "--engine", "fake", "--works", works, "--out", "new/out", "--seed", "3", "--json")
    assert done.returncode == 0, done.stderr
    result = document(done)
    assert result["fidelity"]["perplexity_adapter"] < result["fidelity"]["perplexity_base"]
    assert result["works"] == 11
    assert result["seed"] == 3
    assert result["adapter"] == "new/out"
    assert result["peak_memory_bytes"] > 1_000_000
    assert result["seconds"] >= 0
    news = [json.loads(line) for line in done.stderr.splitlines()]
    steps = [line["progress"] for line in news if "progress" in line]
    assert steps[-1]["done"] == steps[-1]["planned"]
    assert {step["stage"] for step in steps} >= {"reading", "learning"}
    label = json.loads((tmp_path / "new/out/atelier.json").read_text())
    assert (label["engine"], label["adapter_sha256"]) == ("fake", result["adapter_sha256"])
    assert (tmp_path / "new/out/adapter/adapter.json").is_file()
    assert leftovers(tmp_path / "new") == []


def test_training_tells_a_person_what_was_learned(run: Run, works: Path) -> None:
    done = run("train", "--engine", "fake", "--works", works, "--out", "out")
    assert done.returncode == 0
    assert "nearer to works it never saw" in done.stdout
    assert "learning" in done.stderr
    assert "{" not in done.stdout + done.stderr


def test_the_same_works_and_seed_give_the_same_adapter(run: Run, works: Path, adapter: Path) -> None:
    again = document(run("train", "--engine", "fake", "--works", works, "--out", "again", "--json"))
    assert again["adapter_sha256"] == json.loads((adapter / "atelier.json").read_text())["adapter_sha256"]


def test_works_json_overrides_what_files_say(run: Run, works: Path) -> None:
    plain = document(run("train", "--engine", "fake", "--works", works, "--out", "a", "--json"))
    notes = [{"file": "1.txt", "title": "One", "tags": ["sea"], "description": "First."}, {"file": "more/several.md"}]
    (works / "works.json").write_text(json.dumps(notes), encoding="utf-8")
    told = document(run("train", "--engine", "fake", "--works", works, "--out", "b", "--json"))
    assert told["works"] == plain["works"]
    assert told["dataset_sha256"] != plain["dataset_sha256"]
    assert told["refusals"] == []


@pytest.mark.parametrize(
    ("notes", "named"),
    [
        ("[", "works.json, line 1"),
        ('{"file": "1.txt"}', "must be a list"),
        ('[{"file": "1.txt"}, {"titel": "x", "file": "1.txt"}]', "works.json, entry 2: titel"),
        ('[{"file": "gone.txt"}]', "gone.txt"),
        ('[{"file": "../brief.json"}]', "../brief.json"),
    ],
)
def test_a_wrong_works_json_is_named(
    run: Run, works: Path, brief: Path, tmp_path: Path, notes: str, named: str
) -> None:
    (works / "works.json").write_text(notes, encoding="utf-8")
    done = run("train", "--engine", "fake", "--works", works, "--out", "out")
    assert done.returncode == 3
    assert named in done.stderr
    assert not (tmp_path / "out").exists()


def test_files_that_cannot_be_used_are_named_and_left_out(run: Run, works: Path) -> None:
    (works / "broken.txt").write_bytes(b"\xff\xfe\x00")
    (works / "photo.jpg").write_bytes(b"jpg")
    shutil.copy(works / "1.txt", works / "copy.txt")
    done = run("train", "--engine", "fake", "--works", works, "--out", "out", "--json")
    assert done.returncode == 0
    refused = {row["where"]: row["code"] for row in document(done)["refusals"]}
    assert refused == {"broken.txt": "unreadable", "photo.jpg": "kind", "copy.txt": "duplicate"}
    assert document(done)["works"] == 11


def test_too_few_works_have_an_exit_code_of_their_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    empty = run("train", "--engine", "fake", "--works", "few", "--out", "out")
    (tmp_path / "few" / "one.txt").write_text("Only one.")
    one = run("train", "--engine", "fake", "--works", "few", "--out", "out", "--json")
    assert (empty.returncode, one.returncode) == (4, 4)
    assert document(one)["error"]["code"] == "too_few_works"
    assert not (tmp_path / "out").exists()


def test_wrong_inputs_are_named(run: Run, works: Path) -> None:
    unknown = run("train", "--engine", "nobody", "--works", works, "--out", "out")
    missing = run("train", "--engine", "fake", "--works", "nowhere", "--out", "out")
    recipe = run("train", "--engine", "fake", "--works", works, "--out", "out", "--recipe", "stepps=3")
    assert (unknown.returncode, missing.returncode, recipe.returncode) == (3, 3, 3)
    assert "nobody" in unknown.stderr
    assert "nowhere" in missing.stderr
    assert "stepps" in recipe.stderr
    assert "Traceback" not in unknown.stderr + missing.stderr + recipe.stderr


def test_wrong_usage_has_an_exit_code_of_its_own(run: Run) -> None:
    assert run().returncode == 2
    assert run("train").returncode == 2
    for seed in ("-1", "one", str(1 << 62)):
        wrong = run("train", "--works", "a", "--out", "b", "--seed", seed)
        assert wrong.returncode == 2
        assert f"“{seed}” must be a whole number from 0" in wrong.stderr
    assert run("--help").returncode == 0


def test_a_crash_in_training_is_an_internal_error(run: Run, works: Path, tmp_path: Path) -> None:
    done = run("train", "--engine", "fake", "--works", works, "--out", "out", "--recipe", "fail_at=2", "--json")
    assert done.returncode == 1
    assert document(done)["error"]["code"] == "train_crashed"
    assert not (tmp_path / "out").exists()
    assert leftovers(tmp_path) == []


def test_a_folder_in_use_is_refused_and_an_earlier_result_replaced_by_force(
    run: Run, works: Path, adapter: Path, tmp_path: Path
) -> None:
    (adapter / "mine.txt").write_text("a person's own file")
    before = (adapter / "atelier.json").read_bytes()
    refused = run("train", "--engine", "fake", "--works", works, "--out", adapter, "--seed", "5")
    assert refused.returncode == 3
    assert "--force" in refused.stderr
    assert (adapter / "atelier.json").read_bytes() == before
    forced = run("train", "--engine", "fake", "--works", works, "--out", adapter, "--seed", "5", "--force")
    assert forced.returncode == 0
    assert json.loads((adapter / "atelier.json").read_text())["seed"] == 5
    assert (adapter / "mine.txt").read_text() == "a person's own file"
    foreign = run("train", "--engine", "fake", "--works", works, "--out", works, "--force")
    assert foreign.returncode == 3
    assert len(list(works.glob("*.txt"))) == 8


def test_ctrl_c_ends_training_and_leaves_nothing(works: Path, tmp_path: Path) -> None:
    words = [*COMMAND, "train", "--engine", "fake", "--works", works, "--out", "out", "--json"]
    slow = ["--recipe", "seconds_per_step=60"]
    with subprocess.Popen(
        [*words, *slow], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=ENVIRONMENT
    ) as process:
        assert process.stderr is not None
        while "learning" not in process.stderr.readline():
            assert process.poll() is None
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out)["error"]["code"] == "cancelled"
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert not (tmp_path / "out").exists()
    assert leftovers(tmp_path) == []


# Generation --------------------------------------------------------------------------------------------------------


def test_generation_writes_masters_and_says_what_they_are(run: Run, adapter: Path, brief: Path, tmp_path: Path) -> None:
    words = ("generate", "--adapter", adapter, "--brief", brief, "--seed", "9", "--samples", "3", "--json")
    done = run(*words, "--out", "one")
    result = document(done)
    assert [row["seed"] for row in result["outputs"]] == [9, 10, 11]
    for row in result["outputs"]:
        text = (tmp_path / "one" / row["file"]).read_text()
        assert text.startswith("A lighthouse: ")
        assert row["text_excerpt"] == text[:400]
    again = document(run(*words, "--out", "two"))
    assert [row["sha256"] for row in again["outputs"]] == [row["sha256"] for row in result["outputs"]]
    assert all("progress" in json.loads(line) for line in done.stderr.splitlines())


def test_without_a_seed_one_is_drawn_and_told(run: Run, adapter: Path, brief: Path) -> None:
    drawn = document(run("generate", "--adapter", adapter, "--brief", brief, "--out", "one", "--json"))
    words = ("generate", "--adapter", adapter / "adapter", "--brief", brief, "--seed", drawn["seed"], "--json")
    assert document(run(*words, "--out", "two"))["outputs"] == drawn["outputs"]


def test_a_brief_may_come_from_standard_input(run: Run, adapter: Path) -> None:
    done = run("generate", "--adapter", adapter, "--brief", "-", "--out", "out", stdin='{"subject": "Nets"}')
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Nets: ")


def test_a_wrong_brief_is_named_by_its_field(run: Run, adapter: Path, brief: Path, tmp_path: Path) -> None:
    for text, named in (
        ('{"subject": "x", "length": "long"}', "length"),
        ("{", "brief.json, line 1"),
        ("[]", "object"),
    ):
        brief.write_text(text)
        done = run("generate", "--adapter", adapter, "--brief", brief, "--out", "out")
        assert done.returncode == 3
        assert named in done.stderr
    many = run("generate", "--adapter", adapter, "--brief", brief, "--out", "out", "--samples", "99")
    assert many.returncode == 3
    assert "--samples" in many.stderr
    assert not (tmp_path / "out").exists()


def test_guardrails_of_training_hold_in_generation(run: Run, works: Path, brief: Path, tmp_path: Path) -> None:
    (tmp_path / "guards.json").write_text(json.dumps({"subjects_refused": ["lighthouse"]}))
    words = ("--engine", "fake", "--works", works, "--out", "guarded", "--guardrails", "guards.json")
    assert run("train", *words).returncode == 0
    done = run("generate", "--adapter", "guarded", "--brief", brief, "--out", "out", "--json")
    assert done.returncode == 5
    assert document(done)["error"]["code"] == "refused"
    assert not (tmp_path / "out").exists()


def test_damaged_adapters_are_refused(run: Run, adapter: Path, brief: Path, tmp_path: Path) -> None:
    nothing = run("generate", "--adapter", tmp_path, "--brief", brief, "--out", "out")
    path = adapter / "adapter" / "adapter.json"
    path.write_text(path.read_text().replace("harbour", "hospital"))
    changed = run("generate", "--adapter", adapter, "--brief", brief, "--out", "out")
    path.write_text("{")
    broken = run("generate", "--adapter", adapter, "--brief", brief, "--out", "out")
    assert [done.returncode for done in (nothing, changed, broken)] == [3, 3, 3]
    assert "not those of this version" in changed.stderr


def test_text_streams_to_a_terminal(adapter: Path, brief: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    words = [*COMMAND, "generate", "--adapter", adapter, "--brief", brief, "--out", "out", "--seed", "1"]
    slow = {**ENVIRONMENT, "ATELIER_FAKE_SECONDS_PER_WORD": "0.1"}
    with subprocess.Popen(words, stdout=theirs, stderr=subprocess.DEVNULL, cwd=tmp_path, env=slow) as process:
        os.close(theirs)
        first = os.read(ours, 1000).decode()
        assert process.poll() is None, "the first words come before the last"
        seen = first
        while process.poll() is None or not seen.endswith("\n"):
            try:
                seen += os.read(ours, 1000).decode()
            except OSError:
                break
    assert seen.replace("\r\n", "\n").strip() == (tmp_path / "out" / "sample-1.txt").read_text()


def test_ctrl_c_ends_generation(adapter: Path, brief: Path, tmp_path: Path) -> None:
    words = [*COMMAND, "generate", "--adapter", adapter, "--brief", brief, "--out", "out", "--json"]
    slow = {**ENVIRONMENT, "ATELIER_FAKE_SECONDS_PER_WORD": "0.5"}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=slow
    ) as process:
        assert process.stderr is not None
        assert "writing" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert not (tmp_path / "out").exists()
    assert leftovers(tmp_path) == []


def test_a_full_disk_is_named_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out/adapter")

    monkeypatch.setattr(cli, "_run", full)
    assert cli.main(["engines"]) == 1
    assert "out/adapter: No space left on device. Free some space, then run it again." in capsys.readouterr().err


# Verifying ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "mark.key"
    path.write_text("a1" * 32 + "\n")
    return path


def test_a_piece_that_was_made_with_a_key_is_known_by_it(run: Run, adapter: Path, brief: Path, key: Path) -> None:
    words = ("generate", "--adapter", adapter, "--brief", brief, "--seed", "1", "--out")
    assert run(*words, "marked", "--mark-key", key).returncode == 0
    assert run(*words, "plain").returncode == 0
    (key.parent / "other.key").write_text("b2" * 16)
    found = run("verify", "marked/sample-1.txt", "--engine", "fake", "--key", "other.key", "--key", key, "--json")
    assert found.returncode == 0, found.stderr
    told = document(found)
    assert (told["verdict"], [row["key"] for row in told["found"]]) == ("found", [str(key)])
    assert (
        "less than once in a billion" in run("verify", "marked/sample-1.txt", "--engine", "fake", "--key", key).stdout
    )
    assert "No mark found" in run("verify", "plain/sample-1.txt", "--engine", "fake", "--key", key).stdout
    assert "a1a1" not in found.stdout + found.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("gone.txt", "--key", "mark.key"), "gone.txt"),
        (("mark.key", "--key", "gone.key"), "gone.key"),
        (("mark.key", "--key", "wrong.key"), "wrong.key"),
        (("mark.key", "--site", "ftp://example.org"), "--site"),
        (("mark.key", "--site", "http://127.0.0.1:9"), "http://127.0.0.1:9: No site answers"),
    ],
)
def test_what_cannot_be_verified_is_named(
    run: Run, key: Path, tmp_path: Path, words: tuple[str, ...], named: str
) -> None:
    (tmp_path / "wrong.key").write_text("not hexadecimal")
    done = run("verify", "--engine", "fake", *words)
    assert done.returncode == 3
    assert named in done.stderr


class Answers(BaseHTTPRequestHandler):
    """A small site that knows one file, and finds a mark in every text at the second time of asking."""

    asked: ClassVar[list[str]] = []

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.startswith("/api/records/marks/"):
            by = {"name": "Rowan", "handle": "rowan"}
            found = [{"creator": by, "p_value": 1e-6, "odds": "about once in 1,000,000 texts"}]
            self._answer(200, {"id": "7", "verdict": "found", "found": found, "places": 90, "cut": False})
        elif self.path.endswith(hashlib.sha256(b"known").hexdigest()):
            facts = {"creator": {"name": "Rowan", "handle": "rowan"}, "creation_model": {"name": "Warm lines"}}
            self._answer(200, {"kind": "output", "at": "2026-01-02", "facts": facts, "made_from_facts": None})
        else:
            self._answer(404, {"message": "Nothing is known."})

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
        self._answer(202, {"id": "7", "verdict": "waiting"})

    def log_message(self, *_: object) -> None:
        pass


def test_a_site_is_asked_for_the_hash_and_then_for_the_mark(run: Run, tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text("known")
    (tmp_path / "unknown.txt").write_text("unknown words")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    site = ("--site", f"http://127.0.0.1:{server.server_port}")
    try:
        assert "Made by Warm lines, a creation model of Rowan (@rowan)." in run("verify", "known.txt", *site).stdout
        assert Answers.asked == [f"/api/records/{hashlib.sha256(b'known').hexdigest()}"]
        told = document(run("verify", "unknown.txt", *site, "--json"))
        assert (told["verdict"], told["by"], told["found"][0]["creator"]["handle"]) == ("found", "mark", "rowan")
        assert Answers.asked[2:] == ["unknown words", "/api/records/marks/7"]
        assert run("verify", "picture.png", *site).returncode == 3
    finally:
        server.shutdown()
        server.server_close()


# Looking -----------------------------------------------------------------------------------------------------------


def test_engines_are_listed(run: Run) -> None:
    names = [row["engine"] for row in document(run("engines", "--json"))["engines"]]
    assert "fake" in names
    assert "fake 1: Word pairs" in run("engines").stdout


def test_inspecting_says_what_is_in_files(run: Run, works: Path) -> None:
    (works / "bad.txt").write_bytes(b"\x00")
    done = run("inspect", "--engine", "fake", works / "more" / "several.md", works / "bad.txt", "--json")
    assert done.returncode == 3
    good, bad = document(done)["files"]
    assert len(good["pieces"]) == 3
    assert bad["error"]["code"] == "unreadable"
    assert run("inspect", "--engine", "fake", works / "1.txt").returncode == 0


def test_the_workshop_loads_no_web_framework(run: Run) -> None:
    script = (
        "import sys; from atelier.cli import main; main(['engines']); print('django' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert done.stderr.strip().splitlines()[-1] == "False"


def test_the_management_command_reaches_the_site(run: Run) -> None:
    done = run("manage", "version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5.2")
