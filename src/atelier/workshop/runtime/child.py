"""The other end of the runtime's pipes: `python -m atelier.workshop.runtime.child {sandbox|train|attribute} PARENT`.

Requests come as JSON lines on standard input; answers leave as JSON lines on what was standard output when the
process started. Anything an engine or a library prints goes to standard error instead.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from atelier.workshop.contract import (
    AttributingEngine,
    Cancelled,
    MarkingEngine,
    Progress,
    TrainSpec,
    Upload,
    WorkshopError,
    engine,
)

from . import limits
from .wire import error_to_wire


def main(arguments: list[str]) -> int:
    """Serve until standard input ends (sandbox), or until the one job is done (train)."""
    mode, parent = arguments
    limits.die_with(int(parent))
    limits.no_core_dumps()
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    if mode == "train":
        _alone(answers, _train)
    elif mode == "attribute":
        _alone(answers, _attribute)
    else:
        _sandbox(answers)
    return 0


def _sandbox(answers: BinaryIO) -> None:
    """Answer each request from a fork of its own: a file can harm only the process that reads it.

    The engine is loaded before the fork, so that a file costs a fork and not the start of an interpreter. This
    process itself never opens a stranger's file and has one thread only, which is what makes forking safe.
    """
    for line in sys.stdin.buffer:
        request = json.loads(line)
        with contextlib.suppress(Exception):
            engine(request["engine"]).capabilities()
        here = os.getpid()
        fork = os.fork()
        if fork == 0:
            limits.die_with(here)
            _send(answers, {"started": True})
            _send(answers, _confined(request))
            os._exit(0)
        _, status = os.waitpid(fork, 0)
        if status:
            _send(answers, {"crash": os.waitstatus_to_exitcode(status)})


def _confined(request: dict[str, Any]) -> dict[str, Any]:
    limits.confine(request["memory_bytes"], request["seconds"], request["file_bytes"])
    try:
        return {"result": _perform(request)}
    except WorkshopError as error:
        return {"error": error_to_wire(error)}
    except MemoryError:
        return {"crash": "memory"}
    except Exception:
        traceback.print_exc()
        return {"crash": "exception"}


def _perform(request: dict[str, Any]) -> dict[str, Any]:
    chosen = engine(request["engine"])
    if request["verb"] == "detect":
        assert isinstance(chosen, MarkingEngine)
        traces = chosen.detect(Path(request["file"]), request["keys"])
        return {"traces": [trace.model_dump(mode="json") for trace in traces]}
    workspace = Path(request["workspace"])
    if request["verb"] == "inspect":
        return chosen.inspect(Upload.model_validate(request["upload"]), workspace).model_dump(mode="json")
    return chosen.export(Path(request["master"]), request["format"], workspace).model_dump(mode="json")


def _alone(answers: BinaryIO, run: Callable[[dict[str, Any], BinaryIO], dict[str, Any]]) -> None:
    """Run the one job that standard input names, then leave without waiting for libraries to tidy up."""
    limits.step_back()
    request = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_die_at_end_of_input, daemon=True).start()
    try:
        answer = run(request, answers)
    except WorkshopError as error:
        answer = {"error": error_to_wire(error)}
    _send(answers, answer)
    sys.stderr.flush()
    os._exit(0)


def _train(request: dict[str, Any], answers: BinaryIO) -> dict[str, Any]:
    asked_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.set())

    def report(progress: Progress) -> None:
        if asked_to_stop.is_set():
            raise Cancelled
        _send(answers, {"progress": progress.model_dump(mode="json")})

    spec = TrainSpec.model_validate(request["spec"])
    result = engine(request["engine"]).train(spec, Path(request["workspace"]), report)
    return {"result": result.model_dump(mode="json"), "peak_memory_bytes": limits.peak_memory()}


def _attribute(request: dict[str, Any], answers: BinaryIO) -> dict[str, Any]:
    chosen = engine(request["engine"])
    assert isinstance(chosen, AttributingEngine)
    found = chosen.attribute(Path(request["adapter"]), Path(request["output"]), request["brief"])
    return {"result": found.model_dump(mode="json")}


def _die_at_end_of_input() -> None:
    """The parent holds the other end of standard input for as long as it lives."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def _send(answers: BinaryIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
