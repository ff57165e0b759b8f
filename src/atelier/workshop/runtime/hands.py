"""Adapters that are ready for use: as many as fit, the least recently used let go first, none while in use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atelier.workshop.contract import AdapterInvalid, Engine, Hand

Key = tuple[str, str, str]


class _Entry:
    """One adapter, loaded or being loaded, and how many use it now."""

    def __init__(self) -> None:
        self.hand: Hand | None = None
        self.users = 0
        self.loading = threading.Lock()

    @property
    def bytes_held(self) -> int:
        return self.hand.bytes_held if self.hand else 0


class Hands:
    """An LRU of loaded adapters, bounded in bytes. Any thread may hold any hand at any time.

    The bound may be passed for as long as adapters in use need more.
    """

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()

    @contextmanager
    def held(self, engine: Engine, adapter: Path, sha256: str) -> Iterator[Hand]:
        """The hand of an adapter folder, loaded at most once however many ask at the same time.

        Errors: AdapterInvalid, also when the folder holds another adapter than the one named, or was erased.
        """
        key = (engine.name, str(adapter), sha256)
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            entry.users += 1
        try:
            _check_there(adapter)
            with entry.loading:
                hand = entry.hand = entry.hand or _loaded(engine, adapter, sha256)
            # It may have been erased while it was loaded.
            _check_there(adapter)
            self._let_go()
            yield hand
        finally:
            with self._lock:
                entry.users -= 1
            self._let_go()

    @property
    def bytes_held(self) -> int:
        """What all loaded adapters hold together."""
        with self._lock:
            return sum(entry.bytes_held for entry in self._entries.values())

    def close(self) -> None:
        """Let go of every hand not in use, and of the others as soon as they are free."""
        with self._lock:
            self._bytes_max = -1
        self._let_go()

    def _let_go(self) -> None:
        """Close unused entries: all that never loaded or were erased, and of the others the oldest beyond the bound."""
        freed: list[Hand] = []
        with self._lock:
            held = sum(entry.bytes_held for entry in self._entries.values())
            for key, entry in list(self._entries.items()):
                if entry.users or (entry.hand and held <= self._bytes_max and Path(key[1]).is_dir()):
                    continue
                del self._entries[key]
                held -= entry.bytes_held
                if entry.hand:
                    freed.append(entry.hand)
        for hand in freed:
            hand.close()


def _check_there(adapter: Path) -> None:
    if not adapter.is_dir():
        raise AdapterInvalid("The adapter's files are gone.", remedy="Train the version again.")


def _loaded(engine: Engine, adapter: Path, sha256: str) -> Hand:
    hand = engine.load(adapter)
    if hand.adapter_sha256 != sha256:
        hand.close()
        raise AdapterInvalid(
            "The adapter's files are not those of this version.", remedy="Restore them, or train the version again."
        )
    return hand
