"""Engines that each break one promise. `test_suite.py` runs the contract's tests on them and expects a failure."""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from atelier.workshop.contract import (
    Emit,
    Engine,
    GenerateSpec,
    Guardrails,
    Hand,
    Inspection,
    Output,
    Preview,
    Progress,
    Report,
    Trace,
    TrainResult,
    TrainSpec,
    Upload,
)
from atelier.workshop.contract.fake import FakeEngine
from atelier.workshop.contract.suite import EngineContract


class Forgetful(FakeEngine):
    """Takes seeds of its own, never the same twice: drawn by chance, two now and then wrote the same short text."""

    def __init__(self) -> None:
        super().__init__()
        self._own = itertools.count(1)

    def generate(self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        seeds = tuple(next(self._own) for _ in spec.seeds)
        return super().generate(hand, spec.model_copy(update={"seeds": seeds}), workspace, emit)


class Distracted(FakeEngine):
    """Writes something else when two ask at once."""

    def __init__(self) -> None:
        super().__init__()
        self._busy = threading.Semaphore(1)

    def generate(self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        alone = self._busy.acquire(blocking=False)
        time.sleep(0.05)
        changed = spec if alone else spec.model_copy(update={"seeds": tuple(seed + 100 for seed in spec.seeds)})
        try:
            return super().generate(hand, changed, workspace, emit)
        finally:
            if alone:
                self._busy.release()


class Leaky(FakeEngine):
    """Leaves a file in the system's folder for temporary files."""

    def train(self, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("notes")
        return super().train(spec, workspace, report)


class Generous(FakeEngine):
    """Shows everything."""

    def generate(self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        return super().generate(hand, spec.model_copy(update={"reveal": 1.0}), workspace, emit)


class Restless(FakeEngine):
    """Reports progress that jumps back."""

    def train(self, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
        report(Progress(stage="almost done", done=9, planned=10))
        return super().train(spec, workspace, report)


class Stubborn(FakeEngine):
    """Goes on for a while after it was asked to stop."""

    def generate(self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        def slowly(news: Preview | Progress) -> None:
            try:
                emit(news)
            except Exception:
                time.sleep(2.5)
                raise

        return super().generate(hand, spec, workspace, slowly)


class Careless(FakeEngine):
    """Trips over bad files with errors that have no name."""

    def inspect(self, upload: Upload, workspace: Path) -> Inspection:
        Path(upload.path).read_text(encoding="ascii")
        return super().inspect(upload, workspace)


class Unguarded(FakeEngine):
    """Ignores guardrails."""

    def generate(self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        return super().generate(hand, spec.model_copy(update={"guardrails": Guardrails()}), workspace, emit)


class Unmarked(FakeEngine):
    """Forgets to mark what it makes."""

    def generate(self, hand: Hand, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        return super().generate(hand, spec.model_copy(update={"mark_key": None}), workspace, emit)


class Boastful(FakeEngine):
    """Finds every mark everywhere."""

    def detect(self, file: Path, keys: Sequence[str]) -> list[Trace]:
        return [trace.model_copy(update={"p_value": 1e-9}) for trace in super().detect(file, keys)]


class _Contract(EngineContract):
    kind: type[FakeEngine]

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Engine:
        return cls.kind()

    @pytest.fixture(scope="class")
    @classmethod
    def good_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        path = tmp_path_factory.mktemp("good") / "good.txt"
        path.write_text("\n---\n".join(f"The owl said {w} twice, and the barn was quiet." for w in "abcdef"))
        return [path]

    @pytest.fixture(scope="class")
    @classmethod
    def bad_uploads(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        path = tmp_path_factory.mktemp("bad") / "bad.txt"
        path.write_bytes(b"\xff\xfe")
        return [path]

    @pytest.fixture(scope="class")
    @classmethod
    def brief(cls) -> dict[str, Any]:
        return {"subject": "A wooden ladder"}


class TestForgetful(_Contract):
    kind = Forgetful


class TestDistracted(_Contract):
    kind = Distracted


class TestLeaky(_Contract):
    kind = Leaky


class TestGenerous(_Contract):
    kind = Generous


class TestRestless(_Contract):
    kind = Restless


class TestStubborn(_Contract):
    kind = Stubborn


class TestCareless(_Contract):
    kind = Careless


class TestUnguarded(_Contract):
    kind = Unguarded


class TestUnmarked(_Contract):
    kind = Unmarked


class TestBoastful(_Contract):
    kind = Boastful
