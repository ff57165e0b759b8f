"""Compiles the C files of this folder for this machine, once, and opens the result."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from atelier.workshop.bases.cache import cache_folder
from atelier.workshop.contract import EngineUnavailable
from atelier.workshop.engines.text.conversion import locked

HERE = Path(__file__).parent
SOURCES = ("decoder.c", "choice.c")
# Contracting a product and a sum into one rounding is written out where it is wanted, so that every processor agrees.
FLAGS = ("-std=gnu11", "-O3", "-ffp-contract=off", "-fPIC", "-shared", "-pthread")
SECONDS = 120


@lru_cache(maxsize=4)
def library(*, plain: bool = False) -> ctypes.CDLL:
    """The compiled functions; `plain` without the processor's wide instructions, which gives the same bits slowly.

    Errors: EngineUnavailable when there is no C compiler or it fails.
    """
    flags = (*FLAGS, *(("-DATELIER_PLAIN",) if plain else ()), _for_this_processor())
    path = cache_folder() / "text" / f"native-{_key(flags)}" / "decoder.so"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.parent / "compile.lock"):
            if not path.is_file():
                _compile(flags, path)
    opened = ctypes.CDLL(str(path))
    opened.decoder_open.restype = ctypes.c_void_p
    opened.choose_token.restype = ctypes.c_int32
    return opened


def _compile(flags: tuple[str, ...], path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        command = [_compiler(), *flags, "-o", str(made), *(str(HERE / name) for name in SOURCES), "-lm"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineUnavailable(
                f"The C compiler did not work: {error}.", remedy="Set CC to one that does."
            ) from error
        if done.returncode:
            raise EngineUnavailable(
                f"The C compiler failed: {done.stderr.strip()[-400:]}", remedy="Set CC to GCC 9 or newer, or Clang 12."
            )
        made.rename(path)


def _compiler() -> str:
    for name in filter(None, (os.environ.get("CC"), "cc", "gcc", "clang")):
        if found := shutil.which(name):
            return found
    raise EngineUnavailable(
        "No C compiler was found, and the text engine compiles a small library for this machine.",
        remedy="Install one (Debian, Ubuntu: apt-get install gcc libc6-dev; macOS: xcode-select --install), or set CC.",
    )


def _for_this_processor() -> str:
    return "-march=native" if platform.machine().lower() in {"x86_64", "amd64"} else "-mcpu=native"


def _key(flags: tuple[str, ...]) -> str:
    """Names what the result depends on: sources, flags, system, and the instructions this processor has."""
    digest = hashlib.sha256(" ".join((*flags, platform.platform())).encode())
    for source in sorted(HERE.glob("*.[ch]")):
        digest.update(source.read_bytes())
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features", "model name")):
                digest.update(line.encode())
                break
    except OSError:
        digest.update(platform.processor().encode())
    return digest.hexdigest()[:16]
