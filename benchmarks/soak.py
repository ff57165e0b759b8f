"""An hour in a crowded house: many clients, many creators, cancels, disconnects, and workers that are killed.

    .venv/bin/python benchmarks/soak.py [--minutes 60] [--clients 64] [--creators 200] [--kill-every 4] [--json]

A process of its own holds the real runtime, engine and base; it is killed (SIGKILL) and started anew every few
minutes, except in the last quarter. Creators' adapters are random and asked for by Zipf's law; a brief, a seed and a
creator name a text. Clients ask for one text or two; some cancel, some close the connection, some stop reading, some
fail in what takes the news. A request that the killed worker lost is asked again, as the house's jobs do.

Checked, and the exit code is 1 where it does not hold: every text equals the first one that was complete for its name,
and a sample of them what is written again alone at the end; every request ends within the limit in texts, Busy, a
cancellation or a failure that was asked for; the worker's own (anonymous) memory does not grow: the lower end of
the 95 % interval of its slope, once it is warm, is under half a MB a minute. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import many
import numpy as np
from numpy.typing import NDArray

LIMIT_SECONDS = 300.0
STALL_SECONDS = 8.0
WARM_SECONDS = 90.0
GROWTH_MB_A_MINUTE = 0.5
ROWS_SECONDS = 300.0
WHOLE = 8
ALONE = 24
BRIEFS: list[dict[str, str]] = [
    {"subject": "A hand-thrown stoneware mug", "format": "tagline", "length": "short"},
    {"subject": "Night buses", "format": "headline", "length": "short"},
    {"subject": "A bakery that opens at five", "format": "social post", "length": "short"},
    {"subject": "Repairs for old radios", "format": "call to action", "length": "short"},
    {"subject": "A notebook with ruled pages", "details": "Costs 18 euros.", "format": "tagline", "length": "long"},
    {"subject": "A reading room by the sea", "format": "product description", "length": "short"},
]
WAYS = {"stays": 0.80, "cancels": 0.08, "closes": 0.05, "stalls": 0.03, "breaks": 0.04}

UNASKED = {
    (way, end) for end, asked in {"broken": "breaks", "cancelled": "cancels"}.items() for way in WAYS if way != asked
}

Key = tuple[int, int, int]


class Lost(Exception):
    """The worker ended before it answered."""


@dataclass
class Seen:
    """What all clients saw, in order of time; one lock for all of it."""

    begin: float = field(default_factory=time.monotonic)
    ends: list[dict[str, Any]] = field(default_factory=list)
    texts: dict[Key, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    memory: list[dict[str, float]] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> float:
        return time.monotonic() - self.begin

    def check(self, key: Key, text: str) -> None:
        """The first text of a key is what every other must be."""
        with self.lock:
            if self.texts.setdefault(key, text) != text:
                self.wrong.append(f"{key}: {text!r} is not {self.texts[key]!r}")


# The worker -------------------------------------------------------------------------------------------------------


class Worker:
    """The process that serves. `start` after `kill`; clients find it by its socket."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "socket"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns when it answers. Errors: RuntimeError when it ends before."""
        self.socket.unlink(missing_ok=True)
        command = [sys.executable, str(Path(__file__).with_name("soak_server.py")), str(self.socket)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the worker did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid


def answers(
    worker: Worker, request: dict[str, Any], seconds: float
) -> Generator[tuple[socket.socket, dict[str, Any]], None, None]:
    """What the worker says to a request, with the connection. Errors: Lost; TimeoutError."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(seconds)
        try:
            line.connect(str(worker.socket))
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile("rb") as lines:
                for each in lines:
                    if not each.endswith(b"\n"):
                        raise Lost  # killed in the middle of it
                    yield line, json.loads(each)
        except TimeoutError:
            raise
        except OSError as error:
            raise Lost from error
    raise Lost


# Clients ----------------------------------------------------------------------------------------------------------


class Client:
    """Asks for one thing after another until the time is over."""

    def __init__(self, number: int, worker: Worker, creators: list[many.Creator], seen: Seen, until: float) -> None:
        self._number, self._worker, self._creators, self._seen, self._until = number, worker, creators, seen, until
        self._chance = random.Random(number)
        self._shares = many.popularity(len(creators), 1.0).tolist()

    def run(self) -> None:
        """Errors of this client itself are told as wrong, not raised."""
        try:
            while self._seen.now() < self._until:
                self._one()
        except Exception as error:
            self._seen.wrong.append(f"client {self._number} failed: {error!r}")

    def _one(self) -> None:
        creator = self._chance.choices(range(len(self._creators)), self._shares)[0]
        brief, seed = self._chance.randrange(len(BRIEFS)), self._chance.randrange(3)
        seeds = (seed,) if self._chance.random() < 0.8 else (seed, seed + 1)
        way = self._chance.choices(list(WAYS), list(WAYS.values()))[0]
        # Every fourth client shares a name with others: one person with many windows.
        viewer = f"viewer {self._number % 8 if self._number % 4 == 0 else self._number}"
        request = asking(self._creators[creator], brief, seeds, viewer)
        if way in {"breaks", "cancels"}:
            request |= {"way": way, "after": self._chance.randrange(2, 30)}
        begin, lost, end = self._seen.now(), 0, "lost"
        first: float | None = None
        while end == "lost" and self._seen.now() - begin < LIMIT_SECONDS:
            try:
                end, first, texts = self._follow(request, way, begin)
            except Lost:
                lost += 1
                time.sleep(0.5)
                continue
            except TimeoutError:
                break
            if end == "busy":
                time.sleep(1)
            for number, text in zip(seeds, texts, strict=False):
                self._seen.check((creator, brief, number), text)
        told: dict[str, Any] = {"at": self._seen.now(), "end": end, "way": way, "first": first, "retried": lost}
        told |= {"seconds": self._seen.now() - begin, "asked": len(seeds)}
        with self._seen.lock:
            self._seen.ends.append(told)
            if end == "lost" or end.startswith("error") or (way, end) in UNASKED:
                self._seen.wrong.append(f"request of client {self._number} ended as {end}: {told}")

    def _follow(self, request: dict[str, Any], way: str, begin: float) -> tuple[str, float | None, list[str]]:
        """How a request ended, seconds to its first sign of writing, and its texts. Errors: Lost, TimeoutError."""
        first: float | None = None
        patience = self._chance.randrange(1, 40)
        with contextlib.closing(answers(self._worker, request, LIMIT_SECONDS)) as lines:
            for said, (line, answer) in enumerate(lines):
                if "texts" in answer:
                    if len(answer["texts"]) != len(request["spec"]["seeds"]):
                        raise RuntimeError("texts are missing")
                    return "texts", first, answer["texts"]
                if "error" in answer:
                    code = answer["error"]["codes"][0]
                    return (code if code in {"busy", "cancelled", "broken"} else f"error {code}"), first, []
                if first is None and answer.get("progress", {}).get("stage") == "writing":
                    first = self._seen.now() - begin
                if way in {"closes", "stalls"} and said >= patience:
                    if way == "stalls":
                        time.sleep(STALL_SECONDS)
                    if way == "closes":
                        line.shutdown(socket.SHUT_RDWR)
                    return "left", first, []
        raise Lost


def asking(creator: many.Creator, brief: int, seeds: tuple[int, ...], viewer: str) -> dict[str, Any]:
    """A request as the worker takes it."""
    spec = {
        "request_id": "soak", "adapter_sha256": creator.sha256, "brief": BRIEFS[brief], "seeds": seeds,
        "reveal": 0.5, "viewer": viewer,
    }  # fmt: skip
    return {"adapter": str(creator.folder), "spec": spec}


# The driver -------------------------------------------------------------------------------------------------------


def watch(worker: Worker, seen: Seen, minutes: float, every: float) -> None:
    """Note the worker's memory each second and kill it now and then, until the time is over."""
    chance, end = random.Random(0), minutes * 60
    life, started = 0, seen.now()
    due = seen.now() + 60 * every * chance.uniform(0.5, 1.5)
    while (now := seen.now()) < end:
        if not worker.alive:
            seen.wrong.append(f"the worker ended by itself after {now:.0f} s")
            due = 0
        if due == 0 or due < now < 0.75 * end:
            worker.kill()
            worker.start()
            with seen.lock:
                seen.kills.append(now)
            life, started = life + 1, seen.now()
            due = seen.now() + 60 * every * chance.uniform(0.5, 1.5)
        held = many.rollup(worker.pid)
        point = {"at": now, "life": life, "age": now - started}
        seen.memory.append(point | {name: held[name] / 1e6 for name in ("Rss", "Pss", "Anonymous")})
        time.sleep(1)


def slope(points: list[dict[str, float]], name: str) -> dict[str, float] | None:
    """MB a minute with its 95 % interval, by least squares within each life once it is warm. Neighbouring seconds are
    not independent: the interval is of the means of ten seconds."""
    x: list[NDArray[np.float64]] = []
    y: list[NDArray[np.float64]] = []
    lives = 0
    for life in sorted({point["life"] for point in points}):
        own = [p for p in points if p["life"] == life and p["age"] > WARM_SECONDS]
        means = [own[n : n + 10] for n in range(0, len(own) - 9, 10)]
        if len(means) < 6:
            continue
        minutes = np.array([np.mean([p["age"] for p in each]) for each in means]) / 60
        values = np.array([np.mean([p[name] for p in each]) for each in means])
        x.append(minutes - minutes.mean())
        y.append(values - values.mean())
        lives += 1
    if not x:
        return None
    xs, ys = np.concatenate(x), np.concatenate(y)
    found = float(xs @ ys / (xs @ xs))
    left = ys - found * xs
    freedom = len(xs) - lives - 1
    error = float(np.sqrt(left @ left / max(1, freedom) / (xs @ xs)))
    return {"slope": found, "low": found - 1.96 * error, "high": found + 1.96 * error, "points": len(xs)}


def alone(worker: Worker, creators: list[many.Creator], seen: Seen) -> int:
    """Write a sample of the texts again by a new worker, one at a time; how many."""
    worker.kill()
    worker.start()
    keys = random.Random(1).sample(sorted(seen.texts), min(ALONE, len(seen.texts)))
    for key in keys:
        creator, brief, seed = key
        for _, answer in answers(worker, asking(creators[creator], brief, (seed,), "alone"), LIMIT_SECONDS):
            if "texts" in answer:
                seen.check(key, answer["texts"][0])
                break
            if "error" in answer:
                seen.wrong.append(f"{key} alone: {answer['error']}")
                break
    return len(keys)


def row(seen: Seen, start: float, end: float) -> dict[str, Any]:
    """A part of the time."""
    part = [each for each in seen.ends if start <= each["at"] < end]
    counts = Counter(each["end"] for each in part)
    firsts = [each["first"] for each in part if each["first"] is not None]
    held = [point for point in seen.memory if start <= point["at"] < end]
    return {
        "minutes": f"{start / 60:.0f}–{end / 60:.0f}",
        "requests": len(part),
        "texts": sum(each["asked"] for each in part if each["end"] == "texts"),
        **{name: counts[name] for name in ("busy", "left", "broken", "cancelled", "lost")},
        "retried": sum(each["retried"] for each in part),
        "kills": sum(start <= at < end for at in seen.kills),
        "first_p50": float(np.percentile(firsts, 50)) if firsts else None,
        "first_p95": float(np.percentile(firsts, 95)) if firsts else None,
        **{name: max((p[name] for p in held), default=None) for name in ("Rss", "Anonymous")},
    }


def soak(words: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All of it, as plain data; `wrong` names what did not hold."""
    many.own_cache(folder / "cache")
    creators = many.make(folder / "creators", words.creators, min(WHOLE, words.creators))
    worker = Worker(folder)
    worker.start()
    seen, until = Seen(), words.minutes * 60
    clients = [
        threading.Thread(target=Client(n, worker, creators, seen, until).run, daemon=True) for n in range(words.clients)
    ]
    try:
        for each in clients:
            each.start()
        watch(worker, seen, words.minutes, words.kill_every)
        for each in clients:
            each.join(LIMIT_SECONDS + 30)
        if stuck := sum(each.is_alive() for each in clients):
            seen.wrong.append(f"{stuck} clients still wait or failed to end")
        again = alone(worker, creators, seen)
    finally:
        worker.kill()
    slopes = {name: slope(seen.memory, name) for name in ("Anonymous", "Rss")}
    grown = slopes["Anonymous"]
    if grown and grown["low"] > GROWTH_MB_A_MINUTE:
        seen.wrong.append(f"the worker's own memory grows by {grown['slope']:.2f} MB a minute")
    if not seen.texts:
        seen.wrong.append("no text was ever finished")
    steps = np.arange(0, until, min(ROWS_SECONDS, until)).tolist()
    return {
        "machine": platform.machine(), "cores": len(os.sched_getaffinity(0)), "minutes": words.minutes,
        "clients": words.clients, "creators": words.creators, "names": len(seen.texts), "alone": again,
        "rows": [row(seen, at, at + ROWS_SECONDS) for at in steps], "whole": row(seen, 0, float("inf")),
        "ways": dict(Counter(each["way"] for each in seen.ends)), "slopes": slopes, "kills": len(seen.kills),
        "slowest": max((each["seconds"] for each in seen.ends), default=None), "wrong": seen.wrong,
    }  # fmt: skip


def show(found: dict[str, Any]) -> None:
    """The tables, for a person."""
    print(f"{found['clients']} clients, {found['creators']} creators, {found['cores']} cores, {found['kills']} kills")
    names = list(found["whole"])
    print("  ".join(f"{name:>9}" for name in names))
    for each in [*found["rows"], {**found["whole"], "minutes": "all"}]:
        told = (f"{v:.1f}" if isinstance(v, float) else str(v) for v in (each[name] for name in names))
        print("  ".join(f"{value:>9}" for value in told))
    for name, each in found["slopes"].items():
        told_slope = (
            "too short to say" if each is None else f"{each['slope']:+.2f} ({each['low']:+.2f} to {each['high']:+.2f})"
        )
        print(f"{name}, MB a minute once warm: {told_slope}")
    print(f"{found['names']} different texts, {found['alone']} written again alone; slowest {found['slowest']:.0f} s")
    print("nothing wrong" if not found["wrong"] else "WRONG:\n" + "\n".join(found["wrong"][:40]))


def main() -> int:
    """Soak, print; 1 when a check failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--creators", type=int, default=200)
    parser.add_argument("--kill-every", type=float, default=4, help="minutes between kills, on average")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the tables")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = soak(words, Path(folder))
    if words.json:
        print(json.dumps(found))
    else:
        show(found)
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
