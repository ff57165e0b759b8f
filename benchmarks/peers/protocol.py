"""What all servers of the race have in common: one JSON document a line on standard input, one a line back.

The first line is the setting (`base`, `gguf`, `adapters`, `threads`), answered by {"settings": …} once the server
stands. Each other line is a task: `asked` (each with `prompt`, `adapter` and `at`, the second when it comes), `tokens`
for each, and `sampled`. What is not done is given up `seconds` after all have begun, or `patience` seconds after the
last came. Needs nothing but Python's library.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Any, Protocol

Token = tuple[int, int, float]
"""Whose, which, and when by the clock."""


class Server(Protocol):
    """Writes for several requests at once, each known by a number and with an adapter of its own.

    `together` says whether requests are in the making at the same time; where they are not, they follow one another.
    """

    settings: str
    together: bool

    def begin(self, number: int, prompt: list[int], adapter: int, tokens: int, sampled: bool) -> None:
        """Take a request."""

    def step(self, wait: float) -> list[Token]:
        """The next tokens of whoever has some; may wait so many seconds for them."""

    def end(self, number: int) -> None:
        """Let go of a request, done or not."""


def run(server: Server, task: dict[str, Any]) -> dict[str, Any]:
    """Write what a task asks for; when each token came, in seconds from the beginning, and which they were."""
    due = deque(sorted(enumerate(task["asked"]), key=lambda each: each[1]["at"]))
    times: dict[int, list[float]] = {number: [] for number, _ in due}
    tokens: dict[int, list[int]] = {number: [] for number, _ in due}
    active: set[int] = set()
    until = due[-1][1]["at"] + task["patience"]
    begun = False
    begin_at = time.perf_counter()
    while (due or active) and time.perf_counter() - begin_at < until:
        while due and due[0][1]["at"] <= time.perf_counter() - begin_at:
            number, one = due.popleft()
            server.begin(number, one["prompt"], one["adapter"], task["tokens"], task["sampled"])
            active.add(number)
        wait = (due[0][1]["at"] if due else until) - (time.perf_counter() - begin_at)
        if not active:
            time.sleep(max(0.0, wait))
            continue
        for number, token, when in server.step(max(0.0, wait)):
            if number in active:
                times[number].append(when - begin_at)
                tokens[number].append(token)
                if len(times[number]) == task["tokens"]:
                    active.remove(number)
                    server.end(number)
        if not begun and all(times.values()):
            begun, until = True, time.perf_counter() - begin_at + task["seconds"]
    for number in active:
        server.end(number)
    count, end = len(times), time.perf_counter() - begin_at
    return {"times": [times[n] for n in range(count)], "tokens": [tokens[n] for n in range(count)], "end": end}


def rate(times: list[list[float]], together: bool, tokens: int, over: float) -> float:
    """Tokens a second while all are being written: from when the last has begun until the first has all its tokens, or
    it was over. Where requests follow one another: tokens after each one's first over the seconds from it to its last.
    """
    if not together:
        begun = [each for each in times if len(each) > 1]
        return sum(len(each) - 1 for each in begun) / sum(each[-1] - each[0] for each in begun) if begun else 0.0
    if not all(times):
        return 0.0
    begin = max(each[0] for each in times)
    end = min((each[-1] for each in times if len(each) == tokens), default=over)
    return sum(begin < when <= end for each in times for when in each) / (end - begin) if end > begin else 0.0


def firsts(times: list[list[float]], asked: list[dict[str, Any]], until: float) -> list[float]:
    """Seconds from each request's coming to its first token, or to the end where there was none."""
    return [(each[0] if each else until) - one["at"] for each, one in zip(times, asked, strict=True)]


def pauses(times: list[list[float]]) -> list[float]:
    """Seconds between a text's tokens, of all texts."""
    return [after - before for each in times for before, after in pairwise(each)]


def percentile(values: list[float], part: int) -> float:
    """Of at least one value, between the two nearest where it falls between."""
    ordered = sorted(values)
    return ordered[0] if len(ordered) == 1 else statistics.quantiles(ordered, n=100, method="inclusive")[part - 1]


def main(open_server: Callable[[dict[str, Any]], Server]) -> None:
    """Answer lines until there are no more. Whatever a library prints goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    server = open_server(json.loads(sys.stdin.readline()))
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({"settings": server.settings, "together": server.together}), file=out, flush=True)
    for line in sys.stdin:
        answer = run(server, json.loads(line))
        answer["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        print(json.dumps(answer), file=out, flush=True)
