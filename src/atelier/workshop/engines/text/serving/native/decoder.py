"""The C network as a Python object: slots with a text and an adapter each, and the steps that move them on."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import EngineUnavailable
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.shape import LlamaShape, rotary_speeds, vector_sizes

from .library import library
from .packing import LANES, LINEAR, packed_base

RANK_MOST = 32
"""The highest rank an adapter may have."""

PARTS = (
    "down_qkv",
    "up_q",
    "up_k",
    "up_v",
    "down_o",
    "up_o",
    "down_gu",
    "up_gate",
    "up_up",
    "down_down",
    "up_down",
)
"""The low-rank parts of a layer, as `low_rank` in decoder.c has them."""

VECTORS = {
    "input_layernorm.weight": "before_attention",
    "post_attention_layernorm.weight": "before_mlp",
    "self_attn.q_proj.bias": "q_bias",
    "self_attn.k_proj.bias": "k_bias",
    "self_attn.v_proj.bias": "v_bias",
    "self_attn.q_norm.weight": "q_norm",
    "self_attn.k_norm.weight": "k_norm",
}
"""What a layer holds beside its matrices, by the names in transformers, as `vectors` in decoder.c has it."""

Halves = NDArray[np.float16]


class _Sizes(ctypes.Structure):
    _fields_ = [
        *(
            (name, ctypes.c_int32)
            for name in (
                "hidden", "layers", "heads", "kv_heads", "head_size", "inner",
                "vocab", "slots", "length", "threads", "tokens",
            )
        ),
        ("epsilon", ctypes.c_float),
    ]  # fmt: skip


class _Vectors(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in VECTORS.values()]


class _LowRank(ctypes.Structure):
    _fields_ = [*((name, ctypes.c_void_p) for name in PARTS), ("rank", ctypes.c_int64)]


@dataclass(frozen=True)
class Adapter:
    """A creator's weights as the C code reads them: for each layer the arrays of PARTS. Rank: a multiple of 16."""

    layers: tuple[dict[str, NDArray[np.uint8]], ...]
    rank: int

    @property
    def bytes_held(self) -> int:
        return sum(part.nbytes for layer in self.layers for part in layer.values())


@dataclass(frozen=True)
class Feed:
    """Tokens to be read by a slot from a position on; with `scored`, what may follow the last is wanted."""

    slot: int
    position: int
    tokens: Sequence[int]
    scored: bool = True


