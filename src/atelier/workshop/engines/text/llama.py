"""A Llama forward pass in PyTorch over a ragged batch: texts of any lengths lie end to end, so no step pads.

Weights are frozen; an adapter may be laid over them. Equal to transformers' `LlamaForCausalLM`, `Qwen2ForCausalLM` and
`Qwen3ForCausalLM` on the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from .base import Base
from .lora import Lora
from .shape import LlamaShape, rotary_speeds, tensor_sizes

HEAD_ROWS = 64
"""Positions whose scores over the vocabulary are held at once; 64 of them take 13 MB in float32."""

Linear = Callable[[Tensor, str], Tensor]
"""Applies the linear layer of that name to rows."""
Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]
"""For a layer: what rows see, by queries, keys and values (rows, heads of each, head_dim), as the queries lie."""


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

    def __init__(self, base: Base, dtype: torch.dtype = torch.bfloat16, device: str = "cpu") -> None:
        self.shape: LlamaShape = base.config
        self.device = device
        names = tensor_sizes(self.shape)
        self.weights = {
            name: t.to(device, dtype)
            for part in base.weights_files
            for name, t in load_file(part).items()
            if name in names
        }
        self._speeds = torch.from_numpy(rotary_speeds(self.shape)).to(device)
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
        tokens = torch.tensor([token for text in texts for token in text])
        group = self.shape.heads // self.shape.kv_heads

        def attend(layer: int, *qkv: Tensor) -> Tensor:
            each = zip(*(torch.split(t.transpose(0, 1), lengths, dim=1) for t in qkv), strict=True)
            seen = [
                _attention(t[0], t[1], t[2], memories[i] if memories else None, layer, group)
                for i, t in enumerate(each)
            ]
            return torch.cat(seen, dim=1).transpose(0, 1)

        def linear(x: Tensor, name: str) -> Tensor:
            y = self.linear(x, name)
            if lora is None:
                return y
            up = lora.up[name] if lora.scale == 1 else lora.up[name] * lora.scale
            return y + F.linear(F.linear(x, lora.down[name].to(x.dtype)), up.to(x.dtype))

        return self.walk(tokens.to(self.device), positions.to(self.device), linear, attend)

    def walk(self, tokens: Tensor, positions: Tensor, linear: Linear, attend: Attend) -> Tensor:
        """The last hidden states of tokens at positions, (rows, hidden), by the given ways of applying a linear layer
        and of looking back: both are where texts, and their adapters, differ."""
        turns, x = self._rotations(positions), F.embedding(tokens, self.embedding)
        for layer in range(self.shape.layers):
            place = f"model.layers.{layer}"
            heads = self._heads(self._norm(x, f"{place}.input_layernorm"), f"{place}.self_attn", turns, linear)
            x = x + linear(attend(layer, *heads).reshape(len(x), -1), f"{place}.self_attn.o_proj")
            normed = self._norm(x, f"{place}.post_attention_layernorm")
            gate = F.silu(linear(normed, f"{place}.mlp.gate_proj"))
            x = x + linear(gate * linear(normed, f"{place}.mlp.up_proj"), f"{place}.mlp.down_proj")
        return self._norm(x, "model.norm")

    def linear(self, x: Tensor, name: str) -> Tensor:
        """A linear layer of the base itself."""
        return F.linear(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary in float32: (rows, vocab)."""
        return F.linear(hidden, self.head).float()

    def losses(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy in nats of each target, given the hidden state before it: (rows,), differentiable."""
        return _Losses.apply(hidden, self.head, targets)  # type: ignore[no-any-return, no-untyped-call]

    def _heads(
        self, x: Tensor, place: str, turns: tuple[Tensor, Tensor], linear: Linear
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, (rows, heads of each, head_dim), turned to their positions."""
        q, k, v = (linear(x, f"{place}.{n}_proj").view(len(x), -1, self.shape.head_dim) for n in "qkv")
        if self.shape.qk_norm:
            q, k = self._norm(q, f"{place}.q_norm"), self._norm(k, f"{place}.k_norm")
        return _rotate(q, turns), _rotate(k, turns), v

    def _norm(self, x: Tensor, name: str) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weights[f"{name}.weight"], self.shape.norm_eps)

    def _rotations(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine for each position, (rows, 1, head_dim)."""
        angles = torch.outer(positions.double(), self._speeds).repeat(1, 2).unsqueeze(1)
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
        mask = torch.ones(rows, columns, dtype=torch.bool, device=q.device).tril(columns - rows)
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
                slope[torch.arange(len(wanted), device=wanted.device), wanted] -= 1
                slopes.append(slope.to(head.dtype) @ head)
        ctx.save_for_backward(*([torch.cat(slopes)[:count]] if slopes else []))
        return torch.cat(losses)[:count]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (slopes,) = ctx.saved_tensors
        return (slopes * grad[:, None].to(slopes.dtype)), None, None
