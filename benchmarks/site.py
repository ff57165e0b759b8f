"""The running site: time from click to first word with a warm worker, and pages and API requests a second.

    .venv/bin/python benchmarks/site.py [--works FILE] [--clicks N] [--seconds S] [--json]

Starts a whole site in a throwaway folder, trains a small model over the API with the real text engine (short recipe:
the figure here is serving, not training), publishes it, and measures from outside. Medians and ranges are printed.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

import requests
from training import DEMO, works_of
from trial.site import Site, rows
from trial.walk import Walk


def first_word(walk: Walk, model_id: int) -> float:
    """Seconds from asking for one sample to the first word written for it, by the database's one clock."""
    made = walk.generate(model_id, samples=1, seconds=120, subject=f"a mug, {time.time_ns()}")
    ((seconds,),) = rows(
        walk.site,
        "SELECT extract(epoch FROM first_preview_at - created_at) FROM generation_generation WHERE id = %s",
        made["id"],
    )
    return float(str(seconds))


def rate(ask: Callable[[requests.Session], int], clients: int, seconds: float) -> float:
    """Answers a second with that many clients asking one after the other."""
    counted = [0] * clients
    until = time.monotonic() + seconds

    def client(number: int) -> None:
        with requests.Session() as session:
            while time.monotonic() < until:
                if ask(session) != 200:
                    raise RuntimeError("an answer was not 200")
                counted[number] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counted) / (time.monotonic() - begin)


def spread(values: list[float]) -> dict[str, float]:
    """Median and range."""
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
    }


def measure(walk: Walk, clicks: int, seconds: float) -> dict[str, Any]:
    """All figures of a site that sells one model."""
    model, _version = walk.train(seconds=1800, samples_a_day=1000)
    walk.publish(model["id"])
    first_word(walk, model["id"])
    times = [first_word(walk, model["id"]) for _ in range(clicks)]
    site, token = walk.site.url, {"Authorization": f"Bearer {walk.buyer.token}"}
    asked: dict[str, Callable[[requests.Session], int]] = {
        "front page": lambda s: s.get(f"{site}/").status_code,
        "search page": lambda s: s.get(f"{site}/search/?q=mug").status_code,
        "API: who am I": lambda s: s.get(f"{site}/api/me", headers=token).status_code,
        "API: listings": lambda s: s.get(f"{site}/api/listings", headers=token).status_code,
    }
    rates = {name: spread([rate(ask, 4, seconds) for _ in range(3)]) for name, ask in asked.items()}
    return {"first_word_seconds": spread(times), "clicks": clicks, "answers_a_second": rates}


def main() -> int:
    """Start, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=Path, default=DEMO)
    parser.add_argument("--clicks", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder) / "site") as site:
        walk = Walk.begin(site)
        walk.become_creator()
        walk.upload(works_of(words.works)[:12])
        found = measure(walk, words.clicks, words.seconds)
    if words.json:
        print(json.dumps({"machine": platform.processor() or platform.machine(), **found}))
        return 0
    told = found["first_word_seconds"]
    print(
        f"first word after the click: {told['median']:.2f} s "
        f"(from {told['least']:.2f} to {told['most']:.2f}, {words.clicks} clicks)"
    )
    for name, each in found["answers_a_second"].items():
        print(f"{name:<16} {each['median']:>7.1f} a second (from {each['least']:.1f} to {each['most']:.1f}, 4 clients)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
