"""Low-rank adapters of a UNet's attention, in the files that diffusers reads and writes, and other tools with it.

Hu et al. 2021, https://arxiv.org/abs/2106.09685. Alpha is always the rank, so that tools which leave alpha out make
the same pictures; `pytorch_lora_weights.safetensors` alone is what `load_lora_weights` of a pipeline takes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atelier.workshop.contract import AdapterInvalid

from .base import Base

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, ORIGIN = "pytorch_lora_weights.safetensors", "atelier.json"
FILES = (WEIGHTS, ORIGIN)
PREFIX = "unet."
RANK_MOST = 128
_AGAIN = "Train it again, or restore the files from a backup."


@dataclass(eq=False)
class DiffusionHand:
    """An adapter's weights in memory, by the names that `Network.put_on` takes."""

    adapter_sha256: str
    weights: dict[str, Tensor] = field(repr=False)

    @property
    def bytes_held(self) -> int:
        return sum(values.nbytes for values in self.weights.values())

    def close(self) -> None:
        """Forget the weights; may be called twice. What a device holds of them makes room for the next by itself."""
        self.weights = {}


def fresh(base: Base, rank: int, seed: int) -> dict[str, Tensor]:
    """An adapter that changes nothing yet: random `A`, zero `B`. Same seed, same weights."""
    import torch

    source = torch.Generator().manual_seed(seed)
    found = {}
    for name, (outputs, inputs) in base.layers.items():
        found[f"{name}.lora_A.weight"] = torch.randn(rank, inputs, generator=source) / rank
        found[f"{name}.lora_B.weight"] = torch.zeros(outputs, rank)
    return found


def save(weights: Mapping[str, Tensor], base: Base, folder: Path, facts: Mapping[str, Any]) -> str:
    """Write an adapter in half precision, with what it was made for and of; returns its SHA-256."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"{PREFIX}{name}": values.to("cpu", torch.float16).contiguous() for name, values in weights.items()}
    save_file(tensors, folder / WEIGHTS, {"format": "pt"})
    origin = {"engine": "diffusion", "layout": 1, "base": base.info.model_dump(), **facts}
    text = json.dumps(origin, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / ORIGIN).write_text(f"{text}\n", encoding="utf-8")
    return adapter_sha256(folder)


def load(folder: Path, base: Base) -> DiffusionHand:
    """Errors: AdapterInvalid when files are missing or damaged, or were made for another base."""
    _check_origin(folder, base)
    from safetensors.torch import load_file

    try:
        tensors = load_file(folder / WEIGHTS)
    except Exception as error:  # safetensors raises several kinds of its own for damaged files
        raise AdapterInvalid("The adapter's weights are damaged.", where=WEIGHTS, remedy=_AGAIN) from error
    weights = {name.removeprefix(PREFIX): values for name, values in tensors.items()}
    _check_sizes(weights, base)
    return DiffusionHand(adapter_sha256(folder), weights)


def adapter_sha256(folder: Path) -> str:
    """The adapter's name: SHA-256 over the lines “name sha256” of its files. Errors: AdapterInvalid."""
    whole = hashlib.sha256()
    for name in FILES:
        try:
            with (folder / name).open("rb") as file:
                whole.update(f"{name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        except OSError as error:
            raise AdapterInvalid("A file of the adapter is missing.", where=name, remedy=_AGAIN) from error
    return whole.hexdigest()


def _check_origin(folder: Path, base: Base) -> None:
    try:
        made_for = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))["base"]
        name, sha256 = made_for["name"], made_for["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdapterInvalid("The adapter's files are missing or damaged.", where=ORIGIN, remedy=_AGAIN) from error
    if sha256 != base.sha256:
        raise AdapterInvalid(
            f"The adapter was made for the base “{name}”; here it is “{base.info.name}”, or other weights of it.",
            where=ORIGIN,
            remedy="Train it again on this base.",
        )


def _check_sizes(weights: Mapping[str, Tensor], base: Base) -> None:
    """Every layer of the base has its two sides, of one rank, in numbers, and there is nothing else."""
    import torch

    wanted = {f"{name}.lora_{side}.weight" for name in base.layers for side in "AB"}
    if set(weights) != wanted:
        raise AdapterInvalid("The adapter's layers are not those of the base.", where=WEIGHTS, remedy=_AGAIN)
    rank = next(values.shape[0] for name, values in weights.items() if ".lora_A." in name)
    for name, (outputs, inputs) in base.layers.items():
        down, up = weights[f"{name}.lora_A.weight"], weights[f"{name}.lora_B.weight"]
        right = tuple(down.shape) == (rank, inputs) and tuple(up.shape) == (outputs, rank) and rank <= RANK_MOST
        if not right or not all(torch.isfinite(side).all() for side in (down, up)):
            raise AdapterInvalid(f"The weights of {name} are of the wrong size.", where=WEIGHTS, remedy=_AGAIN)
