"""Engines on this machine: hostile files in a sandbox, training in a process that steps back, generation here."""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from atelier.workshop.contract import (
    AttributingEngine,
    Attribution,
    Cancelled,
    Emit,
    EngineUnavailable,
    FileRef,
    GenerateSpec,
    Inspection,
    MarkingEngine,
    Output,
    OverTime,
    Pick,
    PreferringEngine,
    Progress,
    Report,
    Trace,
    TrainResult,
    TrainSpec,
    Untold,
    Upload,
    WorkshopError,
)
from atelier.workshop.contract.registry import engine as engine_named

from .hands import Hands
from .limits import bare_environment
from .processes import Child, Gone
from .sandbox import MEMORY_BYTES, ONE_THREAD, Sandbox, upload_name
from .wire import error_from_wire

log = logging.getLogger(__name__)

_PIECES = {"OPENBLAS_NUM_THREADS": "1"}
"""Engines train on pieces side by side, one a core: a second set of threads under each piece would fight over them."""

_HANDS_BYTES = 512 << 20
_HEARTBEAT_SECONDS = 0.25
_GRACE_SECONDS = 1.5
_ATTRIBUTION_SECONDS = 300.0


class TrainCrashed(WorkshopError):
    """The training process ended without a result. The message ends with the last line that it said."""

    code = "train_crashed"


class AttributionCrashed(WorkshopError):
    """The process that was to tell which works shaped an output ended without a result."""

    code = "attribution_crashed"


