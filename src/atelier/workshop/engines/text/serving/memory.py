"""What a worker holds in order to serve."""

from __future__ import annotations

from dataclasses import dataclass

from .native.decoder import Decoder
from .native.packing import packed_base


@dataclass(frozen=True)
class Memory:
    """Bytes, and counts of texts and adapters. `base` and adapters that are mapped are pages of files, which all
    workers share and the system may take back; `past_most` is taken as texts grow, never more."""

    base: int
    past_most: int
    beginnings: int
    beginnings_most: int
    prefixes: int
    adapters: int
    adapters_active: int
    texts: int
    waiting: int

    def __str__(self) -> str:
        """One line for a log."""
        mega = {name: round(getattr(self, name) / 1e6) for name in ("base", "past_most", "beginnings_most", "adapters")}
        return (
            f"base {mega['base']} MB mapped, past up to {mega['past_most']} MB, "
            f"beginnings up to {mega['beginnings_most']} MB, {self.adapters_active} adapters {mega['adapters']} MB, "
            f"{self.texts} texts in the making, {self.waiting} waiting"
        )


def base_bytes(decoder: Decoder) -> int:
    """What the matrices of a network's base take."""
    return sum(matrix.data.nbytes for matrix in packed_base(decoder.base).values())


def past_bytes(decoder: Decoder) -> int:
    """What the keys and values of all slots may take, two bytes a number."""
    shape = decoder.base.config
    return 2 * 2 * decoder.slots * decoder.length * shape.layers * shape.kv_heads * shape.head_dim
