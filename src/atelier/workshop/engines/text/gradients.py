"""The direction in which a text moves an adapter, folded into a few thousand numbers.

Two texts that pull the adapter the same way teach it the same: the gradients of a work's loss with respect to the
adapter's weights, added up over the steps that learned from it, set beside an output's, tell how much the one shaped
the other. Pruthi et al. 2020, “Estimating Training Data Influence by Tracing Gradient Descent”,
https://arxiv.org/abs/2002.08484
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .examples import Example
from .fitting import STRIDE
from .folds import SIZE, Array, Folds
from .llama import Llama
from .lora import Lora


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
