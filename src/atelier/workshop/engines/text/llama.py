"""A Llama forward pass in PyTorch over a ragged batch: texts of any lengths lie end to end, so no step pads.

Weights are frozen; an adapter may be laid over them. Equal to transformers' `LlamaForCausalLM` on the same weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from .base import Base, LlamaShape
from .lora import Lora

HEAD_ROWS = 64
"""Positions whose scores over the vocabulary are held at once; 64 of them take 13 MB in float32."""


@dataclass
class Memory:
    """Keys and values of the text read so far, one pair a layer, each (kv_heads, length, head_dim)."""

    layers: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return self.layers[0][0].shape[1] if self.layers else 0

    def fork(self) -> Memory:
        """A memory that goes on from here by itself; nothing is copied."""
        return Memory(dict(self.layers))


class Llama:
    """The network of a base model. Not a module: it has no state but frozen weights, so threads may share it."""

    def __init__(self, base: Base, dtype: torch.dtype = torch.bfloat16) -> None:
        self.shape: LlamaShape = base.config
        self.weights = {name: t.to(dtype) for name, t in load_file(base.weights_file).items()}
        self.embedding = self.weights["model.embed_tokens.weight"]
        self.head = self.embedding if self.shape.tied else self.weights["lm_head.weight"]

    def hidden(
        self,
        texts: Sequence[Sequence[int]],
        lora: Lora | None = None,
        memories: Sequence[Memory] | None = None,
    ) -> Tensor:
        """The last hidden state of every position of every text, end to end: (sum of lengths, hidden).

        With memories, each text goes on from its memory, which then holds the text too.
        """
        lengths = [len(text) for text in texts]
        begins = [memory.length for memory in memories] if memories else [0] * len(texts)
        positions = torch.cat([torch.arange(b, b + n) for b, n in zip(begins, lengths, strict=True)])
        turns = self._rotations(positions)
        x = F.embedding(torch.tensor([token for text in texts for token in text]), self.embedding)
        for layer in range(self.shape.layers):
            place = f"model.layers.{layer}"
            normed = self._norm(x, f"{place}.input_layernorm")
            x = x + self._attend(normed, layer, lengths, turns, lora, memories)
            normed = self._norm(x, f"{place}.post_attention_layernorm")
            gate = F.silu(self._linear(normed, f"{place}.mlp.gate_proj", lora))
            up = self._linear(normed, f"{place}.mlp.up_proj", lora)
            x = x + self._linear(gate * up, f"{place}.mlp.down_proj", lora)
        return self._norm(x, "model.norm")

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary in float32: (rows, vocab)."""
        return F.linear(hidden, self.head).float()

    def losses(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy in nats of each target, given the hidden state before it: (rows,), differentiable."""
        return _Losses.apply(hidden, self.head, targets)  # type: ignore[no-any-return, no-untyped-call]

    def _attend(
        self,
        x: Tensor,
        layer: int,
        lengths: list[int],
        turns: tuple[Tensor, Tensor],
        lora: Lora | None,
        memories: Sequence[Memory] | None,
    ) -> Tensor:
        shape, place = self.shape, f"model.layers.{layer}.self_attn"
        q = _rotate(self._linear(x, f"{place}.q_proj", lora).view(-1, shape.heads, shape.head_dim), turns)
        k = _rotate(self._linear(x, f"{place}.k_proj", lora).view(-1, shape.kv_heads, shape.head_dim), turns)
        v = self._linear(x, f"{place}.v_proj", lora).view(-1, shape.kv_heads, shape.head_dim)
        each = [torch.split(t.transpose(0, 1), lengths, dim=1) for t in (q, k, v)]
        seen = [
            _attention(*qkv, memories[i] if memories else None, layer, shape.heads // shape.kv_heads)
            for i, qkv in enumerate(zip(each[0], each[1], each[2], strict=True))
        ]
        mixed = torch.cat(seen, dim=1).transpose(0, 1).reshape(x.shape[0], -1)
        return self._linear(mixed, f"{place}.o_proj", lora)

    def _linear(self, x: Tensor, name: str, lora: Lora | None) -> Tensor:
        y = F.linear(x, self.weights[f"{name}.weight"])
        if lora is None:
            return y
        up = lora.up[name] if lora.scale == 1 else lora.up[name] * lora.scale
        return y + F.linear(F.linear(x, lora.down[name].to(x.dtype)), up.to(x.dtype))

    def _norm(self, x: Tensor, name: str) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weights[f"{name}.weight"], self.shape.norm_eps)

    def _rotations(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine for each position, (rows, 1, head_dim). Su et al. 2021, https://arxiv.org/abs/2104.09864"""
        size = self.shape.head_dim
        speeds = self.shape.rope_theta ** (-torch.arange(0, size, 2, dtype=torch.float32) / size)
        angles = torch.outer(positions.float(), speeds).repeat(1, 2).unsqueeze(1)
        return angles.cos().to(self.head.dtype), angles.sin().to(self.head.dtype)


def _rotate(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * turns[0] + torch.cat((-second, first), dim=-1) * turns[1]


def _attention(q: Tensor, k: Tensor, v: Tensor, memory: Memory | None, layer: int, group: int) -> Tensor:
    """Causal attention of one text, all (heads, length, head_dim); a memory lends and keeps earlier keys and values."""
    if memory is not None:
        if layer in memory.layers:
            k, v = (torch.cat(pair, dim=1) for pair in zip(memory.layers[layer], (k, v), strict=True))
        memory.layers[layer] = (k, v)
    rows, columns = q.shape[1], k.shape[1]
    k, v = k.repeat_interleave(group, dim=0), v.repeat_interleave(group, dim=0)
    mask = None
    if 1 < rows < columns:
        mask = torch.ones(rows, columns, dtype=torch.bool).tril(columns - rows)
    causal = rows == columns and rows > 1
    return F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=mask, is_causal=causal)[0]


def _even(rows: Tensor) -> Tensor:
    """With rows of zeros up to a multiple of HEAD_ROWS, so that all parts have one size."""
    missing = -len(rows) % HEAD_ROWS
    return torch.cat([rows, rows.new_zeros(missing, *rows.shape[1:])]) if missing else rows


class _Losses(torch.autograd.Function):
    """Cross-entropy through a frozen head, a few rows at a time: the scores are never held whole, forward or backward.

    The gradient is worked out on the way forward, while the scores are at hand.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: Tensor, targets: Tensor) -> Tensor:
        losses, slopes, count = [], [], len(targets)
        hidden, targets = _even(hidden), _even(targets)
        for rows, wanted in zip(torch.split(hidden, HEAD_ROWS), torch.split(targets, HEAD_ROWS), strict=True):
            chances = F.linear(rows, head).float().log_softmax(dim=-1)
            losses.append(-chances.gather(1, wanted[:, None])[:, 0])
            if ctx.needs_input_grad[0]:
                slope = chances.exp_()
                slope[torch.arange(len(wanted)), wanted] -= 1
                slopes.append(slope.to(head.dtype) @ head)
        ctx.save_for_backward(*([torch.cat(slopes)[:count]] if slopes else []))
        return torch.cat(losses)[:count]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (slopes,) = ctx.saved_tensors
        return (slopes * grad[:, None].to(slopes.dtype)), None, None
