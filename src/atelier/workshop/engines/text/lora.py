"""Low-rank adapters: what a creator's version is made of, in the files that PEFT reads and writes.

Hu et al. 2021, “LoRA: Low-Rank Adaptation of Large Language Models”, https://arxiv.org/abs/2106.09685
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atelier.workshop.contract import AdapterInvalid

from .base import Base
from .shape import LlamaShape, layer_sizes

if TYPE_CHECKING:
    import torch

WEIGHTS, CONFIG, ORIGIN = "adapter_model.safetensors", "adapter_config.json", "atelier.json"
FILES = (WEIGHTS, CONFIG, ORIGIN)
AGAIN = "Train it again, or restore the files from a backup."
PREFIX = "base_model.model."
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass
class Lora:
    """Adapter weights by the base's layer name, such as `model.layers.0.self_attn.q_proj`.

    `down[name]` is (rank, inputs), `up[name]` is (outputs, rank), both float32.
    A layer adds `scale * x @ down.T @ up.T` to what it gives.
    """

    down: dict[str, torch.Tensor]
    up: dict[str, torch.Tensor]
    rank: int
    alpha: float

    @property
    def scale(self) -> float:
        return self.alpha / self.rank

    def parameters(self) -> list[torch.Tensor]:
        return [*self.down.values(), *self.up.values()]

    def frozen(self, dtype: torch.dtype) -> Lora:
        """The same adapter in the precision it is computed in, its scale worked in: quicker to read with."""
        down = {name: values.detach().to(dtype) for name, values in self.down.items()}
        up = {name: (values.detach() * self.scale).to(dtype) for name, values in self.up.items()}
        return Lora(down, up, self.rank, float(self.rank))

    def each(self, texts: int) -> Lora:
        """The same adapter once for each of so many texts, nothing copied, ready for gradients that stay apart."""
        sides = [
            {n: t.detach().expand(texts, *t.shape).requires_grad_() for n, t in side.items()}
            for side in (self.down, self.up)
        ]
        return Lora(sides[0], sides[1], self.rank, self.alpha)

    def copy(self) -> Lora:
        """An independent snapshot, rounded to the half precision in which adapters are saved."""
        halved = [{n: t.detach().half().float() for n, t in side.items()} for side in (self.down, self.up)]
        return Lora(halved[0], halved[1], self.rank, self.alpha)


def fresh(shape: LlamaShape, rank: int, alpha: float, seed: int, device: str = "cpu") -> Lora:
    """An adapter that changes nothing yet: random `down`, zero `up`, ready to be trained. Same seed, same weights."""
    import torch

    source = torch.Generator().manual_seed(seed)
    down, up = {}, {}
    for name, (outputs, inputs) in layer_sizes(shape).items():
        bound = 1 / math.sqrt(inputs)
        down[name] = ((torch.rand(rank, inputs, generator=source) * 2 - 1) * bound).to(device).requires_grad_()
        up[name] = torch.zeros(outputs, rank, device=device).requires_grad_()
    return Lora(down, up, rank, alpha)


def begun(start: Lora, shape: LlamaShape, rank: int, alpha: float, seed: int, device: str = "cpu") -> Lora:
    """An adapter that does what another does, ready to be trained further. Rank beyond the other's begins as in
    `fresh`; it must not be less. Same seed, same weights."""
    import torch

    lora = fresh(shape, rank, alpha, seed, device)
    with torch.no_grad():
        for name, down in lora.down.items():
            down[: start.rank] = start.down[name].to(device)
            lora.up[name][:, : start.rank] = start.up[name].to(device) * (start.scale / lora.scale)
    return lora


def narrowed(lora: Lora, rank: int) -> tuple[Lora, float]:
    """The adapter of a lower rank that is nearest to this one, with its `down` as large as a fresh one's; and which
    share of the squares of what it adds to the weights is kept. Eckart & Young 1936."""
    import torch

    down, up, kept, all_of = {}, {}, 0.0, 0.0
    for name in lora.down:
        q_up, r_up = torch.linalg.qr(lora.up[name].detach())
        q_down, r_down = torch.linalg.qr(lora.down[name].detach().T)
        left, sizes, right = torch.linalg.svd(r_up @ r_down.T)
        up[name] = (q_up @ left[:, :rank]) * (sizes[:rank] * math.sqrt(3))
        down[name] = (q_down @ right.T[:, :rank]).T / math.sqrt(3)
        kept, all_of = kept + float(sizes[:rank].square().sum()), all_of + float(sizes.square().sum())
    return Lora(down, up, rank, rank * lora.scale), kept / all_of


def save(lora: Lora, base: Base, folder: Path) -> str:
    """Write the adapter as PEFT would, in half precision, and say for which base it was made; returns its SHA-256."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for side, letter in ((lora.down, "A"), (lora.up, "B")):
        for name, values in side.items():
            tensors[f"{PREFIX}{name}.lora_{letter}.weight"] = values.detach().to("cpu", torch.float16).contiguous()
    save_file(tensors, folder / WEIGHTS, {"format": "pt"})
    _write_json(folder / CONFIG, _peft_config(lora, base))
    _write_json(folder / ORIGIN, {"engine": "text", "layout": 1, "base": base.info.model_dump()})
    return adapter_sha256(folder)


