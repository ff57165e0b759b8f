"""This project's own server: the scheduler over the network in C, sampling and streaming included."""

from __future__ import annotations

import json
import queue
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from atelier.workshop.engines.text.base import base
from atelier.workshop.engines.text.serving.adapters import TextHand, load
from atelier.workshop.engines.text.serving.drafts import Draft, Task
from atelier.workshop.engines.text.serving.native.decoder import Decoder
from atelier.workshop.engines.text.serving.sampling import Sampling
from atelier.workshop.engines.text.serving.scheduler import Request, Scheduler

DRAWN = {"greedy": Sampling(temperature=0, repetition=1), "sampled": Sampling(temperature=0.8, top_k=40, top_p=0.95)}


def once(
    scheduler: Scheduler, hands: list[TextHand], prompts: list[list[int]], sampling: Sampling, tokens: int
) -> tuple[float, list[float]]:
    """All requests at once: seconds until the last is done, and until the first token of each."""
    source = base()
    specials = frozenset(source.tokenizer().get_added_tokens_decoder()) | {source.config.eos}
    asked = []
    for number, (hand, prompt) in enumerate(zip(hands, prompts, strict=True)):
        task = Task(tuple(prompt), tokens, source.config.eos, specials, source.tokenizer().decode, sampling=sampling)
        asked.append(Request([Draft(task, number)], hand.adapter_sha256, hand.adapter, flows=(hand.adapter_sha256,)))
    begin = time.perf_counter()
    for request in asked:
        scheduler.submit(request)
    firsts: dict[int, float] = {}
    done: set[int] = set()
    while len(done) < len(asked):
        for number, request in enumerate(asked):
            try:
                news: Any = request.inbox.get(timeout=0.0002)
            except queue.Empty:
                continue
            firsts.setdefault(number, time.perf_counter() - begin)
            if isinstance(news, BaseException):
                raise news
            if news.done:
                done.add(number)
    return time.perf_counter() - begin, list(firsts.values())


def main() -> None:
    """Rows for the job on standard input."""
    job = json.load(sys.stdin)
    hands = [load(Path(folder), base()) for folder in job["adapters"]]
    scheduler = Scheduler(Decoder(base(), slots=16, length=1536, threads=job["threads"]))
    rows = []
    for drawn, sampling in DRAWN.items():
        for count in job["requests"]:
            part = hands[:count]
            once(scheduler, part, [p[::-1] for p in job["prompts"][:count]], sampling, 4)
            whole, firsts = once(scheduler, part, job["prompts"][:count], sampling, job["tokens"])
            seconds = whole - max(firsts)
            rows.append(
                {
                    "requests": count,
                    "drawn": drawn,
                    "rate": count * (job["tokens"] - 1) / seconds,
                    "first_p50": float(np.percentile(firsts, 50)),
                    "first_p95": float(np.percentile(firsts, 95)),
                }
            )
    scheduler.close()
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
