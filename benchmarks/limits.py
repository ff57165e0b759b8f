"""How fast this machine could serve at most: what a step must read and multiply, over what the machine can.

A step of n texts reads the packed base once, n adapters and n pasts; it multiplies every weight of the base and of the
adapter once for each text, and the text's past. Its least time is the greater of both at the speeds measured here, with
all cores: memory by reading over and over as many bytes as the step reads (so that what a cache gives counts), products
of 8-bit numbers by the widest instructions there are. (Williams, Waterman, Patterson 2009, “Roofline”.)
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from atelier.workshop.bases.cache import cache_folder
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.serving.adapters import TextHand
from atelier.workshop.engines.text.serving.native import library as native
from atelier.workshop.engines.text.serving.native.packing import packed_base
from atelier.workshop.engines.text.shape import layer_sizes

SOURCE = Path(__file__).with_name("machine.c")
TRIES = 5
SECONDS = 0.15
"""How long one try takes, about."""


@dataclass(frozen=True)
class Limit:
    """The most that `texts` at once can have, in tokens a second, and what it follows from."""

    texts: int
    bytes_read: int
    products: int
    bytes_a_second: float
    products_a_second: float

    @property
    def memory(self) -> float:
        return self.texts * self.bytes_a_second / self.bytes_read

    @property
    def arithmetic(self) -> float:
        return self.texts * self.products_a_second / self.products

    @property
    def tokens_a_second(self) -> float:
        return min(self.memory, self.arithmetic)

    def told(self) -> dict[str, float]:
        return {
            "bytes_a_step": self.bytes_read,
            "products_a_step": self.products,
            "bytes_a_second": self.bytes_a_second,
            "products_a_second": self.products_a_second,
            "memory": self.memory,
            "arithmetic": self.arithmetic,
            "tokens_a_second": self.tokens_a_second,
        }


def limits(base: Base, hand: TextHand, rank: int, counts: list[int], past: int) -> dict[int, Limit]:
    """For each number of texts at once, with adapters like `hand` and a past of so many tokens each."""
    speed = products_a_second()
    found = {}
    for count in counts:
        read = step_bytes(base, count, past, hand.bytes_held)
        found[count] = Limit(count, read, step_products(base, count, past, rank), bytes_a_second(read), speed)
    return found


def step_bytes(base: Base, texts: int, past: int, adapter: int) -> int:
    """Bytes that a step reads: packed matrices, and for each text its adapter and its keys and values in half
    precision. Of an embedding that is not the head too, only a row for each text: left out."""
    shape = base.config
    packed = packed_base(base)
    whole = sum(each.data.nbytes for name, each in packed.items() if shape.tied or name != "embedding")
    return whole + texts * (adapter + 2 * 2 * shape.layers * shape.kv_heads * shape.head_dim * past)


def step_products(base: Base, texts: int, past: int, rank: int) -> int:
    """Products of a step: each text's vector with base, head, adapter, keys and values."""
    shape = base.config
    linear = sum(outputs * inputs + rank * (outputs + inputs) for outputs, inputs in layer_sizes(shape).values())
    attention = 2 * shape.layers * shape.heads * shape.head_dim * past
    return texts * (linear + shape.vocab * shape.hidden + attention)


def bytes_a_second(size: int) -> float:
    """How fast all cores together read so many bytes over and over, the best of several tries."""
    data = np.ones(-(-size // 8), np.uint64)
    parts = np.array_split(data, _cores())
    times = max(1, round(SECONDS * 15e9 / size))
    library = _library()

    def read(core: int) -> int:
        part = parts[core]
        library.read_all(ctypes.c_void_p(part.ctypes.data), ctypes.c_int64(len(part)), ctypes.c_int64(times))
        return part.nbytes * times

    return max(_at_once(read) for _ in range(TRIES))


def products_a_second() -> float:
    """How many products of 8-bit numbers all cores together make, the best of several tries."""
    library = _library()
    times = 1000
    while True:
        begin = time.perf_counter()
        library.make_products(ctypes.c_int64(times))
        if time.perf_counter() - begin > SECONDS:
            break
        times *= 2
    return max(_at_once(lambda core: library.make_products(ctypes.c_int64(times))) for _ in range(TRIES))


def _at_once(act: Callable[[int], int]) -> float:
    """What all cores together did in a second. ctypes lets the threads run side by side."""
    done = [0] * _cores()

    def work(core: int) -> None:
        done[core] = act(core)

    threads = [threading.Thread(target=work, args=(core,)) for core in range(_cores())]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - begin)


def _cores() -> int:
    return os.cpu_count() or 1


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    """The measuring functions, compiled for this machine once."""
    command = [native._compiler(), "-std=gnu11", "-O3", native._for_this_processor(), "-fPIC", "-shared"]
    name = hashlib.sha256(SOURCE.read_bytes() + " ".join(command).encode()).hexdigest()[:16]
    path = cache_folder() / "bench" / f"machine-{name}.so"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        subprocess.run([*command, "-o", str(partial), str(SOURCE)], check=True)
        partial.rename(path)
    opened = ctypes.CDLL(str(path))
    opened.read_all.restype = ctypes.c_uint64
    opened.make_products.restype = ctypes.c_int64
    return opened
