"""This project's own server: the scheduler over the network in C. Needs: the checkout's own environment."""

from __future__ import annotations

import queue
import time
from pathlib import Path
from typing import Any

from protocol import Token, main

from atelier.workshop.engines.text.base import base
from atelier.workshop.engines.text.serving.adapters import load
from atelier.workshop.engines.text.serving.delivery import LENGTH
from atelier.workshop.engines.text.serving.drafts import Draft, Task
from atelier.workshop.engines.text.serving.network import network
from atelier.workshop.engines.text.serving.sampling import Sampling
from atelier.workshop.engines.text.serving.scheduler import News, Request, Scheduler

GREEDY = Sampling(temperature=0, repetition=1)
SAMPLED = Sampling(temperature=0.8, top_k=40, top_p=0.95, repetition=1)
Told = tuple[int, int, float, "BaseException | None"]


class Inbox(queue.SimpleQueue):  # type: ignore[type-arg]
    """A request's inbox that notes in one common queue how long the text was when news came."""

    def __init__(self, number: int, draft: Draft, common: queue.SimpleQueue[Told]) -> None:
        super().__init__()
        self.number, self.draft, self.common = number, draft, common

    def put(self, item: News | BaseException, block: bool = True, timeout: float | None = None) -> None:
        error = item if isinstance(item, BaseException) else None
        self.common.put((self.number, len(self.draft.tokens), time.perf_counter(), error))


class Ours:
    """The scheduler as the site runs it, at the place where streams read from it."""

    together = True

    def __init__(self, job: dict[str, Any]) -> None:
        self.source = base()
        self.hands = [load(Path(folder), self.source) for folder in job["adapters"]]
        self.scheduler = Scheduler(network(self.source, slots=16, length=LENGTH, threads=job["threads"]))
        self.settings = f"continuous batching of 16, 4-bit base, 8-bit adapters, {job['threads']} threads"
        # No token that ends a text is ever taken, so that every server writes as much.
        self.never = frozenset(self.source.tokenizer().get_added_tokens_decoder()) | {self.source.config.eos}
        self.told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self.held: dict[int, tuple[Request, int]] = {}

    def begin(self, number: int, prompt: list[int], adapter: int, tokens: int, sampled: bool) -> None:
        hand, decode = self.hands[adapter], self.source.tokenizer().decode
        how = SAMPLED if sampled else GREEDY
        task = Task(tuple(prompt), tokens, self.source.config.eos, self.never, decode, sampling=how)
        draft = Draft(task, number)
        # A flow of its own: the other servers know no fair turns either.
        request = Request([draft], hand.adapter_sha256, hand.adapter, flows=(str(number),))
        request.inbox = Inbox(number, draft, self.told)
        self.held[number] = request, 0
        self.scheduler.submit(request)

    def step(self, wait: float) -> list[Token]:
        try:
            told = [self.told.get(timeout=wait)]
            while not self.told.empty():
                told.append(self.told.get_nowait())
        except queue.Empty:
            return []
        found: list[Token] = []
        for number, count, when, error in told:
            if number in self.held:
                if error is not None:
                    raise error
                request, seen = self.held[number]
                self.held[number] = request, count
                found += [(number, token, when) for token in request.drafts[0].tokens[seen:count]]
        return found

    def end(self, number: int) -> None:
        request, _ = self.held.pop(number)
        self.scheduler.cancel(request)
        while any(row.request is request for row in (*self.scheduler._writing, *self.scheduler._reading)):
            time.sleep(0.0005)  # what is given up must be gone before the next task is timed
        while not self.held and not self.told.empty():
            self.told.get()


if __name__ == "__main__":
    main(Ours)
