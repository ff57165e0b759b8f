"""Adapters in memory: bounded, shared, and never taken from under somebody."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from atelier.workshop.contract import AdapterInvalid, Cancelled, GenerateSpec, Preview, Progress, TrainSpec
from atelier.workshop.contract.fake import FakeEngine
from atelier.workshop.contract.fake.bigrams import Counts
from atelier.workshop.contract.fake.engine import FakeHand
from atelier.workshop.runtime.hands import Hands
from atelier.workshop.runtime.local import LocalRuntime

MEGABYTE = 1 << 20


class Shelf(FakeEngine):
    """Loads hands of a megabyte each, and remembers which were loaded and which are open."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: set[int] = set()
        self.lock = threading.Lock()

    def load(self, adapter: Path) -> FakeHand:
        hand = _Kept(adapter.name, Counts(), MEGABYTE)
        hand.shelf = self
        with self.lock:
            self.loads.append(adapter.name)
            self.open.add(id(hand))
        return hand


class _Kept(FakeHand):
    shelf: Shelf

    def close(self) -> None:
        with self.shelf.lock:
            self.shelf.open.discard(id(self))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def adapters(tmp_path: Path) -> list[Path]:
    folders = [tmp_path / f"adapter-{n}" for n in range(8)]
    for folder in folders:
        folder.mkdir()
    return folders


def use(hands: Hands, shelf: Shelf, adapter: Path) -> None:
    with hands.held(shelf, adapter, adapter.name) as hand:
        assert hand.adapter_sha256 == adapter.name


def test_an_adapter_in_memory_is_not_loaded_again(shelf: Shelf, adapters: list[Path]) -> None:
    hands = Hands(8 * MEGABYTE)
    for _ in range(3):
        use(hands, shelf, adapters[0])
    assert shelf.loads == ["adapter-0"]


def test_the_least_recently_used_goes_first(shelf: Shelf, adapters: list[Path]) -> None:
    hands = Hands(2 * MEGABYTE)
    for number in (0, 1, 0, 2, 0, 1):
        use(hands, shelf, adapters[number])
    assert shelf.loads == ["adapter-0", "adapter-1", "adapter-2", "adapter-1"]
    assert hands.bytes_held == 2 * MEGABYTE
    assert len(shelf.open) == 2


def test_hands_in_use_are_never_taken_away(shelf: Shelf, adapters: list[Path]) -> None:
    hands = Hands(MEGABYTE)
    with hands.held(shelf, adapters[0], "adapter-0") as first:
        use(hands, shelf, adapters[1])
        use(hands, shelf, adapters[2])
        hands.close()
        assert id(first) in shelf.open
    assert shelf.open == set()
    assert hands.bytes_held == 0


def test_under_concurrency_no_used_hand_is_closed_and_the_bound_holds(shelf: Shelf, adapters: list[Path]) -> None:
    hands = Hands(3 * MEGABYTE)

    def work(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(200):
            adapter = rng.choice(adapters)
            with hands.held(shelf, adapter, adapter.name) as hand:
                assert hand.adapter_sha256 == adapter.name
                assert id(hand) in shelf.open

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert hands.bytes_held <= 3 * MEGABYTE
    assert len(shelf.open) * MEGABYTE == hands.bytes_held


def test_many_who_ask_at_once_load_once(shelf: Shelf, adapters: list[Path]) -> None:
    hands = Hands(8 * MEGABYTE)
    together = threading.Barrier(8)

    def ask(_: int) -> None:
        together.wait()
        use(hands, shelf, adapters[0])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(8)))
    assert shelf.loads == ["adapter-0"]


def test_another_adapter_than_the_one_named_is_refused(shelf: Shelf, adapters: list[Path]) -> None:
    hands = Hands(8 * MEGABYTE)
    with pytest.raises(AdapterInvalid, match="not those"), hands.held(shelf, adapters[0], "another"):
        pass
    assert hands.bytes_held == 0
    assert shelf.open == set()


def test_an_erased_adapter_is_no_longer_served_from_memory(shelf: Shelf, adapters: list[Path]) -> None:
    hands = Hands(8 * MEGABYTE)
    use(hands, shelf, adapters[0])
    adapters[0].rmdir()
    with pytest.raises(AdapterInvalid, match="gone"), hands.held(shelf, adapters[0], "adapter-0"):
        pass
    assert shelf.open == set()


def test_an_adapter_erased_while_it_is_loaded_is_not_served(adapters: list[Path]) -> None:
    class Slow(Shelf):
        def load(self, adapter: Path) -> FakeHand:
            hand = super().load(adapter)
            adapter.rmdir()
            return hand

    slow, hands = Slow(), Hands(8 * MEGABYTE)
    with pytest.raises(AdapterInvalid, match="gone"), hands.held(slow, adapters[0], "adapter-0"):
        pass
    assert slow.loads == ["adapter-0"]
    assert slow.open == set()
    assert hands.bytes_held == 0


def test_an_erased_adapter_leaves_the_memory_although_nobody_asks_for_it_again(
    shelf: Shelf, adapters: list[Path]
) -> None:
    hands = Hands(8 * MEGABYTE)
    use(hands, shelf, adapters[0])
    with hands.held(shelf, adapters[1], "adapter-1"):
        adapters[0].rmdir()
        adapters[1].rmdir()
    assert shelf.open == set()
    assert hands.bytes_held == 0


def test_the_runtime_generates_with_what_it_trained_and_stops_when_the_client_left(
    runtime: LocalRuntime, training: Callable[..., TrainSpec], tmp_path: Path
) -> None:
    result = runtime.train("fake", training(), tmp_path, lambda _: None)
    adapter = tmp_path / result.adapter_dir
    spec = GenerateSpec(request_id="1", adapter_sha256=result.adapter_sha256, brief={"subject": "Stones"}, seeds=(1, 2))
    news: list[Preview | Progress] = []
    one = runtime.generate("fake", adapter, spec, tmp_path, news.append)
    shown = "".join(n.payload["append"] for n in news if isinstance(n, Preview) and n.sample == 0)
    assert (tmp_path / one[0].file.path).read_text(encoding="utf-8") == shown

    def leave(_: Preview | Progress) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        runtime.generate("fake", adapter, spec, tmp_path, leave)
    assert runtime.generate("fake", adapter, spec, tmp_path, lambda _: None) == one
