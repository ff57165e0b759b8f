"""Adapters packed once and mapped from then on: idle ones cost no memory of a process, and workers share the pages.

One file an adapter, written aside and renamed, so that it is whole or not there. Its name says which source files, as
they were, and which layout it was made from; its end says where those lie, so that what was packed from files that
are gone or changed is found and removed. Files least lately used go when there are too many bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import mmap
import os
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.bases.cache import cache_folder
from atelier.workshop.engines.text.lora import FILES

from .native import packing
from .native.decoder import Adapter

log = logging.getLogger(__name__)

BYTES_MAX = 8 << 30
"""What all packed adapters of a machine may take on disk, if `ATELIER_TEXT_ADAPTERS_BYTES` says nothing else: about
1,500 of rank 16 for the bundled base."""

SWEEP_SECONDS = 60.0
"""How often at most files are looked through for adapters that were erased."""

PARTIAL_SECONDS = 3600
"""After so long a file that was never finished is one whose writer was killed."""

_SUFFIX, _PARTIAL = ".packed", ".partial"
_MAGIC, _START, _ALIGNED = b"atelier1", struct.Struct("<8sIQQ"), 64
_POPULATE = getattr(mmap, "MAP_POPULATE", 0)


@dataclass
class Tally:
    """What happened on a shelf in this process, in files."""

    mapped: int = 0
    made: int = 0
    damaged: int = 0
    evicted: int = 0
    erased: int = 0


@dataclass(frozen=True)
class Kept:
    """An adapter whose arrays are a file's pages, read-only."""

    adapter_sha256: str
    adapter: Adapter
    path: Path


class Shelf:
    """The packed adapters of one folder. Any thread and any process may use it at any time.

    Nothing here raises for a disk that is full, read-only or damaged: `take` and `put` then give None.
    """

    def __init__(self, folder: Path, *, bytes_max: int = BYTES_MAX) -> None:
        self._folder, self._bytes_max = folder, bytes_max
        self._sound: dict[Path, tuple[int, ...]] = {}  # files whose sum was right, as they were then
        self._swept = -SWEEP_SECONDS
        self._lock = threading.Lock()
        self.tally = Tally()

    def place(self, source: Path, base_sha256: str) -> Path | None:
        """Where an adapter's files, as they are now, have their packed form; None when one of them is missing."""
        state = _state(source)
        return self._folder / f"{state}-{base_sha256[:16]}-{_layout()}{_SUFFIX}" if state else None

    def take(self, place: Path) -> Kept | None:
        """What lies at a place, its pages in memory; None when there is nothing whole.

        A file is read to its end and summed the first time this process maps it, and when it changed since.
        """
        self._sweep_now_and_then()
        if not place.exists():
            return None
        try:
            kept = self._mapped(place)
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            log.warning("a packed adapter is damaged and is made anew: %s", error)
            self.tally.damaged += 1
            self._remove(place)
            return None
        with contextlib.suppress(OSError):  # when it was last used; its own time of change stays
            os.utime(place, ns=(time.time_ns(), place.stat().st_mtime_ns))
        self.tally.mapped += 1
        return kept

    def put(self, place: Path, source: Path, adapter_sha256: str, adapter: Adapter) -> Kept | None:
        """Keep an adapter at the place that its files had before they were read, and map it.

        None when they changed meanwhile or nothing can be written.
        """
        if _state(source) != _state_of(place):
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._write(place, _whole(source, adapter_sha256, adapter))
            kept = self._mapped(place)
        except (OSError, ValueError) as error:
            log.warning("an adapter could not be kept packed: %s", error)
            return None
        self.tally.made += 1
        self._evict(place)
        return kept

    def release(self, source: Path, path: Path) -> None:
        """Say that an adapter is no longer in use: if its source is gone, so is what was packed from it."""
        if not source.is_dir():
            self.tally.erased += self._remove(path)

    def sweep(self) -> None:
        """Remove what was packed from files that are gone or changed, and what was never finished."""
        for path in list(self._files(_PARTIAL)):
            if _old(path):
                self._remove(path)
        for path in list(self._files(_SUFFIX)):
            try:
                stale = _state(_source(path)) != _state_of(path)
            except (OSError, ValueError, KeyError, TypeError):
                stale = _old(path)  # else whoever asks for it next may be making it anew just now
            if stale:
                self.tally.erased += self._remove(path)

    @property
    def bytes_on_disk(self) -> int:
        """What all files of the shelf take."""
        return sum(size for _, size, _ in self._sizes())

    def _sweep_now_and_then(self) -> None:
        with self._lock:
            if (now := time.monotonic()) - self._swept < SWEEP_SECONDS:
                return
            self._swept = now
        # Nobody who asks for a text waits for a thousand files to be looked at.
        threading.Thread(target=self.sweep, name="atelier-shelf", daemon=True).start()

    def _mapped(self, path: Path) -> Kept:
        """Errors: ValueError for a file that is not whole; OSError."""
        with path.open("rb") as file:
            state = _file_state(os.fstat(file.fileno()))
            total, start = _started(file.read(_START.size), state[1])
            pages = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_SHARED | _POPULATE, prot=mmap.PROT_READ)
        if self._sound.get(path) != state:
            with memoryview(pages) as view, view[_START.size :] as rest:
                if zlib.crc32(rest) != total:
                    raise ValueError("its sum is wrong")
            self._sound[path] = state
        origin, about = map(json.loads, pages[start:].split(b"\n"))
        layers: list[dict[str, NDArray[np.uint8]]] = [{} for _ in range(about["layers"])]
        for layer, name, place, kind, shape in about["parts"]:
            layers[layer][name] = np.frombuffer(pages, kind, math.prod(shape), place).reshape(shape)
        return Kept(origin["adapter"], Adapter(tuple(layers), about["rank"]), path)

    def _write(self, path: Path, whole: bytes) -> None:
        descriptor, name = tempfile.mkstemp(dir=self._folder, suffix=_PARTIAL)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(whole)
            Path(name).replace(path)
        except BaseException:
            self._remove(Path(name))
            raise

    def _evict(self, newest: Path) -> None:
        """Remove the files least lately used until the others fit; who has one mapped keeps its pages."""
        files = sorted(self._sizes())
        over = sum(size for _, size, _ in files) - self._bytes_max
        for _, size, path in files:
            if over <= 0:
                return
            if path != newest:
                over -= size
                self.tally.evicted += self._remove(path)

    def _sizes(self) -> Iterator[tuple[int, int, Path]]:
        """When each file was last used, its bytes, and where it is."""
        for path in self._files(_SUFFIX):
            with contextlib.suppress(OSError):
                found = path.stat()
                yield found.st_atime_ns, found.st_size, path

    def _files(self, suffix: str) -> Iterator[Path]:
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            yield from (Path(entry.path) for entry in entries if entry.name.endswith(suffix))

    def _remove(self, path: Path) -> bool:
        self._sound.pop(path, None)
        with contextlib.suppress(OSError):
            path.unlink()
            return True
        return False


