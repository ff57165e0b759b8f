"""Weights as the C code reads them, in groups of 16 outputs: matrices in 4 or 8 bits, adapters in 8."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.bases.cache import cache_folder
from atelier.workshop.contract import EngineUnavailable
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.conversion import made_once
from atelier.workshop.engines.text.shape import LlamaShape

VERSION = 1
"""Raised when the layout changes, so that a cached file is made anew."""

LANES, BLOCK = 16, 32
LINEAR = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
)
STRIP = 4096
"""Outputs of a matrix that are packed together: the head of a base with a large vocabulary is a gigabyte."""
EXACT = 0.02
"""The mean error in steps up to which sixteen levels a block count as the weights themselves: weights that were in
four bits before come back to within 0.004, others miss by 0.25."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Packed:
    """One matrix: its bytes as `matrix.h` describes them, and the bits of a level."""

    data: NDArray[np.uint8]
    bits: int


def pack(weights: Floats) -> Packed:
    """Weights (outputs, inputs) in 4 bits where that loses nothing, else in 8. Inputs are a multiple of 32; outputs are
    filled up with zeros to one of 16."""
    weights = np.pad(weights, ((0, -len(weights) % LANES), (0, 0))) if len(weights) % LANES else weights
    strips = [weights[start : start + STRIP] for start in range(0, len(weights), STRIP)]
    made, missed = [], 0.0
    for strip in strips:
        data, error = _four_bits(strip)
        made.append(data)
        missed += error * len(strip)
        if missed > EXACT * len(weights):
            return Packed(np.concatenate([_eight_bits(strip) for strip in strips]), 8)
    return Packed(np.concatenate(made), 4)


def _four_bits(weights: Floats) -> tuple[NDArray[np.uint8], float]:
    """Sixteen levels between the least and the most of a block, and how far they are off on average, in steps."""
    blocks = weights.reshape(len(weights), -1, BLOCK)
    low = blocks.min(axis=2)
    step, floor = ((blocks.max(axis=2) - low) / 15).astype(np.float16), low.astype(np.float16)
    levels, error = _levels(blocks, step, floor, 15)
    quads = _quads(levels)
    return _laid(np.bitwise_or(quads[:, :, :4], np.left_shift(quads[:, :, 4:], 4, dtype=np.uint8)), step, floor), error


def _eight_bits(weights: Floats) -> NDArray[np.uint8]:
    blocks = weights.reshape(len(weights), -1, BLOCK)
    step = (np.abs(blocks).max(axis=2) / 127).astype(np.float16)
    floor = (-128 * step.astype(np.float32)).astype(np.float16)
    levels, _ = _levels(blocks, step, floor, 255)
    return _laid(_quads(levels), step, floor)


def _quads(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Levels (outputs, blocks, 32) with four inputs of an output side by side: (groups, blocks, 8, 16, 4)."""
    return levels.reshape(len(levels) // LANES, LANES, -1, 8, 4).transpose(0, 2, 3, 1, 4)


def _laid(quads: NDArray[np.uint8], step: NDArray[np.float16], floor: NDArray[np.float16]) -> NDArray[np.uint8]:
    """Each block's levels with its steps and floors after them: (groups, blocks, bytes)."""
    groups, count = quads.shape[:2]
    numbers = [each.reshape(groups, LANES, count).transpose(0, 2, 1) for each in (step, floor)]
    tail = np.ascontiguousarray(np.concatenate(numbers, axis=2)).view(np.uint8)
    return np.concatenate([np.ascontiguousarray(quads).reshape(groups, count, -1), tail], axis=2)


def _levels(
    blocks: Floats, step: NDArray[np.float16], floor: NDArray[Any], most: int
) -> tuple[NDArray[np.uint8], float]:
    """The nearest levels, and how far they are off on average, in steps."""
    width, base = step.astype(np.float32)[..., None], floor.astype(np.float32)[..., None]
    exact = np.divide(blocks - base, width, out=np.zeros_like(blocks), where=width > 0)
    levels = np.clip(np.rint(exact), 0, most)
    return levels.astype(np.uint8), float(np.abs(levels - exact).mean())


def check_shape(shape: LlamaShape) -> None:
    """Errors: EngineUnavailable for sizes that the layout cannot hold."""
    for name, size, unit in (
        ("hidden size", shape.hidden, BLOCK),
        ("inner size", shape.intermediate, BLOCK),
        ("size of all heads", shape.heads * shape.head_dim, BLOCK),
        ("size of a head", shape.head_dim, LANES),
    ):
        if size % unit:
            raise EngineUnavailable(
                f"The base model's {name} is {size}, which is no multiple of {unit}.", remedy="Choose another base."
            )


def matrices(base: Base) -> Iterator[tuple[str, Floats]]:
    """Embedding, head where it is one of its own, and the seven of each layer, in the order of `decoder_open`."""
    weights = base.weights()
    yield "embedding", weights["model.embed_tokens.weight"]
    if not base.config.tied:
        yield "head", weights["lm_head.weight"]
    for layer in range(base.config.layers):
        for name in LINEAR:
            yield f"{layer}.{name}", weights[f"model.layers.{layer}.{name}.weight"]


def packed_base(base: Base) -> dict[str, Packed]:
    """The base's matrices by name, mapped from a cached file that every process on this machine shares.

    Made on the first call (seconds); safe when many processes call at once.
    """
    check_shape(base.config)
    folder = cache_folder() / "text" / f"{base.sha256[:16]}-packed-{VERSION}"
    made_once(folder, lambda partial: _write(base, partial))
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    data = np.memmap(folder / "matrices.bin", dtype=np.uint8, mode="r")
    return {name: Packed(data[start:end], bits) for name, start, end, bits in index}


def _write(base: Base, folder: Path) -> None:
    index: list[tuple[str, int, int, int]] = []
    with (folder / "matrices.bin").open("wb") as file:
        for name, weights in matrices(base):
            made = pack(weights)
            start = file.tell()
            file.write(made.data.tobytes())
            index.append((name, start, file.tell(), made.bits))
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")


def packed_down(weights: Floats) -> NDArray[np.uint8]:
    """A down part (outputs, inputs) as `adapter.h` describes it. Outputs: a multiple of 16; inputs: of 32."""
    levels, step = _signed(weights.reshape(len(weights), -1, BLOCK))
    groups, count = len(weights) // LANES, levels.shape[1]
    quads = _quads(levels)
    steps = np.ascontiguousarray(step.reshape(groups, LANES, count).transpose(0, 2, 1)).view(np.uint8)
    return np.concatenate([np.ascontiguousarray(quads).reshape(groups, count, -1), steps], axis=2)


def packed_up(weights: Floats) -> NDArray[np.uint8]:
    """An up part (outputs, rank) as `adapter.h` describes it. Both are multiples of 16."""
    levels, step = _signed(weights[:, None])
    groups = len(weights) // LANES
    quads = levels.reshape(groups, LANES, -1, 4).transpose(0, 2, 1, 3)
    steps = np.ascontiguousarray(step.reshape(groups, LANES)).view(np.uint8)
    return np.concatenate([np.ascontiguousarray(quads).reshape(groups, -1), steps], axis=1)


def _signed(blocks: Floats) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Levels around 128 of blocks along the last axis, and their steps."""
    step = (np.abs(blocks).max(axis=2) / 127).astype(np.float16)
    levels, _ = _levels(blocks, step, (-128 * step.astype(np.float32)), 255)
    return levels, step
