"""How well briefs are followed: a hundred held-out briefs, written for by the base and by adapters.

    .venv/bin/python benchmarks/briefs.py [--adapter FOLDER …] [--candidates 1 4] [--beginning 32] [--briefs 100]
    .venv/bin/python benchmarks/briefs.py --train FOLDER      # first train the house skill there (many minutes)

A row is the mean over the briefs, with a 95 % interval of the score: subject named, format kept, length within a fifth,
no repetition, language right, share of the details' numbers and names kept. With more candidates, one is chosen as for
buyers: by its beginning of so many tokens, or whole. Then how many tokens a second of what is handed out come where all
briefs are asked for at once, and after how many seconds the first word is shown where one is.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from atelier.workshop.contract import Progress
from atelier.workshop.engines.text.base import Base, base
from atelier.workshop.engines.text.following import Following, following
from atelier.workshop.engines.text.house import held_out
from atelier.workshop.engines.text.prompts import validate_brief
from atelier.workshop.engines.text.serving.adapters import load
from atelier.workshop.engines.text.serving.delivery import LENGTH, task_for
from atelier.workshop.engines.text.serving.drafts import Draft
from atelier.workshop.engines.text.serving.network import network
from atelier.workshop.engines.text.serving.ranking import BEGINNING, CANDIDATES, candidate_seeds, choice_for
from atelier.workshop.engines.text.serving.sampling import Sampling
from atelier.workshop.engines.text.serving.scheduler import Request, Scheduler

AT_ONCE, WAITING = 16, 50
"""Texts that are written, and that are asked for, at once."""


@dataclass(frozen=True)
class Writer:
    """One way of writing: an adapter or none, and how one of so many candidates is chosen after `beginning` tokens."""

    name: str
    adapter: Any
    candidates: int
    beginning: int

    def request(self, source: Base, number: int, brief: dict[str, str]) -> Request:
        """One text for a brief."""
        task = task_for(source, brief, Sampling())
        choice = choice_for(brief, self.candidates, task.tokens_max, self.beginning or task.tokens_max)
        drafts = [Draft(task, seed) for seed in candidate_seeds(number, self.candidates)]
        return Request(drafts, self.name, self.adapter, flows=(str(number),), choice=choice)


def first_words(request: Request) -> float:
    """Seconds until a request that was submitted just now shows its first word; the rest is awaited too."""
    begin, first = time.monotonic(), 0.0
    while True:
        item = request.inbox.get()
        if isinstance(item, BaseException):
            raise item
        if item.append and not first:
            first = time.monotonic() - begin
        if item.done:
            return first


def measured(source: Base, writer: Writer, briefs: list[dict[str, str]], threads: int) -> dict[str, Any]:
    """A row: what the texts for all briefs are like, and how fast they come, alone and many at once."""
    with closing(Scheduler(network(source, slots=AT_ONCE, length=LENGTH, threads=threads))) as scheduler:
        firsts = []
        for number, brief in enumerate(briefs[::10]):
            request = writer.request(source, number, brief)
            scheduler.submit(request)
            firsts.append(first_words(request))
        begin, requests = time.monotonic(), []
        for place in range(0, len(briefs), WAITING):
            some = [writer.request(source, place + n, brief) for n, brief in enumerate(briefs[place : place + WAITING])]
            for request in some:
                scheduler.submit(request)
            for request in some:
                first_words(request)
            requests += some
        seconds = time.monotonic() - begin
    drafts = [request.texts[0] for request in requests]
    found = [following(draft.text, brief) for draft, brief in zip(drafts, briefs, strict=True)]
    figures = row(found)
    figures |= {"tokens_s": sum(len(draft.tokens) for draft in drafts) / seconds, "first_s": statistics.median(firsts)}
    return {"writer": writer.name, "candidates": writer.candidates, "beginning": writer.beginning, **figures}


def interval(values: list[float]) -> tuple[float, float]:
    """Where the mean lies, by resampling the briefs."""
    random = np.random.default_rng(0)
    means = random.choice(values, (2000, len(values))).mean(axis=1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def row(found: list[Following]) -> dict[str, float]:
    """The share of texts that keep each of the questions, and the mean score with its interval."""
    questions = {key: statistics.mean(float(asdict(f)[key]) for f in found) for key in asdict(found[0])}
    scores = [f.score for f in found]
    low, high = interval(scores)
    return {**questions, "score": statistics.mean(scores), "low": low, "high": high}


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
    parser.add_argument("--candidates", type=int, nargs="+", default=[1, CANDIDATES])
    parser.add_argument("--beginning", type=int, nargs="+", default=[BEGINNING], help="tokens; 0 for whole texts")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--briefs", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    words = parser.parse_args()
    if words.train:
        train(words.train)
        words.adapter.append(words.train)
    briefs = [validate_brief(pair.brief) for pair in held_out()[:: max(1, 100 // words.briefs)]][: words.briefs]
    adapters: dict[str, Any] = {"base": None, **{path.name: load(path, base()).adapter for path in words.adapter}}
    rows = []
    for name, adapter in adapters.items():
        for candidates in words.candidates:
            for beginning in words.beginning if candidates > 1 else [0]:
                writer = Writer(name, adapter, candidates, beginning)
                rows.append(measured(base(), writer, briefs, words.threads))
    if words.json:
        print(json.dumps(rows))
        return 0
    keys = [key for key in rows[0] if key not in ("writer", "candidates", "beginning", "low", "high")]
    print(f"{'writer':<14}{'of':>3}{'at':>4}" + "".join(f"{key:>11}" for key in keys) + "  95 % of score")
    for each in rows:
        figures = "".join(f"{each[key]:>11.2f}" for key in keys)
        head = f"{each['writer']:<14}{each['candidates']:>3}{each['beginning'] or '':>4}"
        print(f"{head}{figures}  {each['low']:.2f} to {each['high']:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
