"""Keeps what reading the beginnings of prompts left behind: briefs of one kind begin alike, repeated ones are equal."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from .network import Network

KEPT = 64
"""Chunks that are remembered, least lately used given up first; each has about 1.5 MB on the bundled base."""

_Key = tuple[str, tuple[int, ...]]


class Beginnings:
    """The pasts of whole chunks by adapter and all tokens up to the chunk's end. Reading the same chunk after the same
    tokens gives the same bits, so that nobody can tell whether it was read or remembered."""

    def __init__(self, network: Network, chunk: int) -> None:
        self._network, self._chunk = network, chunk
        self._kept: OrderedDict[_Key, list[NDArray[np.float32]]] = OrderedDict()

    def recall(self, row: int, adapter: str, prompt: tuple[int, ...]) -> int:
        """Put what is remembered of a prompt into a row; how many tokens that were. The last are never among them."""
        read = 0
        while read + self._chunk < len(prompt):
            key = (adapter, prompt[: read + self._chunk])
            if key not in self._kept:
                break
            self._kept.move_to_end(key)
            self._network.set_past(row, self._kept[key], read)
            read += self._chunk
        return read

    def remember(self, row: int, adapter: str, prompt: tuple[int, ...], read: int) -> None:
        """Keep the chunk of a row that ends at `read`, if it is whole and not the last."""
        if read % self._chunk or read >= len(prompt):
            return
        self._kept[adapter, prompt[:read]] = self._network.past(row, read - self._chunk, read)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
