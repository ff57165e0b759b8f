"""Adapters that are packed once and mapped: the same bits, no private memory, never damaged ones, never erased ones."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from atelier.workshop.contract import AdapterInvalid
from atelier.workshop.engines.text import TextEngine
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.lora import WEIGHTS, adapter_sha256
from atelier.workshop.engines.text.serving import adapters
from atelier.workshop.engines.text.serving.adapters import TextHand, load
from atelier.workshop.engines.text.serving.shelf import PARTIAL_SECONDS, Shelf, shelf

Make = Callable[..., Path]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "shelf"


def bits(hand: TextHand) -> list[bytes]:
    return [layer[name].tobytes() for layer in hand.adapter.layers for name in sorted(layer)]


def files(place: Path) -> list[Path]:
    return sorted(place.iterdir()) if place.is_dir() else []


def test_a_mapped_adapter_has_the_bits_of_one_that_was_packed_in_memory(
    tiny_base: Base, random_adapter: Make, place: Path, tmp_path: Path
) -> None:
    source = random_adapter(1)
    (tmp_path / "in the way").touch()
    unkept = load(source, tiny_base, Shelf(tmp_path / "in the way"))
    first, second = load(source, tiny_base, Shelf(place)), load(source, tiny_base, Shelf(place))
    assert (unkept.mapped, first.mapped, second.mapped) == (False, True, True)
    assert bits(unkept) == bits(first) == bits(second)
    assert {hand.adapter_sha256 for hand in (unkept, first, second)} == {adapter_sha256(source)}
    assert first.adapter.rank == unkept.adapter.rank
    assert first.bytes_held == unkept.bytes_held > 0
    assert len(files(place)) == 1


def test_what_is_kept_is_not_read_and_packed_again(
    tiny_base: Base, random_adapter: Make, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, mine = random_adapter(1), Shelf(place)
    expected = bits(load(source, tiny_base, mine))
    monkeypatch.setattr(adapters, "_read", None)
    assert bits(load(source, tiny_base, mine)) == bits(load(source, tiny_base, Shelf(place))) == expected
    assert (mine.tally.made, mine.tally.mapped) == (1, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_mapped_adapter_takes_no_memory_of_its_own(tiny_base: Base, random_adapter: Make, place: Path) -> None:
    hand = load(random_adapter(1), tiny_base, Shelf(place))
    read = sum(int(part.sum()) for layer in hand.adapter.layers for part in layer.values())
    lines = Path("/proc/self/smaps").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.endswith(files(place)[0].name))
    told = dict(line.split(":", 1) for line in lines[start + 1 : start + 20] if ":" in line)
    assert read > 0
    assert int(told["Rss"].split()[0]) * 1024 >= hand.bytes_held
    assert told["Anonymous"].split()[0] == "0"
    with pytest.raises(ValueError, match="read-only"):
        hand.adapter.layers[0]["up_q"][:] = 0


def later(path: Path) -> None:
    """Change a file's time of change for certain: two writes in one tick of a coarse clock look alike."""
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns + 10**8))


def _end(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 5000)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def _wipe(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))


def _lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def _replace(path: Path) -> None:
    path.write_bytes(b"something else, and not a packed adapter at all" * 100)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_end, _flip, _wipe, _lengthen, _replace, _empty])
@pytest.mark.parametrize("same", [True, False])
def test_a_damaged_file_is_never_served_but_made_anew(
    tiny_base: Base, random_adapter: Make, place: Path, damage: Callable[[Path], None], same: bool
) -> None:
    source, mine = random_adapter(1), Shelf(place)
    expected = bits(load(source, tiny_base, mine))
    (kept,) = files(place)
    whole = kept.read_bytes()
    damage(kept)
    later(kept)
    mine = mine if same else Shelf(place)
    assert bits(load(source, tiny_base, mine)) == expected
    assert mine.tally.damaged == 1
    assert files(place) == [kept]
    assert kept.read_bytes() == whole
    assert bits(load(source, tiny_base, mine)) == expected
    assert mine.tally.damaged == 1


def test_files_that_changed_are_read_again_and_what_was_packed_before_is_removed(
    tiny_base: Base, random_adapter: Make, place: Path
) -> None:
    source, other, mine = random_adapter(1), random_adapter(2), Shelf(place)
    before = load(source, tiny_base, mine)
    shutil.copyfile(other / WEIGHTS, source / WEIGHTS)
    later(source / WEIGHTS)
    after = load(source, tiny_base, mine)
    assert bits(after) == bits(load(other, tiny_base, mine)) != bits(before)
    assert after.adapter_sha256 == adapter_sha256(source) != before.adapter_sha256
    assert len(files(place)) == 3
    mine.sweep()
    assert len(files(place)) == 2