def load(folder: Path, base: Base) -> Lora:
    """Read an adapter. Errors: AdapterInvalid when files are missing, damaged, or made for another base."""
    from safetensors.torch import load_file

    config = read_config(folder, base)
    try:
        tensors = load_file(folder / WEIGHTS)
    except Exception as error:  # safetensors raises several kinds of its own for damaged files
        raise AdapterInvalid("The adapter's weights are damaged.", where=WEIGHTS, remedy=AGAIN) from error
    rank, sides = int(config["r"]), ({}, {})  # type: tuple[int, tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]]
    for name, (outputs, inputs) in layer_sizes(base.config).items():
        for side, letter, size in ((sides[0], "A", (rank, inputs)), (sides[1], "B", (outputs, rank))):
            values = tensors.get(f"{PREFIX}{name}.lora_{letter}.weight")
            if values is None or tuple(values.shape) != size:
                raise AdapterInvalid(
                    f"The weights of {name} are missing or of the wrong size.", where=WEIGHTS, remedy=AGAIN
                )
            side[name] = values.float()
    return Lora(sides[0], sides[1], rank, float(config["lora_alpha"]))


def read_config(folder: Path, base: Base) -> dict[str, Any]:
    """PEFT's configuration of an adapter that fits this base. Errors: AdapterInvalid."""
    try:
        config: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        made_for = json.loads((folder / ORIGIN).read_text(encoding="utf-8"))["base"]
        known = config["peft_type"] == "LORA" and int(config["r"]) > 0 and float(config["lora_alpha"]) > 0
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdapterInvalid(
            "The adapter's files are missing or damaged.", where=folder.name, remedy="Restore them, or train again."
        ) from error
    if not known:
        raise AdapterInvalid("This is not a LoRA adapter.", where=CONFIG, remedy="Train it again.")
    if made_for.get("sha256") != base.sha256:
        raise AdapterInvalid(
            f"The adapter was made for the base “{made_for.get('name')}”; here it is “{base.info.name}”.",
            where=folder.name,
            remedy="Train it again on this base.",
        )
    return config


def adapter_sha256(folder: Path) -> str:
    """The adapter's name: SHA-256 over the lines “name sha256” of its files, in the order of `FILES`.

    Errors: AdapterInvalid when one is missing.
    """
    whole = hashlib.sha256()
    for name in FILES:
        try:
            with (folder / name).open("rb") as file:
                whole.update(f"{name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        except OSError as error:
            raise AdapterInvalid("A file of the adapter is missing.", where=name, remedy=AGAIN) from error
    return whole.hexdigest()


def _peft_config(lora: Lora, base: Base) -> dict[str, Any]:
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base.info.name,
        "r": lora.rank,
        "lora_alpha": float(lora.alpha),
        "lora_dropout": 0.0,
        "target_modules": list(TARGETS),
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
    }


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
