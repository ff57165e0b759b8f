"""Paints for many requests with one network, in one thread: a picture at a time, each under its creator's adapter.

Adapters of several creators stay on the device side by side, so that a change from one to the next costs no more than
a name. Pictures are not batched: what one request gets then depends on nothing that others ask for.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL import Image

from atelier.workshop.contract import Busy
from atelier.workshop.engines.diffusion.base import Base
from atelier.workshop.engines.diffusion.settings import adapters_most, device, waiting_most

if TYPE_CHECKING:
    from torch import Tensor

    from atelier.workshop.engines.diffusion.lora import DiffusionHand
    from atelier.workshop.engines.diffusion.network import Network
    from atelier.workshop.engines.diffusion.painting import Order

log = logging.getLogger(__name__)

FIRST = 4
"""So many pictures, as many as one request asks for, a viewer may always have waiting while there is room."""
PREVIEWS = 4
"""How often a picture is shown while it is made."""


@dataclass(frozen=True)
class News:
    """What became of one picture: a step done, perhaps with what it looks like by now; at the end the picture itself,
    None where the base's own checker withholds it."""

    sample: int
    steps: int
    picture: Image.Image | None = None
    done: bool = False


@dataclass(eq=False)
class Request:
    """The pictures that one caller asks for, and where it hears of them. `viewer` is who asks, "" for nobody."""

    hand: DiffusionHand
    orders: Sequence[Order]
    viewer: str = ""
    previews: bool = True
    inbox: queue.SimpleQueue[News | BaseException] = field(default_factory=queue.SimpleQueue)
    left: threading.Event = field(default_factory=threading.Event)
    begun: int = 0
    """How many of its pictures were begun."""

    @property
    def waiting(self) -> int:
        return len(self.orders) - self.begun


class _Left(Exception):
    """Whoever asked does not want it any more."""


class Easel:
    """Takes requests from any thread. The network is loaded by the first of them, or by `warm`."""

    def __init__(self, base: Base) -> None:
        self._base, self._most = base, waiting_most()
        self._changed = threading.Condition()
        self._requests: list[Request] = []
        self._warm: Future[None] = Future()
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, request: Request) -> None:
        """Errors: Busy when too many pictures wait, or too many of the same viewer."""
        with self._changed:
            waiting = sum(each.waiting for each in self._requests)
            own = sum(each.waiting for each in self._requests if request.viewer and each.viewer == request.viewer)
            left = self._most - waiting - request.waiting
            if left < 0:
                raise Busy("Too many pictures are wanted just now.", ahead=len(self._requests))
            if own and own + request.waiting > max(FIRST, left):
                raise Busy("Too many pictures of the same person are waiting already.", ahead=len(self._requests))
            self._requests.append(request)
            self._begin()

    def ahead(self, request: Request) -> int:
        """How many other requests will be begun before this one."""
        with self._changed:
            if request not in self._requests:
                return 0
            return sum(each.waiting > 0 for each in self._requests[: self._requests.index(request)])

    def cancel(self, request: Request) -> None:
        """Forget a request; a picture that is being made for it ends with its next step."""
        request.left.set()
        with self._changed:
            if request in self._requests:
                self._requests.remove(request)

    def warm(self) -> None:
        """Load the network, and wait until that is done. Errors: EngineUnavailable."""
        with self._changed:
            self._begin()
            loaded = self._warm
        loaded.result()

    def close(self) -> None:
        """End the thread with its next step; who waits is told."""
        with self._changed:
            self._closed = True
            requests, self._requests = self._requests, []
            self._changed.notify_all()
            thread = self._thread
        for request in requests:
            request.left.set()
            request.inbox.put(Busy("Serving was stopped."))
        if thread is not None:
            thread.join(timeout=10)

    def _begin(self) -> None:
        """With the lock held: see to it that somebody works."""
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._work, name="easel", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    # In the thread --------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            rack = self._loaded()
        except BaseException as error:
            self._give_up(error)
            return
        self._warm.set_result(None)
        while (next_one := self._next()) is not None:
            request, number = next_one
            try:
                _paint(rack, request, number)
            except _Left:
                continue
            except BaseException as error:  # It is the caller's to know, and the next picture may well succeed.
                self.cancel(request)
                request.inbox.put(error)

    def _loaded(self) -> _Rack:
        from atelier.workshop.engines.diffusion.network import Network

        return _Rack(Network(self._base, device()), adapters_most())

    def _give_up(self, error: BaseException) -> None:
        """Tell all who wait; the next request tries again."""
        log.error("the base cannot be loaded: %s", error)
        with self._changed:
            requests, self._requests = self._requests, []
            failed, self._warm, self._thread = self._warm, Future(), None
        failed.set_exception(error)
        for request in requests:
            request.inbox.put(error)

    def _next(self) -> tuple[Request, int] | None:
        """The next picture: a request's first before another's second. None when all is over."""
        with self._changed:
            while not self._closed and not any(each.waiting for each in self._requests):
                self._changed.wait()
            if self._closed:
                return None
            request = min((each for each in self._requests if each.waiting), key=lambda each: each.begun)
            request.begun += 1
            self._requests = [each for each in self._requests if each.waiting]
            return request, request.begun - 1


class _Rack:
    """The adapters that are on the device: as many as fit, the least recently worn let go first."""

    def __init__(self, network: Network, most: int) -> None:
        self.network, self._most = network, most
        self._held: OrderedDict[str, None] = OrderedDict()

    def wear(self, hand: DiffusionHand) -> None:
        name = f"a{hand.adapter_sha256[:32]}"
        if name in self._held:
            self._held.move_to_end(name)
            self.network.wear(name)
            return
        while len(self._held) >= self._most:
            self.network.drop(self._held.popitem(last=False)[0])
        self.network.put_on(name, hand.weights)
        self._held[name] = None


def _paint(rack: _Rack, request: Request, number: int) -> None:
    from atelier.workshop.engines.diffusion.painting import paint

    order = request.orders[number]
    parts = range(1, PREVIEWS + 1) if request.previews else ()
    shown = {round(order.steps * part / (PREVIEWS + 1)) for part in parts}

    def told(steps: int, latent: Tensor) -> None:
        if request.left.is_set():
            raise _Left
        picture = rack.network.picture(latent) if steps in shown and steps < order.steps else None
        request.inbox.put(News(number, steps, picture))

    if request.left.is_set():
        raise _Left
    rack.wear(request.hand)
    request.inbox.put(News(number, order.steps, paint(rack.network, order, told), done=True))
