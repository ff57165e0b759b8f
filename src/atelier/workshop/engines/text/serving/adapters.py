"""Gives an adapter's folder as the arrays that a slot of the network takes: packed once, mapped from then on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import AdapterInvalid
from atelier.workshop.engines.text.base import Base, Weights
from atelier.workshop.engines.text.lora import PREFIX, WEIGHTS, Lora, adapter_sha256, read_config
from atelier.workshop.engines.text.shape import LlamaShape, layer_sizes

from .native.decoder import RANK_MOST, Adapter
from .native.packing import LANES, packed_down, packed_up
from .shelf import Shelf
from .shelf import shelf as this_shelf

DOWN = {
    "down_qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "down_o": ("self_attn.o_proj",),
    "down_gu": ("mlp.gate_proj", "mlp.up_proj"),
    "down_down": ("mlp.down_proj",),
}
UP = {
    "up_q": "self_attn.q_proj",
    "up_k": "self_attn.k_proj",
    "up_v": "self_attn.v_proj",
    "up_o": "self_attn.o_proj",
    "up_gate": "mlp.gate_proj",
    "up_up": "mlp.up_proj",
    "up_down": "mlp.down_proj",
}
"""The linear layers whose down parts lie end to end in each part of an adapter, and the one of each up part."""
Tensors = dict[str, NDArray[np.float32]]


class TextHand:
    """An adapter ready for use, about 5 MB for rank 16 on the bundled base; pages of a file that all workers share,
    where `kept` says so."""

    def __init__(self, adapter_sha256: str, adapter: Adapter, *, kept: Callable[[], None] | None = None) -> None:
        self.adapter_sha256 = adapter_sha256
        self.mapped = kept is not None
        self._adapter: Adapter | None = adapter
        self._release = kept

    @property
    def bytes_held(self) -> int:
        """What it takes while in use, of this process or of a file's pages; nothing after `close`."""
        return self._adapter.bytes_held if self._adapter else 0

    @property
    def adapter(self) -> Adapter:
        """What the network takes. Errors: AdapterInvalid after `close`."""
        if self._adapter is None:
            raise AdapterInvalid("The adapter was closed.", remedy="Load it again.")
        return self._adapter

    def close(self) -> None:
        """Let go of the memory; texts in the making keep what they have. What was packed from files that were erased
        is removed."""
        self._adapter = None
        release, self._release = self._release, None
        if release is not None:
            release()


def load(folder: Path, base: Base, shelf: Shelf | None = None) -> TextHand:
    """Map an adapter in PEFT's layout, read, checked and packed the first time on this machine.

    Errors: AdapterInvalid naming the file and what is wrong.
    """
    config = read_config(folder, base)
    shelf = shelf or this_shelf()
    place = shelf.place(folder, base.sha256)
    kept = shelf.take(place) if place else None
    if kept is None:
        adapter, sha256 = _read(folder, base, config), adapter_sha256(folder)
        kept = shelf.put(place, folder, sha256, adapter) if place else None
        if kept is None:
            return TextHand(sha256, adapter)
    return TextHand(kept.adapter_sha256, kept.adapter, kept=partial(shelf.release, folder, kept.path))


def _read(folder: Path, base: Base, config: dict[str, Any]) -> Adapter:
    rank, scale = int(config["r"]), float(config["lora_alpha"]) / int(config["r"])
    if rank > RANK_MOST:
        raise AdapterInvalid(
            f"The adapter has rank {rank}; this engine serves up to {RANK_MOST}.",
            where=WEIGHTS,
            remedy="Train it again.",
        )
    try:
        tensors = dict(Weights(folder / WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise AdapterInvalid("The adapter's weights are damaged.", where=WEIGHTS, remedy="Train it again.") from error
    _check(tensors, base.config, rank)
    return _adapter(tensors, base.config.layers, rank, scale)


def packed(lora: Lora, shape: LlamaShape) -> Adapter:
    """A trained adapter that was not saved yet, as the network takes it."""
    tensors: Tensors = {}
    for name in layer_sizes(shape):
        tensors[f"{PREFIX}{name}.lora_A.weight"] = lora.down[name].detach().cpu().numpy()
        tensors[f"{PREFIX}{name}.lora_B.weight"] = lora.up[name].detach().cpu().numpy()
    return _adapter(tensors, shape.layers, lora.rank, lora.scale)


def _check(tensors: Tensors, shape: LlamaShape, rank: int) -> None:
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


def _adapter(tensors: Tensors, layers: int, rank: int, scale: float) -> Adapter:
    each = []
    for layer in range(layers):
        place = f"{PREFIX}model.layers.{layer}"
        parts: dict[str, NDArray[np.uint8]] = {}
        for name, columns in DOWN.items():
            downs = [_filled(tensors[f"{place}.{column}.lora_A.weight"]) for column in columns]
            parts[name] = packed_down(np.concatenate(downs))
        for name, column in UP.items():
            up = tensors[f"{place}.{column}.lora_B.weight"] * np.float32(scale)
            parts[name] = packed_up(_filled(up.T).T)
        each.append(parts)
    return Adapter(tuple(each), rank=-(-rank // LANES) * LANES)


def _filled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """With rows of zeros up to a multiple of 16."""
    return np.pad(values, ((0, -len(values) % LANES), (0, 0)))
