"""A started text engine and adapters that need no training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny import write_tiny_base

from atelier.workshop.contract import WorkFile
from atelier.workshop.engines.text import TextEngine
from atelier.workshop.engines.text.base import Base


@pytest.fixture(scope="session")
def text_engine() -> Iterator[TextEngine]:
    """The real engine on the bundled base, which is converted to the user's cache the first time."""
    engine = TextEngine()
    engine.warm()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def random_adapter(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes an adapter with random weights, as PEFT lays it out; strong enough to change what is written."""
    from safetensors.numpy import save_file

    from atelier.workshop.engines.text.base import base
    from atelier.workshop.engines.text.lora import CONFIG, ORIGIN, PREFIX, WEIGHTS, layer_sizes

    def make(seed: int, rank: int = 16, strength: float = 0.02) -> Path:
        random = np.random.default_rng(seed)
        tensors = {}
        for name, (outputs, inputs) in layer_sizes(base().config).items():
            down = random.uniform(-1, 1, (rank, inputs)) / np.sqrt(inputs)
            up = random.standard_normal((outputs, rank)) * strength
            tensors[f"{PREFIX}{name}.lora_A.weight"] = down.astype(np.float16)
            tensors[f"{PREFIX}{name}.lora_B.weight"] = up.astype(np.float16)
        folder = tmp_path_factory.mktemp("adapter")
        save_file(tensors, folder / WEIGHTS)
        (folder / CONFIG).write_text(json.dumps({"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank}))
        (folder / ORIGIN).write_text(json.dumps({"engine": "text", "base": base().info.model_dump()}))
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of 40,000 random weights that reads bytes, in the layout of transformers; trains in a second."""
    return write_tiny_base(tmp_path_factory.mktemp("tiny-base"))


@pytest.fixture
def tiny_base(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Base:
    """The tiny base, chosen as this installation's own for one test."""
    from atelier.workshop.engines.text.base import base

    monkeypatch.setenv("ATELIER_TEXT_BASE", str(tiny_folder))
    return base()


@pytest.fixture
def write_works(tmp_path: Path) -> Callable[[list[str]], tuple[WorkFile, ...]]:
    """Puts texts into files, as a frozen dataset has them."""

    def write(texts: list[str]) -> tuple[WorkFile, ...]:
        folder = tmp_path / "works"
        folder.mkdir(exist_ok=True)
        works = []
        for number, text in enumerate(texts):
            path = folder / f"{number}.txt"
            path.write_text(text, encoding="utf-8")
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            works.append(WorkFile(id=f"w{number}", path=str(path), sha256=sha256, title=f"Work {number}"))
        return tuple(works)

    return write
