"""A network that counts instead of thinking, and requests for it: what schedulers are tested with."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from atelier.workshop.engines.text.serving.drafts import Draft, Task
from atelier.workshop.engines.text.serving.native.decoder import Feed
from atelier.workshop.engines.text.serving.sampling import Sampling
from atelier.workshop.engines.text.serving.scheduler import READ_BESIDE, News, Request
from atelier.workshop.guardrails import find

WORDS = ["<end>", " the", " mug", " is", " blue", ".", " bad", " then", " gun", " run"]
END = 0


def decode(tokens: Sequence[int]) -> str:
    return "".join(WORDS[token] for token in tokens)


def task(tokens_max: int = 40, forbidden: tuple[str, ...] = (), **changes: Any) -> Task:
    given = {
        "prompt": (1,),
        "tokens_max": tokens_max,
        "eos": END,
        "specials": frozenset(),
        "decode": decode,
        "forbidden": (lambda text: find(text, forbidden) is not None) if forbidden else None,
        "hold": max((len(phrase.split()) for phrase in forbidden), default=1),
        "window": 20,
        "sampling": Sampling(temperature=0, repetition=1),
    }
    return Task(**{**given, **changes})


class CountingDecoder:
    """Answers with scores that depend on all tokens of a slot; checks that slots are used as the real one needs."""

    tokens = 64

    def __init__(self, slots: int, gate: threading.Event | None = None) -> None:
        self.slots, self.gate = slots, gate
        self.fed: list[list[int]] = [[] for _ in range(slots)]
        self.adapters: list[Any] = [None] * slots
        self.steps: list[int] = []
        self.read = 0
        self.closed = False

    def step(self, feeds: Sequence[Feed]) -> np.ndarray:
        if self.gate:
            self.gate.wait(10)
        assert sum(len(feed.tokens) for feed in feeds) <= self.tokens
        assert len({feed.slot for feed in feeds}) == len(feeds)
        writing = [feed for feed in feeds if len(feed.tokens) == 1 and feed.scored]
        self.steps.append(len(feeds))
        if writing and len(writing) < len(feeds):
            assert sum(len(feed.tokens) for feed in feeds if feed not in writing) <= READ_BESIDE
        for feed in feeds:
            assert len(self.fed[feed.slot]) >= feed.position, "the past of a slot was lost"
            self.fed[feed.slot] = [*self.fed[feed.slot][: feed.position], *feed.tokens]
            self.read += len(feed.tokens)
        return np.array([self._scores(feed.slot) for feed in feeds if feed.scored])

    def _scores(self, slot: int) -> np.ndarray:
        seed = [*self.fed[slot], sum(map(ord, str(self.adapters[slot])))]
        scores = np.random.default_rng(seed).standard_normal(len(WORDS)).astype(np.float32)
        scores[END] -= 1.5
        return scores

    def set_adapter(self, slot: int, adapter: object) -> None:
        self.adapters[slot] = adapter

    def past(self, slot: int, start: int, end: int) -> np.ndarray:
        assert start % 16 == 0
        return np.array(self.fed[slot][start:end])

    def set_past(self, slot: int, saved: np.ndarray, start: int) -> None:
        assert len(self.fed[slot]) >= start, "the past of a slot was lost"
        self.fed[slot] = [*self.fed[slot][:start], *saved.tolist()]

    def close(self) -> None:
        self.closed = True


def request(number: int, seeds: int = 2, **changes: Any) -> Request:
    prompt = tuple(1 + (number + i) % 8 for i in range(5 + 23 * number))
    sampling = Sampling(temperature=1, top_k=8)
    given = task(**{"tokens_max": 30, "prompt": prompt, "sampling": sampling, **changes})
    name: Any = f"adapter {number}"
    return Request([Draft(given, seed=10 * number + i) for i in range(seeds)], name, name, flows=(name,))


class Noting(queue.SimpleQueue):  # type: ignore[type-arg]
    """An inbox that notes in a list, by its name, every text of its request that ended."""

    def __init__(self, name: str, order: list[str]) -> None:
        super().__init__()
        self.name, self.order = name, order

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if isinstance(item, News) and item.done:
            self.order.append(self.name)
        super().put(item)


def finished(asked: Request) -> list[tuple[str, str | None]]:
    left = len(asked.drafts)
    while left:
        item = asked.inbox.get(timeout=30)
        if isinstance(item, BaseException):
            raise item
        left -= item.done
    return [(draft.text, draft.finish) for draft in asked.drafts]


def alone(asked: Request) -> list[tuple[str, str | None]]:
    """What a request gives by the rules of a draft only, without a scheduler."""
    for draft in asked.drafts:
        decoder = CountingDecoder(1)
        decoder.set_adapter(0, asked.adapter)
        for start in range(0, len(asked.prompt) - 1, READ_BESIDE):
            end = min(start + READ_BESIDE, len(asked.prompt) - 1)
            decoder.step([Feed(0, start, asked.prompt[start:end], scored=False)])
        while draft.finish is None:
            draft.advance(decoder.step([Feed(0, draft.past, (draft.last,))])[0])
    return [(draft.text, draft.finish) for draft in asked.drafts]
