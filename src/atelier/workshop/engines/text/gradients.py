"""The direction in which a text would move an adapter, folded into a few thousand numbers.

Two texts that pull the adapter the same way taught it the same: the gradient of a work's loss with respect to the
adapter's weights, set beside that of an output's, tells how much the one shaped the other. Pruthi et al. 2020,
“Estimating Training Data Influence by Tracing Gradient Descent”, https://arxiv.org/abs/2002.08484
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .examples import Example
from .fitting import STRIDE
from .llama import Llama
from .lora import Lora

BITS = 13
SIZE = 1 << BITS
"""Numbers kept of a gradient. The cosine of two unlike gradients is off by about one in the square root of these."""
Array = NDArray[np.float32]


class Folds:
    """Where each weight of an adapter goes, and with which sign, when its gradient is folded: a count sketch.

    Inner products stay what they were, on average. Charikar, Chen & Farach-Colton 2002,
    https://doi.org/10.1007/3-540-45465-9_59
    """

    def __init__(self, lora: Lora) -> None:
        self.places: dict[str, tuple[NDArray[np.int64], Array]] = {}
        begin = 0
        for side, tensors in (("down", lora.down), ("up", lora.up)):
            for name, values in tensors.items():
                mixed = _mixed(np.arange(begin, begin + values.numel(), dtype=np.uint64))
                signs = 1 - 2 * (mixed & np.uint64(1)).astype(np.float32)
                self.places[f"{side} {name}"] = ((mixed >> np.uint64(64 - BITS)).astype(np.int64), signs)
                begin += values.numel()

    def add(self, folded: Array, side: str, name: str, gradient: Tensor) -> None:
        """Fold the gradient of one of the adapter's tensors into (SIZE,) numbers."""
        buckets, signs = self.places[f"{side} {name}"]
        folded += np.bincount(buckets, gradient.float().cpu().numpy().ravel() * signs, SIZE).astype(np.float32)


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """As good as random 64 bits of each number, the same on every machine. Steele, Lea & Flood 2014 (SplitMix64),
    https://doi.org/10.1145/2660193.2660195"""
    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def folded(model: Llama, lora: Lora, folds: Folds, example: Example, parts: int = 1) -> Array:
    """The gradient of a text's nats with respect to an adapter, in parts that add up to it: (parts, SIZE) in float32.

    A part is what comes in where the adapter acts on one stretch of the text; the prompt goes with the first. One
    reading forward and one back, whatever the number of parts.
    """
    rows = len(example.tokens) - 1
    edges = np.linspace(example.begin - 1, rows, parts + 1).astype(int)
    edges[0] = 0
    found = np.zeros((parts, SIZE), np.float32)
    touch = torch.ones((), device=model.device, dtype=model.head.dtype, requires_grad=True)

    def linear(x: Tensor, name: str) -> Tensor:
        down, up = lora.down[name].detach(), lora.up[name].detach() * lora.scale
        low = F.linear(x, down.to(x.dtype))
        y = model.linear(x, name) + F.linear(low, up.to(x.dtype)) * touch
        inputs, lows = x.detach(), low.detach()

        def fold(slopes: Tensor) -> None:
            slopes = slopes.float()
            inward = slopes @ up
            for part in range(parts):
                here = slice(edges[part], edges[part + 1])
                folds.add(found[part], "up", name, slopes[here].T @ lows[here].float() * lora.scale)
                folds.add(found[part], "down", name, inward[here].T @ inputs[here].float())

        y.register_hook(fold)  # type: ignore[no-untyped-call]
        return y

    text = (*example.tokens[:-1], *[model.shape.eos] * (-rows % STRIDE))  # The padding comes after all that counts.
    tokens = torch.tensor(text, device=model.device)
    hidden = model.walk(tokens, torch.arange(len(text), device=model.device), linear, looking_back)
    targets = torch.tensor(example.tokens[example.begin :], device=model.device)
    model.losses(hidden[example.begin - 1 : rows], targets).sum().backward()  # type: ignore[no-untyped-call]
    return found


def looking_back(layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Causal attention within one text."""
    group = queries.shape[1] // keys.shape[1]
    q, k, v = (t.transpose(0, 1)[None] for t in (queries, keys, values))
    k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)[0].transpose(0, 1)


def unit(rows: Array) -> Array:
    """Each row at length one; a row of zeros stays."""
    found: Array = rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-30)
    return found
