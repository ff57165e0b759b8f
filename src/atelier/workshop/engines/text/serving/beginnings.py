"""Keeps what reading the beginnings of prompts left behind: briefs of one kind begin alike, repeated ones are equal."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from .native.decoder import Decoder

CHUNK = 32
"""Tokens that are remembered together, a multiple of what the network lays side by side."""

BYTES_MAX = 96 << 20
"""What remembered chunks may take, least lately used given up first; each has about 0.75 MB on the bundled base."""

_Key = tuple[str, tuple[int, ...]]


class Beginnings:
    """The pasts of whole chunks by adapter and all tokens up to the chunk's end. Reading the same tokens gives the same
    bits, so that nobody can tell whether they were read or remembered. One thread at a time."""

    def __init__(self, decoder: Decoder, *, bytes_max: int = BYTES_MAX) -> None:
        self._decoder, self._bytes_max = decoder, bytes_max
        self._kept: OrderedDict[_Key, NDArray[np.float16]] = OrderedDict()
        self.bytes_held = 0

    def recall(self, slot: int, adapter: str, prompt: tuple[int, ...]) -> int:
        """Put what is remembered of a prompt into a slot; how many tokens that were. The last are never among them."""
        read = 0
        while read + CHUNK < len(prompt):
            key = (adapter, prompt[: read + CHUNK])
            if key not in self._kept:
                break
            self._kept.move_to_end(key)
            self._decoder.set_past(slot, self._kept[key], read)
            read += CHUNK
        return read

    def remember(self, slot: int, adapter: str, prompt: tuple[int, ...], read: int) -> None:
        """Keep the whole chunks of a slot that has read so far, but not the last of the prompt."""
        for end in range(CHUNK, min(read, len(prompt) - 1) + 1, CHUNK):
            key = (adapter, prompt[:end])
            if key not in self._kept:
                self._kept[key] = self._decoder.past(slot, end - CHUNK, end)
                self.bytes_held += self._kept[key].nbytes
        while self.bytes_held > self._bytes_max:
            self.bytes_held -= self._kept.popitem(last=False)[1].nbytes
