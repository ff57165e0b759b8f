"""Reads an adapter's folder into the arrays that a row of the network takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import AdapterInvalid
from atelier.workshop.engines.text.base import Base, LlamaShape, Weights
from atelier.workshop.engines.text.lora import PREFIX, WEIGHTS, adapter_sha256, layer_sizes, read_config

RANK = 16
"""The highest rank an adapter may have; a lower one is filled up with zeros."""

_FUSED = {
    "A_qkv": ("self_attn", ("q_proj", "k_proj", "v_proj")),
    "A_o": ("self_attn", ("o_proj",)),
    "A_gu": ("mlp", ("gate_proj", "up_proj")),
    "A_down": ("mlp", ("down_proj",)),
}
_UP = {
    "B_q": "self_attn.q_proj",
    "B_k": "self_attn.k_proj",
    "B_v": "self_attn.v_proj",
    "B_o": "self_attn.o_proj",
    "B_gate": "mlp.gate_proj",
    "B_up": "mlp.up_proj",
    "B_down": "mlp.down_proj",
}
Parts = dict[str, NDArray[np.float32]]


class TextHand:
    """An adapter in memory, about 20 MB for rank 16 on the bundled base."""

    def __init__(self, adapter_sha256: str, parts: Parts) -> None:
        self.adapter_sha256 = adapter_sha256
        self._parts: Parts | None = parts

    @property
    def bytes_held(self) -> int:
        return sum(part.nbytes for part in (self._parts or {}).values())

    @property
    def parts(self) -> Parts:
        """The arrays of a row by input name. Errors: AdapterInvalid after `close`."""
        if self._parts is None:
            raise AdapterInvalid("The adapter was closed.", remedy="Load it again.")
        return self._parts

    def close(self) -> None:
        """Let go of the memory; texts in the making keep what they have."""
        self._parts = None


def load(folder: Path, base: Base) -> TextHand:
    """Read and check an adapter in PEFT's layout. Errors: AdapterInvalid naming the file and what is wrong."""
    config = read_config(folder, base)
    rank, scale = int(config["r"]), float(config["lora_alpha"]) / int(config["r"])
    if rank > RANK:
        raise AdapterInvalid(
            f"The adapter has rank {rank}; this engine serves up to {RANK}.", where=WEIGHTS, remedy="Train it again."
        )
    try:
        tensors = dict(Weights(folder / WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise AdapterInvalid("The adapter's weights are damaged.", where=WEIGHTS, remedy="Train it again.") from error
    _check(tensors, base.config, rank)
    return TextHand(adapter_sha256(folder), _parts(tensors, base.config.layers, rank, scale))


def _check(tensors: Parts, shape: LlamaShape, rank: int) -> None:
    expected = {}
    for name, (outputs, inputs) in layer_sizes(shape).items():
        expected[f"{PREFIX}{name}.lora_A.weight"] = (rank, inputs)
        expected[f"{PREFIX}{name}.lora_B.weight"] = (outputs, rank)
    for name, size in expected.items():
        if name not in tensors or tensors[name].shape != size:
            raise AdapterInvalid(f"The weights “{name}” are missing or of the wrong size.", where=WEIGHTS)
        if not np.isfinite(tensors[name]).all():
            raise AdapterInvalid(f"The weights “{name}” hold no finite numbers.", where=WEIGHTS)
    if extra := tensors.keys() - expected.keys():
        raise AdapterInvalid(f"There are weights this engine does not know: “{min(extra)}”.", where=WEIGHTS)


def _parts(tensors: Parts, layers: int, rank: int, scale: float) -> Parts:
    parts: Parts = {}
    for layer in range(layers):
        prefix = f"{PREFIX}model.layers.{layer}"
        for name, (block, columns) in _FUSED.items():
            downs = [tensors[f"{prefix}.{block}.{column}.lora_A.weight"].T for column in columns]
            parts[f"l{layer}_{name}"] = np.concatenate([_filled(d, 1, rank) for d in downs], axis=1)
        for name, place in _UP.items():
            up = tensors[f"{prefix}.{place}.lora_B.weight"].T * np.float32(scale)
            parts[f"l{layer}_{name}"] = np.ascontiguousarray(_filled(up, 0, rank))
    return parts


def _filled(values: NDArray[np.float32], axis: int, rank: int) -> NDArray[np.float32]:
    missing = [(0, 0), (0, 0)]
    missing[axis] = (0, RANK - rank)
    return np.pad(values, missing)
