"""Training runs in a process of its own, which steps back, stops when asked, and never outlives its parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from atelier.workshop.contract import Cancelled, Progress, TooFewWorks, TrainSpec
from atelier.workshop.contract.fake import FakeEngine
from atelier.workshop.runtime.local import LocalRuntime, TrainCrashed

Training = Callable[..., TrainSpec]


def gone(pid: int) -> bool:
    """Whether a process has ended; waits up to ten seconds for it."""
    for _ in range(200):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def wait_for(path: Path) -> str:
    """What a file holds, once it holds something; waits up to twenty seconds for it."""
    for _ in range(400):
        if path.exists() and (text := path.read_text(encoding="utf-8")):
            return text
        time.sleep(0.05)
    raise AssertionError(f"{path.name} was never written")


def test_the_result_is_that_of_training_here_and_knows_its_memory(
    runtime: LocalRuntime, training: Training, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    direct = FakeEngine().train(training(), here, lambda _: None)
    news: list[Progress] = []
    result = runtime.train("fake", training(), there, news.append)
    assert result.adapter_sha256 == direct.adapter_sha256
    assert result.evaluation == direct.evaluation
    assert result.card.pop("peak_memory_bytes") > 10_000_000
    assert result.card == direct.card
    assert news[-1].done == news[-1].planned
    assert (there / result.adapter_dir / "adapter.json").exists()


def test_training_steps_back(runtime: LocalRuntime, training: Training, tmp_path: Path) -> None:
    runtime.train("rogue", training(category="priority"), tmp_path, lambda _: None)
    assert int((tmp_path / "nice").read_text()) >= os.nice(0) + 15 or int((tmp_path / "nice").read_text()) == 19


def test_training_is_told_what_it_needs_and_none_of_the_sites_secrets(
    runtime: LocalRuntime, training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = ("DATABASE_URL", "ATELIER_SECRET_KEY", "ATELIER_EMAIL_HOST", "ATELIER_TEXT_BASE", "SOMEBODY")
    for name in (*secrets, "ATELIER_ROGUE_KEY", "ATELIER_ROGUE_REMOTE_KEY"):
        monkeypatch.setenv(name, "a secret")
    monkeypatch.setenv("ATELIER_ROGUE_MOOD", "calm")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    runtime.train("rogue", training(category="environment"), tmp_path, lambda _: None)
    told = json.loads((tmp_path / "environment").read_text(encoding="utf-8"))
    assert "a secret" not in told.values()
    assert (told["ATELIER_ROGUE_MOOD"], told["OMP_NUM_THREADS"]) == ("calm", "3")
    assert told["PATH"] == os.environ["PATH"]


def test_the_memory_of_a_training_is_measured_whatever_its_engine_says(
    runtime: LocalRuntime, training: Training, tmp_path: Path
) -> None:
    assert runtime.train("rogue", training(), tmp_path, lambda _: None).card["peak_memory_bytes"] > 10_000_000


def test_named_errors_pass_through(runtime: LocalRuntime, training: Training, tmp_path: Path) -> None:
    with pytest.raises(TooFewWorks) as caught:
        runtime.train("fake", training(works=training().works[:1]), tmp_path, lambda _: None)
    assert caught.value.remedy


def test_a_crash_says_what_the_process_said_last_and_the_log_says_all(
    runtime: LocalRuntime, training: Training, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TrainCrashed, match="the last thing it said") as caught:
        runtime.train("rogue", training(category="crash"), tmp_path, lambda _: None)
    assert caught.value.code == "train_crashed"
    with pytest.raises(TrainCrashed, match="failed on purpose at step 2") as caught:
        runtime.train("fake", training(recipe={"fail_at": 2}), tmp_path, lambda _: None)
    assert "Traceback" not in caught.value.message
    assert "Traceback" in caplog.text


def test_a_killed_training_is_a_crash(runtime: LocalRuntime, training: Training, tmp_path: Path) -> None:
    def kill(progress: Progress) -> None:
        if progress.done:
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)

    with pytest.raises(TrainCrashed):
        runtime.train("rogue", training(recipe={"seconds_per_step": 5}), tmp_path, kill)
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_cancelled_training_ends(runtime: LocalRuntime, training: Training, tmp_path: Path) -> None:
    def cancel(progress: Progress) -> None:
        if progress.done:
            raise Cancelled

    with pytest.raises(Cancelled):
        runtime.train("rogue", training(recipe={"seconds_per_step": 60}), tmp_path, cancel)
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_training_that_does_not_listen_is_killed_with_all_it_started(
    runtime: LocalRuntime, training: Training, tmp_path: Path
) -> None:
    def cancel(_: Progress) -> None:
        if (tmp_path / "deaf").exists():
            raise Cancelled

    with pytest.raises(Cancelled):
        runtime.train("rogue", training(category="deaf"), tmp_path, cancel)
    assert gone(int((tmp_path / "pid").read_text()))
    assert gone(int((tmp_path / "grandchild").read_text()))


def test_any_error_of_the_listener_ends_the_training(runtime: LocalRuntime, training: Training, tmp_path: Path) -> None:
    def fail(progress: Progress) -> None:
        if progress.done:
            raise OSError("the database went away")

    with pytest.raises(OSError, match="database"):
        runtime.train("rogue", training(recipe={"seconds_per_step": 60}), tmp_path, fail)
    assert gone(int((tmp_path / "pid").read_text()))


def test_closing_the_runtime_ends_its_trainings(runtime: LocalRuntime, training: Training, tmp_path: Path) -> None:
    running = threading.Event()
    ended: list[BaseException] = []

    def run() -> None:
        try:
            runtime.train("rogue", training(recipe={"seconds_per_step": 60}), tmp_path, lambda _: running.set())
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    pid = int(wait_for(tmp_path / "pid"))
    runtime.close()
    thread.join(20)
    assert gone(pid)
    assert [type(error) for error in ended] == [Cancelled]


def test_a_closed_runtime_trains_no_more(runtime: LocalRuntime, training: Training, tmp_path: Path) -> None:
    runtime.close()
    with pytest.raises(Cancelled):
        runtime.train("rogue", training(recipe={"seconds_per_step": 60}), tmp_path, lambda _: None)


@pytest.mark.parametrize("category", ["", "deaf"])
def test_a_killed_parent_leaves_no_child(
    rogue_engines: None, training: Training, tmp_path: Path, category: str
) -> None:
    spec = training(category=category, recipe={"seconds_per_step": 60})
    (tmp_path / "spec").write_text(spec.model_dump_json(), encoding="utf-8")
    script = (
        "import sys; from pathlib import Path\n"
        "from atelier.workshop.contract import TrainSpec, Upload\n"
        "from atelier.workshop.runtime.local import LocalRuntime\n"
        f"folder = Path({str(tmp_path)!r}); runtime = LocalRuntime()\n"
        "spec = TrainSpec.model_validate_json((folder / 'spec').read_text())\n"
        "upload = Upload(path=spec.works[0].path, filename='a.txt', sha256=spec.works[0].sha256, bytes=1)\n"
        "(folder / 'inspected').mkdir(); runtime.inspect('rogue', upload, folder / 'inspected')\n"
        "(folder / 'reader').write_text(str(runtime._sandbox._idle[0][0].pid))\n"
        "runtime.train('rogue', spec, folder, lambda _: None)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script])
    try:
        child = int(wait_for(tmp_path / "pid"))
        reader = int(wait_for(tmp_path / "reader"))
        assert psutil.pid_exists(child)
    finally:
        parent.kill()
        parent.wait()
        if (tmp_path / "grandchild").exists():
            os.kill(int((tmp_path / "grandchild").read_text()), signal.SIGKILL)
    assert gone(child)
    assert gone(reader)
