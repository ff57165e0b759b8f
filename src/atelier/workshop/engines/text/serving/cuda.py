"""The network in PyTorch behind the interface of the one in C, for graphics cards.

Nobody has run it on a card yet: its tests run it on torch's processor device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.llama import Llama
from atelier.workshop.engines.text.shape import layer_sizes

from .adapters import DOWN, UP
from .native.decoder import RANK_MOST, Adapter, Feed
from .native.packing import BLOCK, LANES


class TorchDecoder:
    """`slots` places for texts of up to `length` tokens, each with its adapter: see the `Decoder` in C.

    Not run on a GPU so far. Rows go through in blocks of one fixed size, each row with its own adapter and its own view
    of the past, so that no shape depends on the company; that a row's numbers do not depend on it either is then up to
    torch, which promises as much for no device. Two texts of one seed may part where two tokens are all but equal.
    """

    def __init__(
        self,
        base: Base,
        *,
        slots: int,
        length: int,
        tokens: int = 256,
        device: str = "cuda",
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        self.base, self.slots, self.tokens = base, slots, tokens
        self.length = -(-min(length, base.config.context) // LANES) * LANES
        self._network, self._block = Llama(base, dtype, device), -(-slots // LANES) * LANES
        self._adapters: list[Adapter | None] = [None] * slots
        # One slot more than there are: rows that fill up a block read and write there.
        places, shape = slots + 1, base.config
        held = (shape.layers, places, shape.kv_heads, self.length, shape.head_dim)
        self._keys, self._values = (torch.zeros(held, dtype=dtype, device=device) for _ in range(2))
        sizes = layer_sizes(shape).items()
        self._down = {n: torch.zeros(places, RANK_MOST, size, dtype=dtype, device=device) for n, (_, size) in sizes}
        self._up = {n: torch.zeros(places, size, RANK_MOST, dtype=dtype, device=device) for n, (size, _) in sizes}

    @torch.inference_mode()
    def step(self, feeds: Sequence[Feed]) -> NDArray[np.float32]:
        """Read all feeds, those of one slot in order; the scores (feeds scored, vocab).

        At most `tokens` tokens and `slots` scored feeds.
        """
        rows = [(token, f.slot, f.position + i) for f in feeds for i, token in enumerate(f.tokens)]
        ends = np.cumsum([len(feed.tokens) for feed in feeds]) - 1
        wanted = [int(end) for feed, end in zip(feeds, ends, strict=True) if feed.scored]
        if len(rows) > self.tokens or len(wanted) > self.slots or max(place for *_, place in rows) >= self.length:
            raise ValueError("more tokens or feeds than there is room for")
        read = torch.cat([self._read(rows[at : at + self._block]) for at in range(0, len(rows), self._block)])
        filled = [*wanted, *[0] * (self._block - len(wanted))]
        scores: NDArray[np.float32] = self._network.logits(read[filled])[: len(wanted)].cpu().numpy()
        return scores

    def set_adapter(self, slot: int, adapter: Adapter | None) -> None:
        """Give a slot an adapter, or none."""
        if self._adapters[slot] is adapter:
            return
        self._adapters[slot] = adapter
        for side in (self._down, self._up):
            for held in side.values():
                held[slot].zero_()
        for layer, parts in enumerate(adapter.layers if adapter else ()):
            place, rank = f"model.layers.{layer}", adapter.rank if adapter else 0
            for part, columns in DOWN.items():
                each = torch.split(unpacked_down(self._there(parts[part])), rank)
                for column, values in zip(columns, each, strict=True):
                    self._down[f"{place}.{column}"][slot, :rank] = values
            for part, column in UP.items():
                self._up[f"{place}.{column}"][slot, :, :rank] = unpacked_up(self._there(parts[part]), rank)

    def past(self, slot: int, start: int, end: int) -> NDArray[Any]:
        """A copy of what tokens `start` (a multiple of 16) to `end` left in a slot."""
        end = start + -(-(end - start) // LANES) * LANES
        saved = torch.stack([held[:, slot, :, start:end] for held in (self._keys, self._values)]).cpu()
        # numpy has no bfloat16: its bits travel as those of another half.
        plain: NDArray[Any] = (saved.view(torch.float16) if saved.dtype == torch.bfloat16 else saved).numpy()
        return plain

    def set_past(self, slot: int, saved: NDArray[Any], start: int) -> None:
        """Put a copy that `past` made from `start` on into a slot."""
        both = torch.from_numpy(saved).view(self._keys.dtype).to(self._keys.device)
        for held, values in zip((self._keys, self._values), both, strict=True):
            held[:, slot, :, start : start + values.shape[2]] = values

    def close(self) -> None:
        """Free its memory; it must not be used after."""
        on_card = self._keys.is_cuda
        del self._network, self._keys, self._values, self._down, self._up
        if on_card:
            torch.cuda.empty_cache()

    def _there(self, part: NDArray[np.uint8]) -> Tensor:
        # Mapped pages may not be written, which torch warns of; a copy may.
        return torch.from_numpy(part.copy()).to(self._keys.device)

    def _read(self, rows: Sequence[tuple[int, int, int]]) -> Tensor:
        """The last hidden states of a block of (token, slot, position), (rows, hidden); their past is kept."""
        filled = [*rows, *[(0, self.slots, 0)] * (self._block - len(rows))]
        tokens, slots, places = torch.tensor(filled).to(self._keys.device).T
        hidden = torch.arange(self.length, device=self._keys.device) > places[:, None]

        def linear(x: Tensor, name: str) -> Tensor:
            low = torch.bmm(self._down[name][slots], x[:, :, None])
            return self._network.linear(x, name) + torch.bmm(self._up[name][slots], low)[:, :, 0]

        def attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            keys, values = self._keys[layer], self._values[layer]
            keys[slots, :, places], values[slots, :, places] = k, v
            grouped = q.view(len(q), k.shape[1], -1, q.shape[2])
            scores = (grouped @ keys[slots].transpose(2, 3)).float() / math.sqrt(q.shape[2])
            shares = scores.masked_fill(hidden[:, None, None], -math.inf).softmax(dim=-1)
            return (shares.to(q.dtype) @ values[slots]).view(q.shape)

        return self._network.walk(tokens, places, linear, attend)[: len(rows)]


def unpacked_down(part: Tensor) -> Tensor:
    """A down part as numbers again, (outputs, inputs)."""
    groups, blocks = part.shape[:2]
    levels, steps = part[..., : BLOCK * LANES], part[..., BLOCK * LANES :].contiguous().view(torch.float16)
    values = (levels.reshape(groups, blocks, BLOCK // 4, LANES, 4).float() - 128) * steps.float()[:, :, None, :, None]
    return values.permute(0, 3, 1, 2, 4).reshape(groups * LANES, blocks * BLOCK)


def unpacked_up(part: Tensor, rank: int) -> Tensor:
    """An up part as numbers again, (outputs, rank)."""
    levels, steps = part[:, : rank * LANES], part[:, rank * LANES :].contiguous().view(torch.float16)
    values = (levels.reshape(len(part), rank // 4, LANES, 4).float() - 128) * steps.float()[:, None, :, None]
    return values.permute(0, 2, 1, 3).reshape(len(part) * LANES, rank)
