"""Engines are found, one of each, and a broken one does not take the others down."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from atelier.workshop.contract import EngineUnavailable, registry
from atelier.workshop.contract.fake import FakeEngine
from atelier.workshop.runtime import runtime


def test_engines_are_found_by_name(rogue_engines: None) -> None:
    assert {"fake", "rogue", "text"} <= set(registry.engines())
    assert list(registry.engines()) == sorted(registry.engines())
    assert registry.engine("fake").capabilities().engine == "fake"


def test_a_broken_engine_is_left_out_and_says_why(rogue_engines: None, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = "fake=atelier.workshop.contract.fake:FakeEngine"
    monkeypatch.setenv("ATELIER_EXTRA_ENGINES", f"{fake},gone=no_such_module:Engine,odd=json:loads")
    registry._loaded.cache_clear()
    assert "fake" in registry.engines()
    with pytest.raises(EngineUnavailable, match="no_such_module"):
        registry.engine("gone")
    with pytest.raises(EngineUnavailable, match="odd"):
        registry.engine("odd")


class Waiting(FakeEngine):
    """Cannot be used before a variable is set."""

    def missing(self) -> str:
        return "" if "ATELIER_WAITING_BASE" in os.environ else "Set ATELIER_WAITING_BASE."


def test_an_engine_that_misses_something_is_not_offered_and_says_what(
    rogue_engines: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        registry, "_declared", lambda: iter([("fake", lambda: FakeEngine), ("waiting", lambda: Waiting)])
    )
    registry._loaded.cache_clear()
    assert list(registry.engines()) == ["fake"]
    with pytest.raises(EngineUnavailable) as caught:
        registry.engine("waiting")
    assert caught.value.remedy == "Set ATELIER_WAITING_BASE."
    monkeypatch.setenv("ATELIER_WAITING_BASE", "here")
    registry._loaded.cache_clear()
    assert list(registry.engines()) == ["fake", "waiting"]
    assert registry.engine("waiting").capabilities().engine == "fake"


def test_threads_that_ask_at_once_get_the_same(rogue_engines: None, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = FakeEngine.__init__

    def slow(self: FakeEngine) -> None:
        time.sleep(0.05)
        plain(self)

    monkeypatch.setattr(FakeEngine, "__init__", slow)
    with ThreadPoolExecutor(4) as threads:
        engines = list(threads.map(lambda _: registry.engine("fake"), range(4)))
        runtimes = list(threads.map(lambda _: runtime(), range(4)))
    assert len({id(engine) for engine in engines}) == 1
    assert len({id(made) for made in runtimes}) == 1
