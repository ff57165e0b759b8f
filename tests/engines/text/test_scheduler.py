"""Whose turn it is, what those who wait are told, and that nothing one request does is felt by another."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from counting import CountingDecoder, alone, decode, finished, request, task

from atelier.workshop.contract import Busy, Cancelled, GenerateSpec, Preview, Progress
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.serving.adapters import TextHand, load
from atelier.workshop.engines.text.serving.beginnings import CHUNK
from atelier.workshop.engines.text.serving.delivery import deliver
from atelier.workshop.engines.text.serving.drafts import Draft
from atelier.workshop.engines.text.serving.native.decoder import Adapter, Decoder, Feed
from atelier.workshop.engines.text.serving.native.packing import packed_base
from atelier.workshop.engines.text.serving.room import WIDE_MAX
from atelier.workshop.engines.text.serving.sampling import Sampling
from atelier.workshop.engines.text.serving.scheduler import Request, Scheduler


class NotingDecoder(CountingDecoder):
    """Notes whose texts were given slots, in order, and says when it was first asked for a step."""

    def __init__(self, slots: int, gate: threading.Event | None = None) -> None:
        super().__init__(slots, gate)
        self.turns: list[Any] = []
        self.asked = threading.Event()

    def set_adapter(self, slot: int, adapter: object) -> None:
        if adapter is not None:
            self.turns.append(adapter)
        super().set_adapter(slot, adapter)

    def step(self, feeds: Sequence[Feed]) -> np.ndarray:
        self.asked.set()
        return super().step(feeds)


def by(viewer: str, number: int, seeds: int = 1) -> Request:
    """A request to one and the same creator; its adapter's name tells it from the others."""
    asked = request(1, seeds=seeds)
    asked.adapter = f"{viewer} {number}"  # type: ignore[assignment]
    asked.flows = ("creator", f"viewer {viewer}")
    return asked


