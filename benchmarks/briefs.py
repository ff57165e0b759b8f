"""How well briefs are followed: a hundred held-out briefs, written for by the base and by adapters.

    .venv/bin/python benchmarks/briefs.py [--adapter FOLDER …] [--candidates 1 4] [--briefs 100] [--json]
    .venv/bin/python benchmarks/briefs.py --train FOLDER      # first train the house skill there (many minutes)

A row is the mean over the briefs, with a 95 % interval of the score: subject named, format kept, length within a fifth,
no repetition, language right, share of the details' numbers and names kept. With more candidates, the one that scores
best is taken, as ranking by brief-following would.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from atelier.workshop.contract import Progress
from atelier.workshop.engines.text.base import Base, base
from atelier.workshop.engines.text.following import Following, following
from atelier.workshop.engines.text.house import held_out
from atelier.workshop.engines.text.prompts import validate_brief
from atelier.workshop.engines.text.serving.adapters import load
from atelier.workshop.engines.text.serving.delivery import task_for
from atelier.workshop.engines.text.serving.sampling import Sampling
from atelier.workshop.engines.text.writing import Order, write

AT_ONCE = 16


def judged(source: Base, adapter: Any, briefs: list[dict[str, str]], candidates: int) -> list[Following]:
    """The best of each brief's candidates."""
    orders = []
    for number, brief in enumerate(briefs):
        task = task_for(source, brief, Sampling())
        task = replace(task, tokens_max=min(task.tokens_max, 400))
        orders += [Order(task, adapter, number * 100 + candidate) for candidate in range(candidates)]
    texts = []
    for place in range(0, len(orders), AT_ONCE):
        texts += write(source, orders[place : place + AT_ONCE], 2, lambda _: None)
    best = []
    for number, brief in enumerate(briefs):
        tried = [following(text, brief) for text in texts[number * candidates : (number + 1) * candidates]]
        best.append(max(tried, key=lambda each: each.score))
    return best


def interval(values: list[float]) -> tuple[float, float]:
    """Where the mean lies, by resampling the briefs."""
    random = np.random.default_rng(0)
    means = random.choice(values, (2000, len(values))).mean(axis=1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def row(name: str, candidates: int, found: list[Following], seconds: float) -> dict[str, Any]:
    """What is printed of one way of writing."""
    questions = {key: statistics.mean(float(asdict(f)[key]) for f in found) for key in asdict(found[0])}
    scores = [f.score for f in found]
    low, high = interval(scores)
    return {
        "writer": name, "candidates": candidates, **questions,
        "score": statistics.mean(scores), "low": low, "high": high, "seconds": seconds,
    }  # fmt: skip


def train(folder: Path) -> None:
    """Train the house skill, its progress on standard error."""
    from atelier.workshop.engines.text.house.training import train_house

    def report(news: Progress) -> None:
        print(f"\r{news.stage} {news.done / news.planned:.0%} {news.note}", end="", file=sys.stderr, flush=True)

    found = train_house(base(), folder, report)
    print(f"\nbest at step {found.best_step} of {found.steps}: {found.curve}", file=sys.stderr)


def main() -> int:
    """Train when asked, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapter", type=Path, action="append", default=[])
    parser.add_argument("--train", type=Path)
    parser.add_argument("--candidates", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--briefs", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    words = parser.parse_args()
    if words.train:
        train(words.train)
        words.adapter.append(words.train)
    briefs = [validate_brief(pair.brief) for pair in held_out()[:: max(1, 100 // words.briefs)]][: words.briefs]
    writers: dict[str, Any] = {"base": None, **{path.name: load(path, base()).adapter for path in words.adapter}}
    rows = []
    for name, adapter in writers.items():
        for candidates in words.candidates:
            begin = time.monotonic()
            found = judged(base(), adapter, briefs, candidates)
            rows.append(row(name, candidates, found, time.monotonic() - begin))
    if words.json:
        print(json.dumps(rows))
        return 0
    keys = [key for key in rows[0] if key not in ("writer", "candidates", "low", "high")]
    print(f"{'writer':<14}{'of':>3}" + "".join(f"{key:>12}" for key in keys) + "  95 % of score")
    for each in rows:
        figures = "".join(f"{each[key]:>12.2f}" for key in keys)
        print(f"{each['writer']:<14}{each['candidates']:>3}{figures}  {each['low']:.2f} to {each['high']:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
