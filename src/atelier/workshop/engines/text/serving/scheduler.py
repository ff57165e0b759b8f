"""Many texts at once over one network: each joins at any step, leaves at any step, and comes out as if alone."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import AdapterInvalid, Busy, Cancelled

from .beginnings import BYTES_MAX, Beginnings
from .drafts import Draft
from .fairness import Turns
from .memory import Memory, base_bytes, past_bytes
from .native.decoder import Adapter, Decoder, Feed
from .ranking import Choice
from .room import check_room

log = logging.getLogger(__name__)

TELL_SECONDS = 600.0
"""A house that serves says in the log what it holds, no more often than this."""
READ_BESIDE = 48
"""Tokens of prompts read in a step that also writes: they cost about as much as the writing itself, so that nobody's
stream stutters. Where nobody writes, a step reads as much as the network takes."""

Prefix = tuple[NDArray[np.float16], NDArray[np.float32]]
"""What reading a prompt left in a slot's past, and the scores of what may follow it."""


@dataclass(frozen=True)
class News:
    """What happened to one sample of a request: `append` may be shown, `steps` were taken."""

    sample: int
    append: str
    steps: int
    done: bool


@dataclass(eq=False)
class Request:
    """Drafts that share an adapter and a prompt. Its maker reads `inbox`: News, or the error that ended it.

    With a choice, the drafts of a sample stand side by side, as many as there are candidates, and are written unseen
    until one of them is chosen; `texts` are the chosen ones.

    `flows` name whom its work counts for (creator, viewer), so that no one of them can crowd out the others; `folder`
    is where the adapter's files are, for a server that loads them itself.
    """

    drafts: Sequence[Draft]
    name: str
    adapter: Adapter | None
    flows: tuple[str, ...] = ()
    folder: Path | None = None
    choice: Choice | None = None
    inbox: queue.SimpleQueue[News | BaseException] = field(default_factory=queue.SimpleQueue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    waiting: deque[int] = field(default_factory=deque)
    prefix: Prefix | None = None
    being_read: bool = False
    chosen: dict[int, Draft] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.waiting.extend(range(self.samples))

    @property
    def candidates(self) -> int:
        """Of each sample."""
        return self.choice.candidates if self.choice else 1

    @property
    def samples(self) -> int:
        return len(self.drafts) // self.candidates

    @property
    def texts(self) -> list[Draft]:
        """One draft a sample: the chosen one, or the first of its candidates while none is chosen."""
        return [self.chosen.get(sample, self.drafts[sample * self.candidates]) for sample in range(self.samples)]

    @property
    def work(self) -> int:
        """Tokens that a sample takes at most."""
        most = self.drafts[0].task.tokens_max
        return most + (self.candidates - 1) * min(most, self.choice.tokens if self.choice else 0)

    @property
    def prompt(self) -> tuple[int, ...]:
        return self.drafts[0].task.prompt


@dataclass(eq=False)
class _Row:
    """A draft that has a slot of the network; `read` tokens of its prompt are in the slot's past, and `unseen` is
    what was written before it was chosen, piece by piece."""

    request: Request
    sample: int
    candidate: int
    slot: int
    read: int = 0
    unseen: list[str] = field(default_factory=list)

    @property
    def draft(self) -> Draft:
        return self.request.drafts[self.sample * self.request.candidates + self.candidate]


class Scheduler:
    """Owns the network in one thread. `submit` from any thread; texts get free slots in fair turns."""

    draft = Draft

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._beginnings = Beginnings(decoder)
        self._changed = threading.Condition()
        self._requests: list[Request] = []  # with drafts that have no slot yet
        self._turns = Turns()
        self._places: dict[Request, int] | None = None  # what `ahead` answers, until somebody comes or goes
        self._free = list(range(decoder.slots))
        self._writing: list[_Row] = []
        self._reading: list[_Row] = []
        self._resting: list[_Row] = []  # candidates that wait to be compared with their rivals
        self._closed = False
        self._told = time.monotonic()
        self._thread = threading.Thread(target=self._serve, name="atelier-text", daemon=True)
        self._thread.start()

    @property
    def candidates_most(self) -> int:
        """How many candidates of a text can be written at once."""
        return self._decoder.slots

    def submit(self, request: Request) -> None:
        """Take a request, and now and then say in the log what is held.

        Errors: Busy as `check_room` says; AdapterInvalid for another's hand.
        """
        if request.folder is not None:
            raise AdapterInvalid("The adapter was loaded to be served elsewhere.", remedy="Load it again.")
        with self._changed:
            if self._closed:
                raise Busy("The engine is stopping.")
            waiting = [(other.flows, len(other.waiting)) for other in self._requests]
            check_room(request.flows, request.samples, waiting)
            self._requests.append(request)
            self._places = None
            self._changed.notify()
            due = time.monotonic() - self._told >= TELL_SECONDS
            self._told = time.monotonic() if due else self._told
        if due:
            log.info("serving: %s", self.memory())

    def ahead(self, request: Request) -> int | None:
        """How many other requests have a turn before this one's first, if nobody else comes; None once it has begun."""
        with self._changed:
            if self._places is None:
                self._places = _foreseen(self._requests, self._turns.copy())
            return self._places.get(request)

    def cancel(self, request: Request) -> None:
        """Stop a request: its place among those who wait is free at once, its slots before the next step."""
        request.cancelled.set()
        with self._changed:
            if request in self._requests:
                self._requests.remove(request)
                self._places = None
            self._changed.notify()

    def memory(self) -> Memory:
        """What is held now, and the most it may become. From any thread."""
        with self._changed:
            rows, waiting = self._rows(), list(self._requests)
        requests = dict.fromkeys((*(row.request for row in rows), *waiting))
        adapters = {id(r.adapter): r.adapter.bytes_held for r in requests if r.adapter is not None}
        return Memory(
            base=base_bytes(self._decoder),
            past_most=past_bytes(self._decoder),
            beginnings=self._beginnings.bytes_held,
            beginnings_most=BYTES_MAX,
            prefixes=sum(prefix[0].nbytes + prefix[1].nbytes for r in requests if (prefix := r.prefix)),
            adapters=sum(adapters.values()),
            adapters_active=len(adapters),
            texts=len(rows),
            waiting=sum(len(request.waiting) for request in waiting),
        )

    def close(self) -> None:
        """End the thread; what is in the making ends with Cancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not (self._closed or self._requests or self._rows()):
                    self._changed.wait()
                if self._closed:
                    self._fail(Cancelled("the engine is stopping"))
                    break
            try:
                self._turn()
            except Exception as error:  # whatever broke, no caller may wait for ever
                with self._changed:
                    self._fail(error)
        self._decoder.close()

    def _turn(self) -> None:
        self._drop_cancelled()
        self._admit()
        writing, reading = list(self._writing), self._share_of_reading()
        feeds = [Feed(row.slot, row.draft.past, (row.draft.last,)) for row in writing]
        for row, count in reading:
            end = row.read + count
            feeds.append(Feed(row.slot, row.read, row.request.prompt[row.read : end], end == len(row.request.prompt)))
        if not feeds:
            return
        logits = iter(self._decoder.step(feeds))
        for row in writing:
            self._advance(row, next(logits))
        for row, count in reading:
            row.read += count
            self._beginnings.remember(row.slot, row.request.name, row.request.prompt, row.read)
            if row.read == len(row.request.prompt):
                self._read(row, next(logits))

    def _rows(self) -> list[_Row]:
        return [*self._writing, *self._reading, *self._resting]

    def _fail(self, error: BaseException) -> None:
        for request in dict.fromkeys((*self._requests, *(row.request for row in self._rows()))):
            request.inbox.put(error)
        self._requests.clear()
        self._places = None
        self._writing, self._reading, self._resting = [], [], []
        self._free = list(range(self._decoder.slots))
        for slot in self._free:
            with contextlib.suppress(Exception):  # it broke just now; what it can still let go of, it does
                self._decoder.set_adapter(slot, None)

    def _drop_cancelled(self) -> None:
        with self._changed:
            kept = [r for r in self._requests if not r.cancelled.is_set()]
            if len(kept) < len(self._requests):
                self._requests, self._places = kept, None
        for row in [row for row in self._rows() if row.request.cancelled.is_set()]:
            self._leave(row)

    def _admit(self) -> None:
        """Give free slots to the candidates of waiting samples, all of a sample at once: the first of a request reads
        its prompt, the others copy what it read."""
        while self._free:
            with self._changed:
                ready = [r for r in self._requests if not r.being_read]
                if not ready:
                    return
                request = self._turns.next(ready, lambda r: r.flows)
                if len(self._free) < request.candidates:
                    return  # nobody passes by, else whoever needs several slots might wait for ever
                sample = request.waiting.popleft()
                if not request.waiting:
                    self._requests.remove(request)
                self._turns.took(request.flows, request.work)
                self._places = None
            rows = [_Row(request, sample, number, self._free.pop()) for number in range(request.candidates)]
            self._reading += rows  # before the network is asked: if it fails, whoever waits must be known
            for row in rows:
                self._decoder.set_adapter(row.slot, request.adapter)
            if request.prefix is None:
                request.being_read = True
                rows[0].read = self._beginnings.recall(rows[0].slot, request.name, request.prompt)
            else:
                self._copy(rows, request.prefix)

    def _share_of_reading(self) -> list[tuple[_Row, int]]:
        """Which prompts are read on in this step, and by how many tokens: whoever came first is done first."""
        room = READ_BESIDE if self._writing else self._decoder.tokens
        shares = []
        for row in self._reading:
            if row.candidate:
                continue  # the first of the candidates reads for all
            count = min(room, len(row.request.prompt) - row.read)
            if count:
                shares.append((row, count))
            room -= count
        return shares

    def _read(self, row: _Row, logits: NDArray[np.float32]) -> None:
        """A prompt was read to its end: its draft begins to write, and the others of the request may."""
        row.request.being_read = False
        rivals = [other for other in self._reading if other.request is row.request and other is not row]
        if row.request.waiting or rivals:
            row.request.prefix = (self._decoder.past(row.slot, 0, row.read), logits.copy())
        self._begin(row, logits)
        if rivals and row.request.prefix:
            self._copy(rivals, row.request.prefix)

    def _copy(self, rows: Sequence[_Row], prefix: Prefix) -> None:
        """Let drafts of one request begin with what another of its drafts read."""
        past, logits = prefix
        for row in rows:
            self._decoder.set_past(row.slot, past, 0)
            row.read = len(row.request.prompt)
            self._begin(row, logits)
        if not rows[0].request.waiting:
            rows[0].request.prefix = None

    def _begin(self, row: _Row, logits: NDArray[np.float32]) -> None:
        self._reading.remove(row)
        self._writing.append(row)
        self._advance(row, logits)

    def _advance(self, row: _Row, logits: NDArray[np.float32]) -> None:
        draft = row.draft
        if row.request.cancelled.is_set():
            return
        try:
            append = draft.advance(logits)
        except Exception as error:  # one text that cannot go on is no matter of the others
            row.request.inbox.put(error)
            row.request.cancelled.set()
            return
        if row.request.choice is None or row.sample in row.request.chosen:
            self._tell(row, append)
            return
        row.unseen.append(append)
        row.request.inbox.put(News(row.sample, "", draft.steps, False))
        if row.request.choice.due(draft):
            self._rest(row, row.request.choice)

    def _rest(self, row: _Row, choice: Choice) -> None:
        """A candidate has written as much as it is judged by. The last of them to rest has one chosen, which goes on;
        the others are given up."""
        self._writing.remove(row)
        self._resting.append(row)
        rivals = [each for each in self._rows() if each.request is row.request and each.sample == row.sample]
        if any(each not in self._resting for each in rivals):
            return
        rivals.sort(key=lambda each: each.candidate)
        best = rivals[choice.best([each.draft for each in rivals])]
        row.request.chosen[row.sample] = best.draft
        for each in rivals:
            if each is not best:
                self._leave(each)
        self._resting.remove(best)
        self._writing.append(best)
        *pieces, last = best.unseen
        for piece in filter(None, pieces):
            row.request.inbox.put(News(row.sample, piece, best.draft.steps, False))
        self._tell(best, last)

    def _tell(self, row: _Row, append: str) -> None:
        done = row.draft.finish is not None
        row.request.inbox.put(News(row.sample, append, row.draft.steps, done))
        if done:
            self._leave(row)

    def _leave(self, row: _Row) -> None:
        """Free a slot, and let go of its adapter."""
        next(rows for rows in (self._writing, self._reading, self._resting) if row in rows).remove(row)
        self._decoder.set_adapter(row.slot, None)
        self._free.append(row.slot)


def _foreseen(requests: Sequence[Request], turns: Turns) -> dict[Request, int]:
    """How many others have a turn before each of the requests that have not begun."""
    waiting, left = list(requests), {request: len(request.waiting) for request in requests}
    places: dict[Request, int] = {}
    while waiting:
        request = turns.next(waiting, lambda each: each.flows)
        places.setdefault(request, len(places))
        turns.took(request.flows, request.work)
        left[request] -= 1
        if not left[request]:
            waiting.remove(request)
    return {request: place for request, place in places.items() if len(request.waiting) == request.samples}
