"""Writes texts for the proof, the way buyers are served: the same network in C, the same drafts, all in one batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from .base import Base
from .efforts import WRITE_AT_ONCE, WRITE_EFFORT
from .serving.drafts import Draft, Task
from .serving.native.decoder import Adapter, Feed
from .serving.network import network


@dataclass(frozen=True)
class Order:
    """One text to be written: what it is to be, by which adapter, and the seed it is drawn by."""

    task: Task
    adapter: Adapter | None
    seed: int


def write(base: Base, orders: Sequence[Order], threads: int, wrote: Callable[[float], None]) -> list[str]:
    """One text for each order; the same order gives the same text, whatever else is ordered. Calls `wrote` with the
    effort of each step; what it raises ends the writing."""
    texts: list[str] = []
    for begin in range(0, len(orders), WRITE_AT_ONCE):
        texts += _batch(base, orders[begin : begin + WRITE_AT_ONCE], threads, wrote)
    return texts


def _batch(base: Base, orders: Sequence[Order], threads: int, wrote: Callable[[float], None]) -> list[str]:
    drafts = [Draft(order.task, order.seed) for order in orders]
    length = max(len(order.task.prompt) + order.task.tokens_max for order in orders)
    with closing(network(base, slots=len(orders), length=length + 1, threads=threads, tokens=length)) as decoder:
        for slot, (order, draft) in enumerate(zip(orders, drafts, strict=True)):
            decoder.set_adapter(slot, order.adapter)
            draft.advance(decoder.step([Feed(slot, 0, order.task.prompt)])[0])
            wrote(len(order.task.prompt))
        while live := [(slot, draft) for slot, draft in enumerate(drafts) if draft.finish is None]:
            logits = decoder.step([Feed(slot, draft.past, (draft.last,)) for slot, draft in live])
            for (_, draft), scores in zip(live, logits, strict=True):
                draft.advance(scores)
            wrote(WRITE_EFFORT)
    return [draft.text for draft in drafts]
