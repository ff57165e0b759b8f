"""Engines and works for tests of the workshop."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from atelier.workshop.contract import TrainSpec, WorkFile, registry
from atelier.workshop.runtime.local import LocalRuntime

HERE = Path(__file__).parent
FABLE = "The stone number {n} lay by the road. It said to the cart, wait, and the cart said, I have no time to wait."


@pytest.fixture
def rogue_engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The fake and the rogue engine, in this process and in those it starts."""
    monkeypatch.setenv(
        "ATELIER_EXTRA_ENGINES", "fake=atelier.workshop.contract.fake:FakeEngine,rogue=rogue:RogueEngine"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.syspath_prepend(str(HERE))
    registry._loaded.cache_clear()
    yield
    registry._loaded.cache_clear()
    sys.modules.pop("rogue", None)


@pytest.fixture
def runtime(rogue_engines: None) -> Iterator[LocalRuntime]:
    """A runtime of this test's own."""
    local = LocalRuntime()
    yield local
    local.close()


@pytest.fixture
def training(tmp_path: Path) -> Callable[..., TrainSpec]:
    """Makes a training of ten short works; keywords change the spec."""

    def make(**changes: object) -> TrainSpec:
        folder = tmp_path / "works"
        folder.mkdir(exist_ok=True)
        works = []
        for number in range(10):
            path = folder / f"{number}.txt"
            path.write_text(FABLE.format(n=number), encoding="utf-8")
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            works.append(WorkFile(id=str(number), path=str(path), sha256=digest, title=f"Stone {number}"))
        return TrainSpec.model_validate({"works": works, "dataset_sha256": "0" * 64, "seed": 1, **changes})

    return make