def test_an_adapter_that_became_invalid_is_refused_though_it_was_kept(
    tiny_base: Base, random_adapter: Make, place: Path
) -> None:
    source, mine = random_adapter(1), Shelf(place)
    load(source, tiny_base, mine)
    (source / WEIGHTS).write_bytes((source / WEIGHTS).read_bytes()[:-100])
    with pytest.raises(AdapterInvalid):
        load(source, tiny_base, mine)
    mine.sweep()
    assert files(place) == []


def test_what_was_packed_from_an_erased_adapter_goes_when_it_is_let_go_of(
    tiny_base: Base, random_adapter: Make, place: Path
) -> None:
    mine = Shelf(place)
    sources = [random_adapter(n) for n in range(2)]
    hands = [load(source, tiny_base, mine) for source in sources]
    expected, text = bits(hands[0]), hands[0].adapter
    shutil.rmtree(sources[0])
    for hand in (*hands, *hands):
        hand.close()
    assert len(files(place)) == 1
    assert mine.tally.erased == 1
    # A text in the making keeps its pages.
    assert [layer[name].tobytes() for layer in text.layers for name in sorted(layer)] == expected


def test_what_was_packed_from_an_erased_adapter_that_nobody_holds_is_swept_away(
    tiny_base: Base, random_adapter: Make, place: Path
) -> None:
    gone, kept = random_adapter(1), random_adapter(2)
    for source in (gone, kept):
        load(source, tiny_base, Shelf(place)).close()
    unfinished, fresh = place / "a.partial", place / "b.partial"
    for path in (unfinished, fresh):
        path.touch()
    past = unfinished.stat().st_mtime - PARTIAL_SECONDS - 10
    os.utime(unfinished, (past, past))
    shutil.rmtree(gone)
    load(kept, tiny_base, Shelf(place))  # a worker that begins anew looks around, while it serves
    for _ in range(1000):
        if len(files(place)) == 2:
            break
        time.sleep(0.01)
    assert len([path for path in files(place) if path.suffix == ".packed"]) == 1
    assert [path for path in files(place) if path.suffix == ".partial"] == [fresh]


def test_an_engine_that_tidies_up_keeps_nothing_of_what_is_gone(
    tiny_base: Base, random_adapter: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "cache"))
    gone, kept = random_adapter(1), random_adapter(2)
    for source in (gone, kept):
        load(source, tiny_base, shelf()).close()
    assert len(files(tmp_path / "cache" / "text" / "adapters")) == 2
    shutil.rmtree(gone)
    TextEngine().tidy()
    assert len(files(tmp_path / "cache" / "text" / "adapters")) == 1


def test_the_least_lately_used_go_when_there_are_too_many_bytes(
    tiny_base: Base, random_adapter: Make, place: Path
) -> None:
    sources = [random_adapter(n) for n in range(4)]
    first = load(sources[0], tiny_base, Shelf(place))
    mine = Shelf(place, bytes_max=int(3.5 * files(place)[0].stat().st_size))
    load(sources[1], tiny_base, mine)
    load(sources[2], tiny_base, mine)
    load(sources[0], tiny_base, mine)  # used again, so the second is the oldest now
    load(sources[3], tiny_base, mine)
    assert mine.tally.evicted == 1
    assert mine.bytes_on_disk <= 3.5 * first.bytes_held * 1.2
    made = mine.tally.made
    for number in (0, 2, 3):
        load(sources[number], tiny_base, mine)
    assert mine.tally.made == made
    load(sources[1], tiny_base, mine)
    assert mine.tally.made == made + 1


def test_many_at_once_have_the_same(tiny_base: Base, random_adapter: Make, place: Path) -> None:
    sources = [random_adapter(n) for n in range(3)]
    expected = [bits(load(source, tiny_base, Shelf(place / "other"))) for source in sources]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda n: bits(load(sources[n % 3], tiny_base, Shelf(place))), range(24)))
    assert found == expected * 8
    assert len([path for path in files(place) if path.is_file()]) == 3


def test_this_machines_shelf_is_in_the_cache_folder_and_bounded_by_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_base: Base, random_adapter: Make
) -> None:
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path))
    monkeypatch.setenv("ATELIER_TEXT_ADAPTERS_BYTES", "1")
    for number in range(3):
        load(random_adapter(number), tiny_base)
    assert len(files(tmp_path / "text" / "adapters")) == 1  # never the newest
    assert shelf().tally.evicted == 2
    assert np.isclose(shelf().bytes_on_disk, files(tmp_path / "text" / "adapters")[0].stat().st_size)