def shelf() -> Shelf:
    """This machine's, in the cache folder; `ATELIER_TEXT_ADAPTERS_BYTES` bounds it."""
    told = os.environ.get("ATELIER_TEXT_ADAPTERS_BYTES", "")
    return _shelf(cache_folder() / "text" / "adapters", int(told) if told.isdigit() else BYTES_MAX)


@lru_cache(maxsize=8)
def _shelf(folder: Path, bytes_max: int) -> Shelf:
    return Shelf(folder, bytes_max=bytes_max)


def _state(source: Path) -> str | None:
    """Names the files of an adapter as they are: where, of what size, changed when. None when one is missing."""
    try:
        states = [_file_state((source / name).stat()) for name in FILES]
    except OSError:
        return None
    return hashlib.sha256(f"{source.resolve()} {states}".encode()).hexdigest()[:32]


def _old(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime > PARTIAL_SECONDS
    return False


def _state_of(place: Path) -> str:
    return place.name.partition("-")[0]


def _file_state(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=1)
def _layout() -> str:
    """Names the code that packs: when it changes, every file is made anew."""
    digest = hashlib.sha256()
    for source in (Path(packing.__file__), Path(__file__), Path(__file__).with_name("adapters.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _whole(source: Path, adapter_sha256: str, adapter: Adapter) -> bytes:
    """A file's bytes: its start, the parts, and what it says of itself."""
    whole, parts = bytearray(_START.size), []
    for layer, each in enumerate(adapter.layers):
        for name, part in each.items():
            whole.extend(bytes(-len(whole) % _ALIGNED))
            parts.append((layer, name, len(whole), part.dtype.str, part.shape))
            whole.extend(part.tobytes())
    origin = {"adapter": adapter_sha256, "source": str(source.resolve())}
    about = {"rank": adapter.rank, "layers": len(adapter.layers), "parts": parts}
    told, place = b"\n".join(json.dumps(each).encode() for each in (origin, about)), len(whole)
    whole.extend(told)
    _START.pack_into(whole, 0, _MAGIC, zlib.crc32(memoryview(whole)[_START.size :]), place, len(told))
    return bytes(whole)


def _source(path: Path) -> Path:
    """Where the files lie that a file was packed from. Errors: OSError, ValueError, KeyError, TypeError."""
    with path.open("rb") as file:
        _, start = _started(file.read(_START.size), os.fstat(file.fileno()).st_size)
        file.seek(start)
        return Path(json.loads(file.readline())["source"])


def _started(data: bytes, size: int) -> tuple[int, int]:
    """The sum of a file of this size, and where it begins to speak of itself. Errors: ValueError."""
    if len(data) < _START.size:
        raise ValueError("it ends too early")
    magic, total, start, length = _START.unpack(data)
    if magic != _MAGIC or start + length != size:
        raise ValueError("it is of another kind or size")
    return total, start