# Turns --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("slots", "seeds"), [(1, 1), (1, 4), (3, 1), (3, 4)])
def test_thirty_texts_of_one_viewer_hold_up_anothers_one_by_no_more_than_a_turn(slots: int, seeds: int) -> None:
    gate = threading.Event()
    decoder = NotingDecoder(slots, gate)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    crowd = [by("crowd", number, seeds) for number in range(32 // seeds)]
    for asked in crowd:
        scheduler.submit(asked)
    assert decoder.asked.wait(10)
    held = len(decoder.turns)
    lone = by("lone", 0)
    scheduler.submit(lone)
    gate.set()
    finished(lone)
    assert decoder.turns.index("lone 0") <= held + 1
    for asked in crowd:
        finished(asked)
    assert len(decoder.turns) == 33
    scheduler.close()


def test_those_who_wait_are_told_how_many_turns_come_first_and_those_who_write_nothing() -> None:
    gate = threading.Event()
    decoder = NotingDecoder(1, gate)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    first, *crowd = [by("crowd", number) for number in range(5)]
    scheduler.submit(first)
    assert decoder.asked.wait(10)
    for asked in crowd:
        scheduler.submit(asked)
    assert [scheduler.ahead(asked) for asked in (first, *crowd)] == [None, 0, 1, 2, 3]
    lone = by("lone", 0)
    scheduler.submit(lone)
    assert [scheduler.ahead(asked) for asked in (lone, *crowd)] == [0, 1, 2, 3, 4]
    gate.set()
    for asked in (lone, *crowd):
        finished(asked)
    assert decoder.turns == ["crowd 0", "lone 0", "crowd 1", "crowd 2", "crowd 3", "crowd 4"]
    assert scheduler.ahead(lone) is None
    scheduler.close()


class StandIn:
    """A scheduler that never writes: it says how many are ahead, fewer each time, and then ends what it was given."""

    draft = Draft
    candidates_most = 1

    def __init__(self) -> None:
        self.given: list[Request] = []
        self.left = 2

    def submit(self, asked: Request) -> None:
        self.given.append(asked)

    def ahead(self, asked: Request) -> int | None:
        self.left -= 1
        if self.left < 0:
            asked.inbox.put(Cancelled("enough"))
            return None
        return self.left

    def cancel(self, asked: Request) -> None:
        asked.cancelled.set()


def test_a_viewer_is_a_flow_beside_the_creator_and_learns_how_many_are_ahead(tiny_base: Base, tmp_path: Path) -> None:
    scheduler, hand, news = StandIn(), TextHand("a" * 64, Adapter((), 16)), list[Preview | Progress]()
    spec = GenerateSpec(request_id="r", adapter_sha256="a" * 64, brief={"subject": "tea"}, seeds=(1,))
    for viewer in ("", "somebody", "a" * 64):
        with pytest.raises(Cancelled):
            deliver(
                scheduler,  # type: ignore[arg-type]
                tiny_base,
                hand,
                spec.model_copy(update={"viewer": viewer}),
                tmp_path,
                news.append,
                Sampling(),
            )
        scheduler.left = 2
    flows = [asked.flows for asked in scheduler.given]
    assert [len(each) for each in flows] == [1, 2, 2]
    assert len({flow for each in flows for flow in each}) == 3
    told = [item.ahead for item in news if isinstance(item, Progress)]
    assert told[:4] == [None, 1, 0, None]
    assert all(item.note == "" for item in news if isinstance(item, Progress))


def test_cancelling_makes_room_for_others_at_once() -> None:
    gate = threading.Event()
    decoder = NotingDecoder(1, gate)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    scheduler.submit(first := by("first", 0))
    assert decoder.asked.wait(10)  # from here on the network stands still, and so does whoever serves
    crowd = [by(f"crowd {number}", number, seeds=4) for number in range(WIDE_MAX // 4)]
    for asked in crowd:
        scheduler.submit(asked)
    with pytest.raises(Busy, match="creator") as caught:
        scheduler.submit(by("late", 0))
    assert caught.value.ahead == len(crowd)
    scheduler.cancel(crowd[3])
    scheduler.submit(late := by("late", 0))
    assert scheduler.ahead(crowd[3]) is None
    assert scheduler.ahead(crowd[4]) == 3
    gate.set()
    for asked in (first, late, *crowd[:3], *crowd[4:]):
        finished(asked)
    assert "crowd 3 3" not in decoder.turns
    scheduler.close()


def test_what_is_held_is_told_now_and_then_and_let_go_of(
    tiny_base: Base,
    random_adapter: Callable[..., Path],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level("INFO")
    decoder = Decoder(tiny_base, slots=2, length=256, threads=1)
    step, gate, stands = decoder.step, threading.Event(), threading.Event()

    def waits(feeds: Sequence[Feed]) -> np.ndarray:
        stands.set()
        assert gate.wait(10)
        return step(feeds)

    decoder.step = waits  # type: ignore[method-assign]
    scheduler = Scheduler(decoder)
    hand = load(random_adapter(1), tiny_base)
    before = scheduler.memory()
    assert (before.texts, before.waiting, before.adapters, before.beginnings, before.prefixes) == (0, 0, 0, 0, 0)
    assert before.base == sum(each.data.nbytes for each in packed_base(tiny_base).values())
    assert before.past_most == 2 * 2 * 2 * 256 * 2 * 16
    asked = request(3, seeds=4, prompt=tuple(range(100)), decode=lambda tokens: " word" * len(tokens))
    asked.adapter = hand.adapter
    scheduler.submit(asked)
    assert stands.wait(10)
    during = scheduler.memory()
    gate.set()
    finished(asked)
    again = request(0, seeds=1, decode=lambda tokens: " word" * len(tokens))
    again.adapter = None
    assert not caplog.messages
    monkeypatch.setattr("atelier.workshop.engines.text.serving.scheduler.TELL_SECONDS", 0)
    scheduler.submit(again)
    assert [message.startswith("serving: base") for message in caplog.messages] == [True]
    finished(again)  # by now whoever serves is done with the first
    after = scheduler.memory()
    assert (during.adapters, during.adapters_active) == (hand.bytes_held, 1)
    assert (during.texts, during.waiting) == (1, 3)
    assert after.beginnings == 3 * 2 * 2 * 2 * CHUNK * 16
    assert (after.adapters, after.prefixes, after.waiting) == (0, 0, 0)
    assert "MB mapped" in str(after)
    scheduler.close()


# What breaks --------------------------------------------------------------------------------------------------------


def broken_at(place: int) -> Callable[[Sequence[int]], str]:
    def breaks(tokens: Sequence[int]) -> str:
        if len(tokens) >= place:
            raise UnicodeError("no such word")
        return decode(tokens)

    return breaks


@pytest.mark.parametrize("place", [1, 2, 9])
@pytest.mark.parametrize("slots", [1, 2, 5])
def test_a_text_that_breaks_ends_its_own_request_only(place: int, slots: int) -> None:
    decoder = CountingDecoder(slots)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    before, broken, after = request(1), request(2, seeds=4, decode=broken_at(place)), request(3)
    for asked in (before, broken, after):
        scheduler.submit(asked)
    with pytest.raises(UnicodeError, match="no such word"):
        finished(broken)
    assert [finished(asked) for asked in (before, after)] == [alone(request(1)), alone(request(3))]
    _all_slots_are_there(scheduler, decoder)
    scheduler.close()


@pytest.mark.parametrize("verb", ["set_adapter", "past", "set_past"])
def test_a_network_that_breaks_between_steps_is_told_to_whoever_waits(verb: str) -> None:
    decoder = CountingDecoder(1)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    sound = getattr(decoder, verb)

    def breaks(*_arguments: object) -> None:
        setattr(decoder, verb, sound)
        raise MemoryError("no room")

    setattr(decoder, verb, breaks)
    asked = request(3, seeds=1 if verb == "set_adapter" else 2)
    scheduler.submit(asked)
    with pytest.raises(MemoryError):
        finished(asked)
    again = request(3)
    scheduler.submit(again)
    assert finished(again) == alone(request(3))
    _all_slots_are_there(scheduler, decoder)
    scheduler.close()


def _all_slots_are_there(scheduler: Scheduler, decoder: CountingDecoder) -> None:
    """As many texts are written in one step as there are slots."""
    decoder.steps.clear()
    whole = request(0, seeds=decoder.slots)
    scheduler.submit(whole)
    finished(whole)
    assert max(decoder.steps) == decoder.slots


# A long crowded while -----------------------------------------------------------------------------------------------

REQUESTS, CALLERS, SLOTS = 200, 6, 5


def _wanted(number: int) -> tuple[Callable[[], Request], int | None]:
    """How to make request `number`, and after how many news its caller leaves, or None."""
    chance = random.Random(number)
    creator, length = chance.randrange(7), chance.randint(1, 150)
    prompt = tuple(1 + (creator + place * place) % 8 for place in range(length))
    words = ["bad", "gun", "mug is", "blue", "run"]
    changes: dict[str, Any] = {
        "tokens_max": chance.randint(3, 45),
        "forbidden": tuple(chance.sample(words, chance.choice([0, 0, 1, 2]))),
        "prompt": prompt,
        "sampling": Sampling(temperature=chance.choice([0.0, 1.0, 2.0]), top_k=8, repetition=chance.choice([1.0, 1.2])),
        "reveal": chance.choice([0.2, 1.0]),
    }
    if chance.random() < 0.08:
        changes["decode"] = broken_at(6)
    seeds, viewer = chance.randint(1, 3), f"viewer {chance.randrange(5)}"
    leaves = chance.randint(0, 20) if chance.random() < 0.2 else None

    def make() -> Request:
        given, name = task(**changes), f"adapter {creator}"
        adapter: Any = name
        return Request([Draft(given, seed=number + i) for i in range(seeds)], name, adapter, flows=(name, viewer))

    return make, leaves


def _alone(make: Callable[[], Request]) -> object:
    return alone(make())


def _ended(texts: Callable[[], object]) -> object:
    try:
        return texts()
    except UnicodeError:
        return "broken"


def _call(scheduler: Scheduler, numbers: Sequence[int], ends: dict[int, object]) -> None:
    """Keep three requests under way at a time, leaving some; note how each ended."""
    under_way: list[int] = []
    asked: dict[int, Request] = {}

    def end(number: int) -> None:
        leaves = _wanted(number)[1]
        if leaves is None:
            ends[number] = _ended(lambda: finished(asked[number]))
            return
        for _ in range(leaves):
            if isinstance(item := asked[number].inbox.get(timeout=30), BaseException) or item.done:
                break
        scheduler.cancel(asked[number])
        ends[number] = "left"

    for number in numbers:
        asked[number] = _wanted(number)[0]()
        while True:
            try:
                scheduler.submit(asked[number])
                break
            except Busy:
                if under_way:
                    end(under_way.pop(0))
                else:
                    time.sleep(0.001)
        under_way.append(number)
        if len(under_way) == 3:
            end(under_way.pop(0))
    for number in under_way:
        end(number)


def test_in_a_long_crowded_while_every_text_is_what_it_is_alone_and_no_slot_is_lost() -> None:
    decoder = CountingDecoder(SLOTS)
    scheduler = Scheduler(decoder)  # type: ignore[arg-type]
    ends: dict[int, object] = {}
    callers = [
        threading.Thread(target=_call, args=(scheduler, range(first, REQUESTS, CALLERS), ends), daemon=True)
        for first in range(CALLERS)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=60)
    assert sorted(ends) == list(range(REQUESTS))
    for number in range(REQUESTS):
        make, leaves = _wanted(number)
        assert ends[number] == ("left" if leaves is not None else _ended(partial(_alone, make)))
    assert {"left", "broken"} <= {end for end in ends.values() if isinstance(end, str)}
    assert sum(isinstance(end, list) for end in ends.values()) > REQUESTS / 2
    _all_slots_are_there(scheduler, decoder)
    scheduler.close()
    assert decoder.adapters == [None] * SLOTS
