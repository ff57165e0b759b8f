"""Writes texts with the network in PyTorch, several at once: enough for the proof; buyers are served elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from .efforts import WRITE_EFFORT
from .llama import Llama, Memory
from .lora import Lora

TOP = 40


@dataclass(frozen=True)
class Taste:
    """How tokens are drawn: temperature, then the 40 likeliest, then as few as hold `top_p` of the chance."""

    temperature: float
    top_p: float


@dataclass(frozen=True)
class Order:
    """One text to be written: its prompt, the most tokens it may take, and the seed it is drawn by."""

    prompt: tuple[int, ...]
    limit: int
    seed: int


@torch.no_grad()
def write(
    model: Llama, lora: Lora | None, orders: Sequence[Order], taste: Taste, wrote: Callable[[float], None]
) -> list[list[int]]:
    """One text for each order, in tokens without the mark of the end. Calls `wrote` with the effort of each step."""
    ready = lora.frozen(model.head.dtype) if lora else None
    written: list[list[int]] = [[] for _ in orders]
    memories = [Memory() for _ in orders]
    sources = [torch.Generator().manual_seed(order.seed) for order in orders]
    live = list(range(len(orders)))
    scores = torch.cat([model.logits(model.hidden([orders[i].prompt], ready, [memories[i]])[-1:]) for i in live])
    while live:
        drawn = [(i, draw(row, taste, sources[i])) for row, i in zip(scores, live, strict=True)]
        for i, token in drawn:
            if token != model.shape.eos:
                written[i].append(token)
        live = [i for i, token in drawn if token != model.shape.eos and len(written[i]) < orders[i].limit]
        if live:
            hidden = model.hidden([written[i][-1:] for i in live], ready, [memories[i] for i in live])
            scores = model.logits(hidden)
        wrote(WRITE_EFFORT)
    return written


def draw(scores: torch.Tensor, taste: Taste, source: torch.Generator) -> int:
    """Draw one token. Holtzman et al. 2020, https://arxiv.org/abs/1904.09751"""
    best, tokens = (scores / taste.temperature).topk(min(TOP, len(scores)))
    chances = best.softmax(-1)
    chances[chances.cumsum(-1) - chances >= taste.top_p] = 0
    return int(tokens[torch.multinomial(chances, 1, generator=source)])
