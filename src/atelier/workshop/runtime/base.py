"""The interface behind which engines run, on this machine's worker or elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from atelier.workshop.contract import (
    Attribution,
    Emit,
    FileRef,
    GenerateSpec,
    Inspection,
    Output,
    Pick,
    Report,
    Trace,
    TrainResult,
    TrainSpec,
    Upload,
)


class Runtime(Protocol):
    """Runs engine work with its limits: time, memory, priority, and how many adapters are held at once.

    Called from worker threads, many at once. All errors of the contract pass through unchanged. A job that is asked
    to stop (its `report` or `emit` raises Cancelled) has stopped within two seconds and left no process behind; when
    the worker itself is killed, its child processes die with it.
    """

    def inspect(self, engine: str, upload: Upload, workspace: Path) -> Inspection:
        """Inspect a hostile file in a process of its own, bounded in time and memory.

        Errors: OverTime; Unreadable, also when the reader crashed on the file or wanted too much memory; Busy.
        """
        ...

    def train(self, engine: str, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
        """Train at low priority in a process of its own.

        `report` is called at least four times a second, with the same news again when there is none, so that a
        training that is to stop does so at once. The card holds `peak_memory_bytes` of that process.

        Errors: those of the contract; one with code `train_crashed` when the process ended without a result.
        """
        ...

    def generate(self, engine: str, adapter: Path, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        """Generate in this process, batched with whatever else runs; the adapter comes from a bounded LRU.

        `adapter` is the folder of the adapter's files; they must be those that `spec.adapter_sha256` names.
        """
        ...

    def export(self, engine: str, master: Path, format_name: str, workspace: Path) -> FileRef:
        """Write a master in another format, bounded as `inspect` is."""
        ...

    def detect(self, engine: str, file: Path, keys: Sequence[str]) -> list[Trace]:
        """What a hostile file shows of each mark key, bounded as `inspect` is.

        Errors: also EngineUnavailable when that engine marks nothing.
        """
        ...

    def attribute(self, engine: str, adapter: Path, output: Path, brief: dict[str, Any]) -> Attribution:
        """Which of its works shaped a master, told at low priority in a process of its own.

        Errors: those of the contract, Untold also when that engine attributes nothing; OverTime; one with code
        `attribution_crashed` when the process ended without a result.
        """
        ...

    def prefer(self, engine: str, picks: Sequence[Pick]) -> dict[str, float]:
        """The taste that an engine learns from what people picked, told in this process; finite figures only.

        Errors: EngineUnavailable, also when that engine learns nothing from picks.
        """
        ...

    def warm(self, engine: str) -> None:
        """Load the engine's base, so that the first request does not wait for it."""
        ...

    def tidy(self, engine: str) -> None:
        """Let the engine remove what it keeps on this machine of adapters whose files are gone."""
        ...

    def sentence_vectors(self, texts: list[str]) -> list[list[float]]:
        """Unit vectors (384 dimensions) in which near meanings lie near each other."""
        ...

    def close(self) -> None:
        """Stop what runs and free what is held."""
        ...


_making = threading.Lock()


def runtime() -> Runtime:
    """The runtime of this installation, one a process."""
    with _making:  # or two threads that ask at once would have one each
        return _made()


@cache
def _made() -> Runtime:
    from .local import LocalRuntime

    return LocalRuntime()