class LocalRuntime:
    """The `Runtime` of one machine.

    `ATELIER_HANDS_BYTES` bounds what loaded adapters hold (default 512 MiB). `warm`, `tidy`
    and `close` call the engine's methods of the same name where it has them.
    """

    def __init__(self, *, hands_bytes: int | None = None, sandbox_bytes: int = MEMORY_BYTES) -> None:
        bound = int(os.environ.get("ATELIER_HANDS_BYTES", _HANDS_BYTES)) if hands_bytes is None else hands_bytes
        self._hands = Hands(bound)
        self._sandbox = Sandbox(sandbox_bytes)
        self._working: set[Child] = set()
        self._serving: set[str] = set()
        self._lock = threading.Lock()
        self._closed = False

    def inspect(self, engine: str, upload: Upload, workspace: Path) -> Inspection:
        limits = engine_named(engine).capabilities().limits
        request = {
            "verb": "inspect",
            "engine": engine,
            "upload": upload.model_dump(mode="json"),
            "workspace": str(workspace),
        }
        result = self._sandbox.call(request, limits.inspect_seconds, upload_name(upload.filename))
        return Inspection.model_validate(result)

    def export(self, engine: str, master: Path, format_name: str, workspace: Path) -> FileRef:
        limits = engine_named(engine).capabilities().limits
        request = {
            "verb": "export",
            "engine": engine,
            "master": str(master),
            "format": format_name,
            "workspace": str(workspace),
        }
        return FileRef.model_validate(self._sandbox.call(request, limits.inspect_seconds, master.name))

    def train(self, engine: str, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
        engine_named(engine)
        child = Child("train", bare_environment([engine]) | _PIECES)
        with self._lock:
            self._working.add(child)
            if self._closed:
                child.kill()
        try:
            child.send({"engine": engine, "spec": spec.model_dump(mode="json"), "workspace": str(workspace)})
            answer = self._follow(child, report)
        except Gone:
            if self._closed:
                raise Cancelled from None
            said = child.last_words() or "nothing"
            log.error("the training process ended without a result: %s", said)
            # A creator may read this: the rest tells of the machine and is for the log.
            raise TrainCrashed(
                f"The training process ended unexpectedly. It said last: {said.splitlines()[-1]}",
                remedy="Start the training again; if it fails again, show this message to the operator.",
            ) from None
        except BaseException:
            child.terminate(_GRACE_SECONDS)
            raise
        finally:
            with self._lock:
                self._working.discard(child)
            child.close()
        if "error" in answer:
            raise error_from_wire(answer["error"])
        result = TrainResult.model_validate(answer["result"])
        card = {**result.card, "peak_memory_bytes": answer["peak_memory_bytes"]}
        return result.model_copy(update={"card": card})

    def _follow(self, child: Child, report: Report) -> dict[str, Any]:
        """Pass progress on until the result or the error comes."""
        last = Progress(stage="starting", done=0, planned=1)
        while True:
            answer = child.receive(_HEARTBEAT_SECONDS)
            if answer and "progress" not in answer:
                return answer
            if answer:
                last = Progress.model_validate(answer["progress"])
            report(last)

    def detect(self, engine: str, file: Path, keys: Sequence[str]) -> list[Trace]:
        chosen = engine_named(engine)
        if not isinstance(chosen, MarkingEngine):
            raise EngineUnavailable(f"The engine “{engine}” marks nothing.", remedy="Choose another engine.")
        request = {"verb": "detect", "engine": engine, "file": str(file), "keys": list(keys)}
        result = self._sandbox.call(request, chosen.capabilities().limits.inspect_seconds, file.name)
        return [Trace.model_validate(trace) for trace in result["traces"]]

    def attribute(self, engine: str, adapter: Path, output: Path, brief: dict[str, Any]) -> Attribution:
        if not isinstance(engine_named(engine), AttributingEngine):
            raise Untold(f"The engine “{engine}” does not tell which works shaped an output.")
        child = Child("attribute", bare_environment([engine]) | ONE_THREAD)
        with self._lock:
            self._working.add(child)
            if self._closed:
                child.kill()
        try:
            child.send({"engine": engine, "adapter": str(adapter), "output": str(output), "brief": brief})
            answer = child.receive(_ATTRIBUTION_SECONDS)
        except Gone:
            if self._closed:
                raise Cancelled from None
            log.error("the process that attributed an output ended without a result: %s", child.last_words())
            raise AttributionCrashed("The process ended unexpectedly.", remedy="Ask again.") from None
        finally:
            with self._lock:
                self._working.discard(child)
            child.close()
        if answer is None:
            raise OverTime(f"It took longer than {_ATTRIBUTION_SECONDS:g} seconds.", remedy="Ask again.")
        if "error" in answer:
            raise error_from_wire(answer["error"])
        return Attribution.model_validate(answer["result"])

    def generate(self, engine: str, adapter: Path, spec: GenerateSpec, workspace: Path, emit: Emit) -> list[Output]:
        chosen = engine_named(engine)
        with self._hands.held(chosen, adapter, spec.adapter_sha256) as hand:
            return chosen.generate(hand, spec, workspace, emit)

    def prefer(self, engine: str, picks: Sequence[Pick]) -> dict[str, float]:
        chosen = engine_named(engine)
        if not isinstance(chosen, PreferringEngine):
            raise EngineUnavailable(
                f"The engine “{engine}” learns nothing from picks.", remedy="Choose another engine."
            )
        taste = chosen.prefer(picks)
        return {str(name): float(value) for name, value in taste.items() if math.isfinite(value)}

    def warm(self, engine: str) -> None:
        with self._lock:
            self._serving.add(engine)
        prepare = getattr(engine_named(engine), "warm", None)
        if prepare is not None:
            prepare()

    def tidy(self, engine: str) -> None:
        try:
            clear = getattr(engine_named(engine), "tidy", None)
        except EngineUnavailable:  # An erasure must not wait for an engine that is no longer installed.
            return
        if clear is not None:
            clear()

    def sentence_vectors(self, texts: list[str]) -> list[list[float]]:
        from atelier.workshop.encoders.sentence import sentence_vectors

        return sentence_vectors(texts)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            working = list(self._working)
            serving, self._serving = self._serving, set()
        for child in working:
            child.kill()
        self._sandbox.close()
        self._hands.close()
        for name in serving:
            release = getattr(engine_named(name), "close", None)
            if release is not None:
                release()
