"""A started text engine and adapters that need no training."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from atelier.workshop.engines.text import TextEngine


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

    def make(seed: int, rank: int = 16) -> Path:
        random = np.random.default_rng(seed)
        tensors = {}
        for name, (outputs, inputs) in layer_sizes(base().config).items():
            down = random.uniform(-1, 1, (rank, inputs)) / np.sqrt(inputs)
            up = random.standard_normal((outputs, rank)) * 0.02
            tensors[f"{PREFIX}{name}.lora_A.weight"] = down.astype(np.float16)
            tensors[f"{PREFIX}{name}.lora_B.weight"] = up.astype(np.float16)
        folder = tmp_path_factory.mktemp("adapter")
        save_file(tensors, folder / WEIGHTS)
        (folder / CONFIG).write_text(json.dumps({"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank}))
        (folder / ORIGIN).write_text(json.dumps({"engine": "text", "base": base().info.model_dump()}))
        return folder

    return make
