"""A Llama forward pass in PyTorch over a ragged batch: texts of any lengths lie end to end, so no step pads.

Weights are frozen; an adapter may be laid over them. Equal to transformers' `LlamaForCausalLM`, `Qwen2ForCausalLM` and
`Qwen3ForCausalLM` on the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from .base import Base
from .lora import Lora
from .passes import adapted, attended, losses, normed, rotated
from .shape import LlamaShape, rotary_speeds, tensor_sizes

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
        mapped = device == "cpu" and dtype == torch.bfloat16
        self.weights = {
            name: t.to(device, dtype)  # Of mapped files no copy, but a view: processes share the base's memory.
            for part in (base.half_files() if mapped else base.weights_files)
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

        An adapter may be given once for each text (see `Lora.each`): then each gets the gradient of its text alone.
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
            if lora is None:
                return self.linear(x, name)
            down, up = lora.down[name], lora.up[name] if lora.scale == 1 else lora.up[name] * lora.scale
            each = lengths if down.dim() == 3 else None
            return adapted(x, *self._frozen(name), down.to(x.dtype), up.to(x.dtype), each)

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
        return F.linear(x, *self._frozen(name))

    def _frozen(self, name: str) -> tuple[Tensor, Tensor | None]:
        """Weight and, where it has one, bias of a linear layer of the base."""
        return self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias")

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary in float32: (rows, vocab)."""
        return F.linear(hidden, self.head).float()

    def losses(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy in nats of each target, given the hidden state before it: (rows,), differentiable."""
        return losses(hidden, self.head, targets)

    def _heads(
        self, x: Tensor, place: str, turns: tuple[Tensor, Tensor], linear: Linear
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, (rows, heads of each, head_dim), turned to their positions."""
        q, k, v = (linear(x, f"{place}.{n}_proj").view(len(x), -1, self.shape.head_dim) for n in "qkv")
        if self.shape.qk_norm:
            q, k = self._norm(q, f"{place}.q_norm"), self._norm(k, f"{place}.k_norm")
        return rotated(q, turns), rotated(k, turns), v

    def _norm(self, x: Tensor, name: str) -> Tensor:
        return normed(x, self.weights[f"{name}.weight"], self.shape.norm_eps)

    def _rotations(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine for each position, (rows, 1, head_dim / 2)."""
        angles = torch.outer(positions.double(), self._speeds).unsqueeze(1)
        return angles.cos().to(self.head.dtype), angles.sin().to(self.head.dtype)


def _attention(q: Tensor, k: Tensor, v: Tensor, memory: Memory | None, layer: int, group: int) -> Tensor:
    """Causal attention of one text, all (heads, length, head_dim); a memory lends and keeps earlier keys and values."""
    if memory is not None:
        if layer in memory.layers:
            k, v = (torch.cat(pair, dim=1) for pair in zip(memory.layers[layer], (k, v), strict=True))
        memory.layers[layer] = (k, v)
    if q.requires_grad and memory is None and q.device.type == "cpu":
        return attended(q, k, v)
    rows, columns = q.shape[1], k.shape[1]
    k, v = k.repeat_interleave(group, dim=0), v.repeat_interleave(group, dim=0)
    mask = None
    if 1 < rows < columns:
        mask = torch.ones(rows, columns, dtype=torch.bool, device=q.device).tril(columns - rows)
    causal = rows == columns and rows > 1
    return F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=mask, is_causal=causal)[0]
