"""The sizes and kinds of a Llama-shaped network, its rotary positions, and the tensors it is made of.

Types “llama” (Llama 2 to 3.x, SmolLM2), “qwen2” (Qwen2, Qwen2.5) and “qwen3”, as transformers names them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import EngineUnavailable

TYPES = ("llama", "qwen2", "qwen3")
ROTARY = ("default", "llama3")


@dataclass(frozen=True)
class Stretch:
    """How Llama 3.1 and later reach further than they were first trained: waves longer than `original / low` positions
    turn `factor` times slower, those shorter than `original / high` as before, those between by degrees."""

    factor: float
    low: float
    high: float
    original: int


@dataclass(frozen=True)
class LlamaShape:
    """The sizes of a Llama-shaped network; `tied` when the head shares the embedding's weights.

    `qkv_bias`: queries, keys and values have biases (Qwen2). `qk_norm`: queries and keys are normed head by head
    (Qwen3). `eos` ends a turn.
    """

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
    context: int = 2048
    stretch: Stretch | None = None
    qkv_bias: bool = False
    qk_norm: bool = False

    @classmethod
    def from_hf(cls, config: dict[str, Any]) -> LlamaShape:
        """Read a `config.json` of transformers. Errors: EngineUnavailable naming what this engine cannot run."""
        rope = {**(config.get("rope_scaling") or {}), **(config.get("rope_parameters") or {})}
        for what, remedy in _unfit(config, rope):
            raise EngineUnavailable(f"The base model {what}.", remedy=remedy)
        heads, kind = int(config["num_attention_heads"]), config["model_type"]
        eos = config.get("eos_token_id") or 0
        context = int(config.get("max_position_embeddings", 2048))
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
            context=context,
            stretch=_stretch(rope, context),
            qkv_bias=kind == "qwen2",
            qk_norm=kind == "qwen3",
        )


def _kind_of_rotary(rope: dict[str, Any]) -> str:
    return str(rope.get("rope_type") or rope.get("type") or "default")


def _stretch(rope: dict[str, Any], context: int) -> Stretch | None:
    if _kind_of_rotary(rope) != "llama3":
        return None
    return Stretch(
        factor=float(rope["factor"]),
        low=float(rope["low_freq_factor"]),
        high=float(rope["high_freq_factor"]),
        original=int(rope.get("original_max_position_embeddings") or context),
    )


def _unfit(config: dict[str, Any], rope: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What about a configuration this engine cannot run, each with a remedy."""
    another = "Choose another base."
    kind, rotary = config.get("model_type"), _kind_of_rotary(rope)
    if kind not in TYPES:
        yield f"is of type “{kind}”", f"Choose a base of one of the types {', '.join(TYPES)}."
        return  # What follows reads the configuration as one of these types.
    if rotary not in ROTARY:
        yield f"has rotary positions of type “{rotary}”", f"Choose one whose rope_type is {' or '.join(ROTARY)}."
    if float(rope.get("partial_rotary_factor") or config.get("partial_rotary_factor") or 1) != 1:
        yield "turns only a part of each head (partial_rotary_factor)", another
    if _slides(config):
        yield "looks back through a sliding window (sliding_window)", "Choose one with full attention in every layer."
    if config.get("hidden_act", "silu") != "silu":
        yield f"has the activation “{config['hidden_act']}” (hidden_act)", "Choose one whose activation is “silu”."
    if kind != "qwen2" and config.get("attention_bias"):
        yield "has a bias on what attention gives (attention_bias)", another
    if config.get("mlp_bias"):
        yield "has biases in its inner layers (mlp_bias)", another
    if config.get("quantization_config"):
        yield "is quantised (quantization_config)", "Choose its version in bfloat16; it is quantised here for serving."
    heads = int(config["num_attention_heads"])
    if heads % int(config.get("num_key_value_heads") or heads):
        yield "has a number of heads that its key heads do not divide (num_key_value_heads)", another


def _slides(config: dict[str, Any]) -> bool:
    """Whether any layer sees only the latest positions, as transformers reads the same fields."""
    if named := config.get("layer_types"):
        return any(name != "full_attention" for name in named)
    first = int(config.get("max_window_layers") or 0)
    return bool(config.get("use_sliding_window")) and first < int(config["num_hidden_layers"])


def rotary_speeds(shape: LlamaShape) -> NDArray[np.float64]:
    """Radians by which each pair of a head turns from one position to the next, (head_dim / 2,).

    Su et al. 2021, https://arxiv.org/abs/2104.09864; stretched as in Llama 3.1, https://arxiv.org/abs/2407.21783
    """
    speeds: NDArray[np.float64] = shape.rope_theta ** -(np.arange(0, shape.head_dim, 2) / shape.head_dim)
    if (by := shape.stretch) is None:
        return speeds
    turns = by.original * speeds / (2 * math.pi)  # within the positions of the first training
    fast = np.clip((turns - by.low) / (by.high - by.low), 0, 1)
    stretched: NDArray[np.float64] = speeds * (fast + (1 - fast) / by.factor)
    return stretched


def layer_sizes(shape: LlamaShape) -> dict[str, tuple[int, int]]:
    """Each linear layer's name with its (outputs, inputs), in the order of the network; these take adapters."""
    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    inside = {
        "self_attn.q_proj": (q, shape.hidden),
        "self_attn.k_proj": (kv, shape.hidden),
        "self_attn.v_proj": (kv, shape.hidden),
        "self_attn.o_proj": (shape.hidden, q),
        "mlp.gate_proj": (shape.intermediate, shape.hidden),
        "mlp.up_proj": (shape.intermediate, shape.hidden),
        "mlp.down_proj": (shape.hidden, shape.intermediate),
    }
    return {f"model.layers.{i}.{name}": size for i in range(shape.layers) for name, size in inside.items()}


def vector_sizes(shape: LlamaShape) -> dict[str, int]:
    """The vectors of one layer by their names inside it, with their sizes."""
    sizes = {"input_layernorm.weight": shape.hidden, "post_attention_layernorm.weight": shape.hidden}
    if shape.qkv_bias:
        kv = shape.kv_heads * shape.head_dim
        sizes |= {"self_attn.q_proj.bias": shape.heads * shape.head_dim}
        sizes |= {"self_attn.k_proj.bias": kv, "self_attn.v_proj.bias": kv}
    if shape.qk_norm:
        sizes |= {"self_attn.q_norm.weight": shape.head_dim, "self_attn.k_norm.weight": shape.head_dim}
    return sizes


def tensor_sizes(shape: LlamaShape) -> dict[str, tuple[int, ...]]:
    """Every tensor of the network by its name in transformers."""
    table = (shape.vocab, shape.hidden)
    sizes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": table, "model.norm.weight": (shape.hidden,)}
    if not shape.tied:
        sizes["lm_head.weight"] = table
    sizes |= {f"{name}.weight": size for name, size in layer_sizes(shape).items()}
    vectors = vector_sizes(shape).items()
    sizes |= {f"model.layers.{i}.{name}": (size,) for i in range(shape.layers) for name, size in vectors}
    return sizes
