"""Many adapters that need no training, in a cache folder of their own: for the benchmarks of a crowded machine."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.bases.cache import cache_folder
from atelier.workshop.engines.text.base import base
from atelier.workshop.engines.text.lora import CONFIG, ORIGIN, PREFIX, WEIGHTS
from atelier.workshop.engines.text.serving.adapters import load
from atelier.workshop.engines.text.serving.native.decoder import Adapter
from atelier.workshop.engines.text.serving.shelf import shelf
from atelier.workshop.engines.text.shape import layer_sizes

RANK = 16


@dataclass(frozen=True)
class Creator:
    """An adapter's folder, and its SHA-256."""

    folder: Path
    sha256: str


def own_cache(folder: Path) -> None:
    """Make `folder` this process's cache, and that of its children: what was made before is linked, packed adapters
    are not, so that nothing in the user's cache is put out."""
    base()
    known = cache_folder() / "text"
    (folder / "text").mkdir(parents=True)
    for each in known.iterdir():
        if each.name != "adapters":
            (folder / "text" / each.name).symlink_to(each)
    os.environ["ATELIER_CACHE"] = str(folder)


def write_adapter(folder: Path, seed: int) -> None:
    """A random adapter as PEFT lays it out, strong enough to change what is written."""
    from safetensors.numpy import save_file

    random = np.random.default_rng(seed)
    tensors = {}
    for name, (outputs, inputs) in layer_sizes(base().config).items():
        down = random.uniform(-1, 1, (RANK, inputs)) / np.sqrt(inputs)
        up = random.standard_normal((outputs, RANK)) * 0.01
        tensors[f"{PREFIX}{name}.lora_A.weight"] = down.astype(np.float16)
        tensors[f"{PREFIX}{name}.lora_B.weight"] = up.astype(np.float16)
    folder.mkdir(parents=True)
    save_file(tensors, folder / WEIGHTS)
    _describe(folder)


def make(folder: Path, count: int, whole: int) -> list[Creator]:
    """`count` creators, of whom the first `whole` have all their files and are packed when first asked for. The others
    have only their packed form: the parts of those, each with its outputs shuffled in an order of its own."""
    made = []
    for number in range(whole):
        write_adapter(folder / f"{number}", number)
    models = [load(folder / f"{number}", base()) for number in range(whole)]
    made += [Creator(folder / f"{number}", model.adapter_sha256) for number, model in enumerate(models)]
    for number in range(whole, count):
        place = folder / f"{number}"
        place.mkdir()
        _describe(place)
        (place / WEIGHTS).write_bytes(b"packed elsewhere")
        sha256 = f"{number:064x}"
        packed = shelf().place(place, base().sha256)
        assert packed is not None
        assert shelf().put(packed, place, sha256, _shuffled(models[number % whole].adapter, number)) is not None
        made.append(Creator(place, sha256))
    return made


def _describe(folder: Path) -> None:
    (folder / CONFIG).write_text(json.dumps({"peft_type": "LORA", "r": RANK, "lora_alpha": 2 * RANK}))
    (folder / ORIGIN).write_text(json.dumps({"engine": "text", "base": base().info.model_dump()}))


def _shuffled(adapter: Adapter, seed: int) -> Adapter:
    random = np.random.default_rng(seed)
    layers = tuple(
        {name: part[random.permutation(len(part))] for name, part in each.items()} for each in adapter.layers
    )
    return Adapter(layers, adapter.rank)


def popularity(count: int, exponent: float) -> NDArray[np.float64]:
    """Shares by Zipf's law: the n-th is asked for in proportion to 1 / n**exponent."""
    weights = 1 / np.arange(1, count + 1) ** exponent
    shares: NDArray[np.float64] = weights / weights.sum()
    return shares


def rollup(pid: int | str = "self") -> dict[str, int]:
    """What a process holds, in bytes, by the names of /proc/PID/smaps_rollup (Rss, Pss, Anonymous …)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(rest.split()[0]) * 1024 for name, rest in (line.split(":", 1) for line in lines)}
