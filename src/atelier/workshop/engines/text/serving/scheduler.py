"""Many texts at once over one network: each joins at any step, leaves at any step, and comes out as if alone."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import Busy, Cancelled

from .adapters import Parts
from .beginnings import Beginnings
from .drafts import Draft
from .network import Network

CHUNK = 32
"""Tokens of a prompt read between two steps, so that texts in the making never wait long for a newcomer. Fixed: where
a prompt is divided changes its last bits, so the division may not depend on who else is served."""

WAITING_MAX = 64
"""Texts that may wait for a row before a request is turned away."""


@dataclass(frozen=True)
class News:
    """What happened to one draft of a request: `append` may be shown, `steps` were taken."""

    sample: int
    append: str
    steps: int
    done: bool


@dataclass(eq=False)
class Request:
    """Drafts that share an adapter and a prompt. Its maker reads `inbox`: News, or the error that ended it."""

    drafts: Sequence[Draft]
    adapter: str
    parts: Parts
    inbox: queue.SimpleQueue[News | BaseException] = field(default_factory=queue.SimpleQueue)
    cancelled: threading.Event = field(default_factory=threading.Event)
    waiting: deque[int] = field(default_factory=deque)
    prefix: tuple[list[NDArray[np.float32]], NDArray[np.float32]] | None = None

    def __post_init__(self) -> None:
        self.waiting.extend(range(len(self.drafts)))

    @property
    def prompt(self) -> tuple[int, ...]:
        return self.drafts[0].task.prompt


@dataclass(eq=False)
class _Row:
    """A draft that has a row of the network; `read` tokens of its prompt are in the row's past."""

    request: Request
    sample: int
    place: int
    read: int = 0

    @property
    def draft(self) -> Draft:
        return self.request.drafts[self.sample]


class Scheduler:
    """Owns the network in one thread. `submit` from any thread; requests take turns for free rows."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._beginnings = Beginnings(network, CHUNK)
        self._changed = threading.Condition()
        self._requests: deque[Request] = deque()  # with drafts that have no row yet, the next one first
        self._writing: list[_Row] = []  # at rows 0..n-1, in this order
        self._reading: _Row | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name="atelier-text", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> None:
        """Take a request. Errors: Busy when too many texts wait already."""
        with self._changed:
            if self._closed:
                raise Busy("The engine is stopping.")
            waiting = sum(len(other.waiting) for other in self._requests)
            if waiting + len(request.drafts) > WAITING_MAX:
                raise Busy("Too many texts are being written just now.", ahead=len(self._requests))
            self._requests.append(request)
            self._changed.notify()

    def ahead(self, request: Request) -> int:
        """How many requests will have a turn before this one; 0 once it has begun."""
        with self._changed:
            place = self._requests.index(request) if request in self._requests else 0
            return place if len(request.waiting) == len(request.drafts) else 0

    def cancel(self, request: Request) -> None:
        """Stop a request: its rows are free before the next step."""
        request.cancelled.set()
        with self._changed:
            self._changed.notify()

    def close(self) -> None:
        """End the thread; what is in the making ends with Cancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not (self._closed or self._requests or self._writing or self._reading):
                    self._changed.wait()
                if self._closed:
                    self._fail(Cancelled("the engine is stopping"))
                    return
            try:
                self._turn()
            except Exception as error:  # whatever broke, no caller may wait for ever
                with self._changed:
                    self._fail(error)

    def _turn(self) -> None:
        self._drop_cancelled()
        if self._reading is None:
            self._admit()
        if self._reading is not None:
            self._read_on(self._reading)
        if self._writing:
            self._write_on()

    def _fail(self, error: BaseException) -> None:
        rows = [*self._writing, *([self._reading] if self._reading else [])]
        for request in {id(r): r for r in (*self._requests, *(row.request for row in rows))}.values():
            request.inbox.put(error)
        self._requests.clear()
        self._writing, self._reading = [], None

    def _drop_cancelled(self) -> None:
        with self._changed:
            if any(request.cancelled.is_set() for request in self._requests):
                self._requests = deque(r for r in self._requests if not r.cancelled.is_set())
        if self._reading is not None and self._reading.request.cancelled.is_set():
            self._reading = None
        for row in [row for row in self._writing if row.request.cancelled.is_set()]:
            self._leave(row)

    def _admit(self) -> None:
        """Give free rows to waiting drafts: the first of a request reads its prompt, the others copy what it read."""
        while self._reading is None and len(self._writing) < self._network.rows:
            with self._changed:
                if not self._requests:
                    return
                request = self._requests.popleft()
                sample = request.waiting.popleft()
                if request.waiting:
                    self._requests.append(request)
            row = _Row(request, sample, place=len(self._writing))
            self._network.set_adapter(row.place, request.adapter, request.parts)
            if request.prefix is None:
                row.read = self._beginnings.recall(row.place, request.adapter, request.prompt)
                self._reading = row
            else:
                past, logits = request.prefix
                self._network.set_past(row.place, past, 0)
                self._begin(row, logits)

    def _read_on(self, row: _Row) -> None:
        prompt = row.request.prompt
        chunk = np.array(prompt[row.read : row.read + CHUNK], np.int64)
        logits = self._network.feed(row.place, chunk, row.read)
        row.read += len(chunk)
        self._beginnings.remember(row.place, row.request.adapter, prompt, row.read)
        if row.read < len(prompt):
            return
        self._reading = None
        if row.request.waiting:
            row.request.prefix = (self._network.past(row.place, 0, row.read), logits.copy())
        place = len(self._writing)
        if row.place != place:  # others left while it was reading
            self._network.move(row.place, place, row.read)
            row.place = place
        self._begin(row, logits)

    def _begin(self, row: _Row, logits: NDArray[np.float32]) -> None:
        if not row.request.waiting:
            row.request.prefix = None
        self._writing.append(row)
        self._advance(row, logits)

    def _write_on(self) -> None:
        rows = list(self._writing)
        tokens = np.array([row.draft.last for row in rows], np.int64)
        pasts = np.array([row.draft.past for row in rows], np.int32)
        logits = self._network.step(tokens, pasts)
        for row, scores in zip(rows, logits, strict=True):
            self._advance(row, scores)

    def _advance(self, row: _Row, logits: NDArray[np.float32]) -> None:
        draft = row.draft
        append = draft.advance(logits)
        done = draft.finish is not None
        row.request.inbox.put(News(row.sample, append, draft.steps, done))
        if done:
            self._leave(row)

    def _leave(self, row: _Row) -> None:
        """Free a row; the last one moves into its place, so that rows stay 0..n-1."""
        last = self._writing.pop()
        if last is not row:
            # One more than its draft knows of: in the middle of a step the newest token is fed but not yet answered.
            self._network.move(last.place, row.place, last.draft.past + 1)
            last.place = row.place
            self._writing[row.place] = last
