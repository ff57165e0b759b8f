"""The graph in memory: rows with an adapter and a past each, and the steps that move them on."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.conversion import locked

from . import graph
from .adapters import RANK, Parts

LENGTH = 1536
"""The most tokens of prompt and answer together."""


class Network:
    """`rows` places for texts in the making. Not thread-safe: one thread owns it.

    Rows 0..n-1 are moved on together by `step`; the result for a row depends on that row's adapter and tokens only,
    never on n or on its neighbours. Memory is touched, and so taken, only as far as rows are used.
    """

    def __init__(self, base: Base, *, rows: int, threads: int) -> None:
        self.base, self.rows = base, rows
        self.length = min(LENGTH, base.config.context)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # A spinning thread would take its core from training, and gains nothing when cores are shared.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = cached_graph(base, self.length)
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        shape = base.config
        size = (rows, shape.kv_heads, self.length, shape.head_dim)
        self._past = {f"{part}{i}": np.zeros(size, np.float32) for i in range(shape.layers) for part in "kv"}
        self._adapters = {
            f"l{i}_{name}": np.zeros((rows, *part), np.float32)
            for i in range(shape.layers)
            for name, part in graph.adapter_inputs(shape, RANK).items()
        }
        self._names = [""] * rows  # of the adapters; at first all are zero and change nothing
        self._logits = np.zeros((rows, shape.vocab), np.float32)
        self._bindings: dict[tuple[int, int], Any] = {}

    def step(self, tokens: NDArray[np.int64], lengths: NDArray[np.int32]) -> NDArray[np.float32]:
        """Feed one token to each of rows 0..n-1, the row's `lengths` tokens being in its past; logits (n, vocab).

        The result is valid until the next call.
        """
        return self._run(0, tokens.reshape(-1, 1), lengths)

    def feed(self, row: int, tokens: NDArray[np.int64], length: int) -> NDArray[np.float32]:
        """Feed several tokens to one row, `length` tokens being in its past; the logits after the last (vocab,)."""
        logits: NDArray[np.float32] = self._run(row, tokens.reshape(1, -1), np.array([length], np.int32))[0]
        return logits

    def set_adapter(self, row: int, name: str, parts: Parts) -> None:
        """Give a row an adapter; costs nothing when it has the one of that name already."""
        if self._names[row] == name:
            return
        self._names[row] = name
        for part, place in self._adapters.items():
            place[row] = parts[part]

    def move(self, source: int, target: int, length: int) -> None:
        """Give a row the adapter of another and the first `length` tokens of its past."""
        if self._names[source] != self._names[target]:
            self._names[target] = self._names[source]
            for place in self._adapters.values():
                place[target] = place[source]
        for past in self._past.values():
            past[target, :, :length] = past[source, :, :length]

    def past(self, row: int, start: int, end: int) -> list[NDArray[np.float32]]:
        """A copy of what tokens `start` to `end` left in a row's past."""
        return [past[row, :, start:end].copy() for past in self._past.values()]

    def set_past(self, row: int, saved: list[NDArray[np.float32]], start: int) -> None:
        """Put a copy that `past` made into a row, from token `start` on."""
        for place, values in zip(self._past.values(), saved, strict=True):
            place[row, :, start : start + values.shape[1]] = values

    def _run(self, first: int, ids: NDArray[np.int64], lengths: NDArray[np.int32]) -> NDArray[np.float32]:
        count, time = ids.shape
        binding = self._binding(first, count)
        last = lengths.astype(np.int32) + np.int32(time - 1)
        total = np.array([int(last.max()) + 1], np.int32)
        small = {"ids": np.ascontiguousarray(ids), "last": last, "total": total}
        for name, values in small.items():
            binding.bind_input(name, "cpu", 0, values.dtype.type, values.shape, values.ctypes.data)
        self._session.run_with_iobinding(binding)
        return self._logits[first : first + count]

    def _binding(self, first: int, count: int) -> Any:
        """The graph's inputs and outputs bound to the memory of these rows; made once, the memory never moves."""
        key = (first, count)
        if key not in self._bindings:
            binding = self._session.io_binding()
            part = slice(first, first + count)
            for name, values in self._adapters.items():
                _bind(binding.bind_input, name, values[part])
            for name, past in self._past.items():
                _bind(binding.bind_input, f"past_{name}", past[part])
                _bind(binding.bind_output, f"next_{name}", past[part])
            _bind(binding.bind_output, "logits", self._logits[part])
            self._bindings[key] = binding
        return self._bindings[key]


def _bind(how: Any, name: str, values: NDArray[Any]) -> None:
    how(name, "cpu", 0, values.dtype.type, values.shape, values.ctypes.data)


def threads() -> int:
    """How many threads a step uses: `ATELIER_TEXT_THREADS`, or up to four of the cores."""
    chosen = os.environ.get("ATELIER_TEXT_THREADS", "")
    return int(chosen) if chosen.isdigit() and int(chosen) > 0 else min(4, os.cpu_count() or 1)


def cached_graph(base: Base, length: int) -> Path:
    """The graph's file beside the base's cache, built on the first call; safe when many processes call at once."""
    from atelier.workshop.engines.text.base import cache_folder

    cache = cache_folder() / "text"
    folder = cache / f"{base.sha256[:16]}-graph-{graph.VERSION}-{RANK}-{length}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with locked(cache / "graph.lock"):
            if not folder.is_dir():
                partial = Path(tempfile.mkdtemp(dir=cache, prefix="partial-"))
                try:
                    graph.build(base, RANK, length, partial / "base.onnx")
                    partial.rename(folder)
                finally:
                    shutil.rmtree(partial, ignore_errors=True)
    return folder / "base.onnx"
