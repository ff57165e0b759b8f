"""The base that every adapter of this engine builds on: a folder as diffusers writes it, told by its files alone.

Bases with the pipelines `StableDiffusionPipeline` and `StableDiffusionXLPipeline` can be used: a UNet over the latent
pictures of an autoencoder (Rombach et al. 2021, https://arxiv.org/abs/2112.10752; Podell et al. 2023,
https://arxiv.org/abs/2307.01952). Only safetensors are read, never pickles, and no code that a base brings along.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from atelier.workshop.bases import hub
from atelier.workshop.bases.cache import cache_folder
from atelier.workshop.bases.files import card_licence, file_sha256
from atelier.workshop.contract import BaseModelInfo, EngineUnavailable

from .settings import BASE, COMMAND, FETCH, base_chosen, libraries_lacking, variant

PIPELINES = ("StableDiffusionPipeline", "StableDiffusionXLPipeline")
PARTS = ("unet", "vae", "text_encoder", "text_encoder_2")
"""The parts that have weights and change what is made."""
ATTENTION = re.compile(r"\.attn\d\.(?:to_[qkv]|to_out\.0)\.weight$")
"""The weights of the UNet that an adapter works on."""


@dataclass(frozen=True)
class Base:
    """A base on disk. `layers` are the sizes (outputs, inputs) of the layers that an adapter works on, by name; `side`
    is the pixels of a square picture as it was trained on, `multiple` what sizes must be multiples of, `scale` how many
    pixels a side one place of a latent stands for."""

    folder: Path
    info: BaseModelInfo
    pipeline: str
    side: int
    multiple: int
    scale: int
    layers: dict[str, tuple[int, int]]

    @property
    def sha256(self) -> str:
        return self.info.sha256


def missing() -> str:
    """What a person must still do before the engine can be used; empty where that is nothing. Downloads nothing."""
    if not base_chosen():
        return f"Set {BASE} to a folder with a diffusion base, or to the name of one of the hub; see docs/settings.md."
    if lacking := libraries_lacking():
        return f"Install {', '.join(lacking)}: {COMMAND}"
    try:
        base()
    except EngineUnavailable as error:
        return str(error)
    return ""


def base() -> Base:
    """The base of this installation. Its weights are summed on the first call on this machine, which takes seconds a
    gigabyte.

    Errors: EngineUnavailable, with the remedy, when none is chosen, or it is not here or of no kind that can be used.
    """
    chosen = base_chosen()
    if not chosen:
        raise EngineUnavailable("No diffusion base is chosen.", remedy=missing())
    if Path(chosen).is_dir() or not hub.is_name(chosen):
        return _open(Path(chosen), Path(chosen).resolve().name, "local folder", variant(), cache_folder())
    found = hub.here(chosen, cache_folder() / "hub", wanted(variant()))
    if found is None:
        raise EngineUnavailable(
            f"The base “{chosen}” is not on this machine yet.", remedy=f"Fetch it once, with {BASE} set: {FETCH}"
        )
    folder, commit = found
    name = chosen.partition("@")[0]
    return _open(folder, name, f"Hugging Face hub, {name} at {commit}", variant(), cache_folder())


def fetch() -> Base:
    """The base of this installation, downloaded where it is not here yet. It may be many gigabytes."""
    chosen = base_chosen()
    if chosen and not Path(chosen).is_dir() and hub.is_name(chosen):
        hub.download(chosen, cache_folder() / "hub", wanted(variant()), BASE)
    return base()


def wanted(variant: str) -> tuple[str, ...]:
    """The patterns of what is downloaded of a base: no pickles, and of its weights one variant."""
    ending = f".{variant}" if variant else ""
    weights = [
        f"*/{stem}{part}.safetensors"
        for stem in ("model", "diffusion_pytorch_model")
        for part in (ending, f"{ending}-*-of-*" if variant else "-*-of-*")
    ]
    return ("model_index.json", "*/*.json", "*/merges.txt", "*/spiece.model", "README.md", "LICENSE*", *weights)


@lru_cache(maxsize=4)
def _open(folder: Path, name: str, source: str, variant: str, cache: Path) -> Base:
    index, unet, vae = (_json(folder / file) for file in ("model_index.json", "unet/config.json", "vae/config.json"))
    _check_kind(folder, index, unet, vae)
    try:
        side, scale = int(unet["sample_size"]), 2 ** (len(vae["block_out_channels"]) - 1)
        depth = len(unet["block_out_channels"]) - 1
    except (KeyError, TypeError) as error:
        raise _unusable(folder, "Its configuration does not say how large its pictures are.") from error
    files = {part: weights(folder / part, variant) for part in PARTS if index.get(part, [None])[0]}
    headers = {part: _tensors(each) for part, each in files.items()}
    return Base(
        folder=folder,
        info=BaseModelInfo(
            name=name,
            sha256=_sha256(folder, [path for each in files.values() for path in each], cache),
            licence=card_licence(folder) or "not stated",
            source=source,
            parameters=sum(_count(size) for header in headers.values() for size in header.values()),
        ),
        pipeline=str(index["_class_name"]),
        side=side * scale,
        multiple=scale * 2**depth,
        scale=scale,
        layers={
            name.removesuffix(".weight"): (size[0], size[1])
            for name, size in headers["unet"].items()
            if ATTENTION.search(name)
        },
    )


def _check_kind(folder: Path, index: dict[str, Any], unet: dict[str, Any], vae: dict[str, Any]) -> None:
    kind = index.get("_class_name")
    if kind not in PIPELINES:
        raise _unusable(folder, f"It is a {kind}; only {' and '.join(PIPELINES)} can be used.")
    if unet.get("in_channels") != vae.get("latent_channels"):
        raise _unusable(folder, "Its UNet takes more than a latent picture, as those for painting over do.")


def weights(folder: Path, variant: str) -> list[Path]:
    """The files of a part's weights, in the order of their names. Errors: EngineUnavailable when there are none."""
    ending = re.escape(f".{variant}") if variant else ""
    name = re.compile(rf"(?:model|diffusion_pytorch_model){ending}(?:-\d+-of-\d+)?\.safetensors")
    found = sorted(path for path in folder.glob("*.safetensors") if name.fullmatch(path.name))
    if not found:
        raise _unusable(folder, "It holds no safetensors" + (f" of the variant “{variant}”." if variant else "."))
    return found


def _tensors(paths: Iterable[Path]) -> dict[str, list[int]]:
    """The shapes of all tensors in safetensors files, by name, read from their headers."""
    found: dict[str, list[int]] = {}
    for path in paths:
        try:
            with path.open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                header: dict[str, Any] = json.loads(file.read(min(size, 100_000_000)))
        except (OSError, ValueError) as error:
            raise _unusable(path, "It is damaged.") from error
        found |= {name: tensor["shape"] for name, tensor in header.items() if name != "__metadata__"}
    return found


def _count(shape: list[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


def _sha256(folder: Path, paths: list[Path], cache: Path) -> str:
    """SHA-256 over the lines “path sha256” of all weights."""
    lines = (
        f"{path.relative_to(folder).as_posix()} {file_sha256(path, cache / 'diffusion' / 'sums')}\n" for path in paths
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable(path, "It is missing or damaged.") from error
    if not isinstance(found, dict):
        raise _unusable(path, "It is damaged.")
    return found


def _unusable(path: Path, why: str) -> EngineUnavailable:
    return EngineUnavailable(why, where=str(path), remedy=f"Set {BASE} to another base, or fetch it anew: {FETCH}")