class Decoder:
    """`slots` places for texts of up to `length` tokens. Not thread-safe: one thread owns it.

    What comes out for a slot depends on its adapter and its tokens only, bit by bit: neither on the other slots, nor on
    how its tokens were divided among steps, nor on the processor. Memory for the past is taken only as it is used.
    """

    def __init__(
        self, base: Base, *, slots: int, length: int, threads: int, tokens: int = 256, plain: bool = False
    ) -> None:
        self.base, self.slots, self.tokens = base, slots, tokens
        self.length = -(-min(length, base.config.context) // LANES) * LANES
        self._library = library(plain=plain)
        self._kept: list[Any] = []  # what the C code points to
        self._adapters: list[Adapter | None] = [None] * slots
        shape = base.config
        past = slots * shape.layers * shape.kv_heads * self.length * shape.head_dim
        self._keys, self._values = np.zeros(past, np.float16), np.zeros(past, np.float16)
        self._logits = np.empty((slots, shape.vocab), np.float32)
        self._handle = ctypes.c_void_p(self._open(threads))
        if not self._handle:
            raise EngineUnavailable("There is not enough memory to serve.", remedy="Lower ATELIER_TEXT_ROWS.")

    def step(self, feeds: Sequence[Feed]) -> NDArray[np.float32]:
        """Read all feeds, those of one slot in order; the scores (feeds scored, vocab), valid until the next step.

        At most `tokens` tokens and `slots` scored feeds.
        """
        tokens: list[int] = []
        slots: list[int] = []
        places: list[int] = []
        rows: list[int] = []
        for feed in feeds:
            tokens.extend(feed.tokens)
            slots.extend([feed.slot] * len(feed.tokens))
            places.extend(range(feed.position, feed.position + len(feed.tokens)))
            if feed.scored:
                rows.append(len(tokens) - 1)
        if len(tokens) > self.tokens or len(rows) > self.slots or max(places) >= self.length:
            raise ValueError("more tokens or feeds than there is room for")
        arrays = [np.array(each, np.int32) for each in (tokens, slots, places, rows)]
        self._library.decoder_step(
            self._handle, len(tokens), *(_at(a) for a in arrays[:3]), len(rows), _at(arrays[3]), _at(self._logits)
        )
        return self._logits[: len(rows)]

    def set_adapter(self, slot: int, adapter: Adapter | None) -> None:
        """Give a slot an adapter, or none. Nothing is copied."""
        if self._adapters[slot] is adapter:
            return
        layers = None
        if adapter is not None:
            layers = (_LowRank * len(adapter.layers))(
                *(_LowRank(*(part[name].ctypes.data for name in PARTS), adapter.rank) for part in adapter.layers)
            )
        self._library.decoder_adapter(self._handle, slot, layers)
        self._adapters[slot] = adapter

    def past(self, slot: int, start: int, end: int) -> Halves:
        """A copy of what tokens `start` (a multiple of 16) to `end` left in a slot."""
        count = -(-(end - start) // LANES) * LANES
        shape = self.base.config
        saved = np.empty(2 * shape.layers * shape.kv_heads * count * shape.head_dim, np.float16)
        self._library.decoder_copy(self._handle, slot, start, count, _at(saved), 0)
        return saved

    def set_past(self, slot: int, saved: Halves, start: int) -> None:
        """Put a copy that `past` made from `start` on into a slot."""
        shape = self.base.config
        count = len(saved) // (2 * shape.layers * shape.kv_heads * shape.head_dim)
        self._library.decoder_copy(self._handle, slot, start, count, _at(saved), 1)

    def close(self) -> None:
        """End its threads and free its memory; it must not be used after."""
        handle, self._handle = self._handle, ctypes.c_void_p()
        self._library.decoder_close(handle)

    def _open(self, threads: int) -> int | None:
        shape = self.base.config
        packed = packed_base(self.base)
        ordered = [packed["embedding"], packed.get("head", packed["embedding"])]
        ordered += [packed[f"{layer}.{name}"] for layer in range(shape.layers) for name in LINEAR]
        self._kept.append(ordered)
        sizes = _Sizes(
            shape.hidden, shape.layers, shape.heads, shape.kv_heads, shape.head_dim, shape.intermediate,
            shape.vocab, self.slots, self.length, threads, self.tokens, shape.norm_eps,
        )  # fmt: skip
        cosine, sine = _rotations(shape, self.length)
        opened: int | None = self._library.decoder_open(
            ctypes.byref(sizes),
            (ctypes.c_void_p * len(ordered))(*(each.data.ctypes.data for each in ordered)),
            (ctypes.c_int32 * len(ordered))(*(each.bits for each in ordered)),
            self._vectors(),
            self._keep(self.base.weights()["model.norm.weight"]),
            self._keep(cosine),
            self._keep(sine),
            _at(self._keys),
            _at(self._values),
        )
        return opened

    def _vectors(self) -> Any:
        """Each layer's vectors; those that this kind of base has not stay NULL."""
        weights, shape = self.base.weights(), self.base.config
        each = (_Vectors * shape.layers)()
        for layer, vectors in enumerate(each):
            for name in vector_sizes(shape):
                setattr(vectors, VECTORS[name], self._keep(weights[f"model.layers.{layer}.{name}"]))
        return each

    def _keep(self, values: NDArray[np.float32]) -> ctypes.c_void_p:
        own = np.ascontiguousarray(values, np.float32)
        self._kept.append(own)
        return _at(own)


def _at(values: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(values.ctypes.data)


def _rotations(shape: LlamaShape, length: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines and sines of rotary positions, (length, head_dim / 2)."""
    angles = np.outer(np.arange(length), rotary_speeds(shape))
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
