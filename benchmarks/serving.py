"""Writing for many creators at once: tokens a second and seconds to the first token, beside other servers.

    bin/atelier bench text                                          # this, and what else there is: see its --help
    .venv/bin/python benchmarks/serving.py [--prepare] [--peer NAME=PYTHON …] [--rounds 3] [--tokens 48] [--json [FILE]]
    .venv/bin/python benchmarks/serving.py --only ours --tokens 40 --quick

Every request at once has an adapter of its own (rank 16, random weights); all servers get the same base weights,
adapters, prompts, threads and way of drawing (the likeliest, or temperature 0.8 of the likeliest forty up to 95 %),
and nobody ends a text early. Servers (benchmarks/peers) are processes that stand side by side and are asked in turns,
row by row, `rounds` times; who is not asked sleeps. A row ends when its texts are done, or `seconds` after all began.

A rate counts the tokens from when the last of the texts has begun until the first is done, so that all are being
written at once and no prompt is read. Under load, requests come at random (Poisson, seed 0) at the same moments for
everybody, each for another creator in turn; one that had not begun at the end counts as having waited until then. What
the limits are is said in limits.py.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "peers"))

import numpy as np
from limits import limits
from protocol import firsts, pauses, percentile, rate  # type: ignore[import-not-found, unused-ignore]
from racers import KINDS, OURS, Fell, Racer, interpreter, prepare
from serving_table import lines

from atelier.workshop.engines.text.base import Base, base

ADAPTERS, RANK = 16, 16
PATIENCE = 15.0
"""Seconds after the last arrival of a load; what has not come by then is waited for no longer."""
START_WITHIN, ANSWER_WITHIN = 600.0, 300.0
SUBJECTS = (
    "a blue mug",
    "a ferry timetable",
    "a hand-bound notebook with ruled pages",
    "a bakery that opens at five",
)
DETAILS = ("", "Costs 18 euros; holds 300 ml; made in Porto.", "Open on Sundays.")
GOALS = {"16": 5.0, "8": 4.0, "1": 1.0}
"""How many times the best peer's rate is wanted, by requests at once."""
OF_LIMIT = 0.6
"""The share of the machine's limit that is wanted at sixteen."""
Say = Callable[[str], None]


def make_adapters(folder: Path, source: Base) -> list[Path]:
    """Adapters of rank 16 with random weights, strong enough to change what is written, in PEFT's layout."""
    import torch

    from atelier.workshop.engines.text.lora import fresh, save

    made = []
    for number in range(ADAPTERS):
        lora = fresh(source.config, RANK, 2.0 * RANK, number)
        seeded = torch.Generator().manual_seed(number)
        for name, up in lora.up.items():
            lora.up[name] = torch.randn(up.shape, generator=seeded) * 0.01
        save(lora, source, folder / f"adapter-{number}")
        made.append(folder / f"adapter-{number}")
    return made


def prompts(source: Base, count: int, first: int = 0) -> list[list[int]]:
    """Briefs of different lengths, no two alike, so that no server remembers more of one than how all begin."""
    from atelier.workshop.engines.text.prompts import prompt_tokens

    return [
        prompt_tokens(
            source.tokenizer(),
            {"subject": f"{SUBJECTS[n % 4]}, no. {n}", "details": DETAILS[n % 3], "format": "e-mail"},
        )
        for n in range(first, first + count)
    ]


def arrivals(source: Base, count: int, a_second: float) -> list[dict[str, Any]]:
    """Requests that come at random, so many a second on average; the same each time."""
    gaps = np.random.default_rng(0).exponential(1 / a_second, count)
    at = np.cumsum(gaps) - gaps[0]
    texts = prompts(source, count, first=10_000 + round(1000 * a_second))
    return [{"prompt": texts[n], "adapter": n % ADAPTERS, "at": float(at[n])} for n in range(count)]


def open_racers(words: argparse.Namespace, job: dict[str, Any], say: Say) -> tuple[list[Racer], dict[str, str]]:
    """The servers that stand, and why the others do not."""
    chosen = dict(peer.split("=", 1) for peer in words.peer)
    standing, missing = [], {}
    for name in words.only:
        try:
            if words.prepare and name != OURS and not interpreter(name, chosen):
                prepare(name, say)
            python = interpreter(name, chosen)
            if name == "llamacpp" and not job["gguf"]:
                raise Fell("it reads the bundled base only, and ATELIER_TEXT_BASE names another")
            if python is None:
                needs = " ".join(KINDS[name].needs)
                raise Fell(f"no Python with {needs} was named: --peer {name}=PYTHON, or --prepare to make one")
            say(f"{KINDS[name].title}: starting …")
            racer = Racer(name, python, job)
            standing.append(racer)
            racer.start(START_WITHIN)
            warm = prompts(base(), ADAPTERS, first=9_000)
            for part in (warm[:1], warm):
                asked = [{"prompt": prompt, "adapter": n, "at": 0.0} for n, prompt in enumerate(part)]
                racer.ask({"asked": asked, "tokens": 4, "sampled": False, "seconds": 20, "patience": 60}, ANSWER_WITHIN)
        except (Fell, OSError) as error:
            missing[name] = str(error)
            for racer in [racer for racer in standing if racer.name == name]:
                racer.close()
                standing.remove(racer)
            say(f"{KINDS[name].title} is not in it: {error}")
    return standing, missing


class Race:
    """The rows so far. `fallen` are those that ended amid their work: their rows so far stay."""

    def __init__(self, racers: list[Racer], words: argparse.Namespace, say: Say) -> None:
        self.racers, self.words, self.say = racers, words, say
        self.found: dict[tuple[str, int, bool], list[dict[str, float]]] = {}
        self.greedy: dict[str, list[list[int]]] = {}
        self.load: list[dict[str, Any]] = []
        self.fallen: dict[str, str] = {}

    def ask(self, racer: Racer, task: dict[str, Any]) -> dict[str, Any] | None:
        """One server's answer, or nothing from one that fell."""
        if racer.name in self.fallen:
            return None
        try:
            return racer.ask(task, ANSWER_WITHIN)
        except Fell as error:
            self.fallen[racer.name] = str(error)
            self.say(f"{KINDS[racer.name].title} fell: {error}")
            return None

    def round(self, number: int, source: Base) -> None:
        """Every row once, the servers in turns."""
        for sampled in (False, True):
            for count in self.words.requests:
                texts = prompts(
                    source, count, first=100 * (2 * number + sampled) + 20 * self.words.requests.index(count)
                )
                asked = [{"prompt": text, "adapter": n, "at": 0.0} for n, text in enumerate(texts)]
                task = {
                    "asked": asked, "tokens": self.words.tokens, "sampled": sampled, "seconds": self.words.seconds
                }  # fmt: skip
                for racer in self.racers:
                    # Where requests follow one another, some of them tell the rate of all.
                    task["patience"] = PATIENCE * 4 if racer.together else self.words.seconds * 2
                    if answer := self.ask(racer, task):
                        times = answer["times"]
                        waits = firsts(times, asked, task["patience"])
                        row = {
                            "rate": rate(times, racer.together, self.words.tokens, answer["end"]),
                            "first_p50": percentile(waits, 50),
                            "first_p95": percentile(waits, 95),
                            "begun": sum(map(bool, times)),
                        }
                        self.found.setdefault((racer.name, count, sampled), []).append(row)
                        if not sampled:
                            self.greedy.setdefault(racer.name, []).extend(answer["tokens"])

    def under_load(self, source: Base) -> None:
        """Requests that come at random, at each of the rates."""
        for a_second in self.words.load:
            asked = arrivals(source, self.words.arrivals, a_second)
            task = {
                "asked": asked, "tokens": self.words.tokens, "sampled": True, "seconds": PATIENCE, "patience": PATIENCE
            }  # fmt: skip
            for racer in self.racers:
                if answer := self.ask(racer, task):
                    times = answer["times"]
                    until = asked[-1]["at"] + PATIENCE
                    waits, between = firsts(times, asked, until), pauses(times)
                    self.load.append(
                        {
                            "server": racer.name,
                            "arrivals_a_second": a_second,
                            "requests": len(asked),
                            "first_p50": percentile(waits, 50),
                            "first_p95": percentile(waits, 95),
                            "pause_p95": percentile(between, 95) if between else None,
                            "begun": sum(map(bool, times)),
                            "done": sum(len(each) == self.words.tokens for each in times),
                        }
                    )


def agreement(ours: list[list[int]], theirs: list[list[int]]) -> float:
    """The share of the likeliest tokens before a text first differs from ours, as far as both were written."""
    same = whole = 0
    for left, right in zip(ours, theirs, strict=True):
        length = min(len(left), len(right))
        whole += length
        same += next((n for n in range(length) if left[n] != right[n]), length)
    return same / whole if whole else 0.0


def ratios(rows: list[dict[str, Any]], drawn: str) -> tuple[dict[str, float], dict[str, str]]:
    """Our median rate over the best peer's by requests at once, and which peer that is."""
    found, best = {}, {}
    for number in sorted({row["requests"] for row in rows}):
        medians = {r["server"]: r["rate"] for r in rows if r["requests"] == number and r["drawn"] == drawn}
        mine = medians.pop(OURS, None)
        if mine is not None and any(medians.values()):
            best[str(number)] = max(medians, key=lambda name: medians[name])
            found[str(number)] = mine / medians[best[str(number)]]
    return found, best


def goals(document: dict[str, Any]) -> list[dict[str, Any]]:
    """What is wanted, what was measured, and whether that is enough; nothing of what was not measured."""
    told = []
    for number, wanted in GOALS.items():
        if number in document["ratios"]:
            what = f"{number} at once, times the best peer"
            told.append({"goal": what, "wanted": wanted, "measured": document["ratios"][number]})
    for row in document["rows"]:
        if row["server"] == OURS and row["requests"] == 16 and row["drawn"] == "greedy":
            told.append({"goal": "16 at once, share of the limit", "wanted": OF_LIMIT, "measured": row["of_limit"]})
    return [{**each, "met": each["measured"] >= each["wanted"]} for each in told]


def document_of(race: Race, missing: dict[str, str], most: dict[int, Any]) -> dict[str, Any]:
    """All that was measured, and what follows from it."""
    rows = []
    for (server, count, sampled), each in race.found.items():
        rates = [row["rate"] for row in each]
        rows.append(
            {
                "server": server,
                "requests": count,
                "drawn": "sampled" if sampled else "greedy",
                "rates": rates,
                "rate": statistics.median(rates),
                "of_limit": statistics.median(rates) / most[count].tokens_a_second,
                "begun": min(row["begun"] for row in each),
                **{key: statistics.median(row[key] for row in each) for key in ("first_p50", "first_p95")},
            }
        )
    found: dict[str, Any] = {
        "cores": os.cpu_count(),
        "rounds": race.words.rounds,
        "tokens": race.words.tokens,
        "servers": {
            racer.name: {
                "title": KINDS[racer.name].title,
                "settings": racer.settings,
                "started_seconds": racer.started,
                "memory_bytes": racer.memory,
                "same_as_ours": agreement(race.greedy[OURS], race.greedy[racer.name])
                if OURS in race.greedy and len(race.greedy.get(racer.name, [])) == len(race.greedy[OURS])
                else None,
            }
            for racer in race.racers
        },
        "missing": {**missing, **race.fallen},
        "limits": {str(count): limit.told() for count, limit in most.items()},
        "rows": rows,
        "load": race.load,
    }
    found["ratios"], found["best"] = ratios(rows, "greedy")
    found["ratios_sampled"], found["best_sampled"] = ratios(rows, "sampled")
    return {**found, "goals": goals(found)}


def measure(words: argparse.Namespace, say: Say) -> dict[str, Any]:
    """Start, ask in turns, end."""
    from atelier.workshop.engines.text.base import bundled_gguf
    from atelier.workshop.engines.text.serving.adapters import load

    source, begin = base(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        adapters = make_adapters(Path(folder), source)
        job = {
            "base": str(source.directory),
            "gguf": "" if os.environ.get("ATELIER_TEXT_BASE") else str(bundled_gguf()),
            "adapters": [str(path) for path in adapters],
            "threads": os.cpu_count() or 1,
        }
        racers, missing = open_racers(words, job, say)
        race = Race(racers, words, say)
        try:
            past = statistics.mean(map(len, prompts(source, ADAPTERS))) + words.tokens / 2
            most = limits(source, load(adapters[0], source), RANK, words.requests, round(past))
            for number in range(words.rounds):
                say(f"round {number + 1} of {words.rounds}, {time.perf_counter() - begin:.0f} s so far …")
                race.round(number, source)
            if words.load:
                say(f"under load, {time.perf_counter() - begin:.0f} s so far …")
                race.under_load(source)
        finally:
            for racer in racers:
                racer.close()
        return {**document_of(race, missing, most), "seconds": time.perf_counter() - begin}


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """What the person asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[*KINDS], default=[*KINDS], help="servers (default: all)")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=PYTHON", help="an interpreter for a server"
    )
    parser.add_argument("--prepare", action="store_true", help="make environments for missing servers in the cache")
    parser.add_argument("--requests", type=int, nargs="+", default=[1, 8, 16])
    parser.add_argument("--tokens", type=int, help="of each text (default: 48)")
    parser.add_argument("--rounds", type=int, help="default: 3")
    parser.add_argument("--seconds", type=float, help="after which a row ends (default: 5)")
    parser.add_argument("--load", type=float, nargs="*", help="requests a second under load (default: 2 and 8)")
    parser.add_argument("--arrivals", type=int, default=32, help="requests of each load (default: 32)")
    parser.add_argument("--quick", action="store_true", help="one round, 24 tokens, 3 s a row, no load")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="one JSON document instead of tables, or also to a file"
    )
    words = parser.parse_args(given)
    if wrong := [peer for peer in words.peer if peer.split("=")[0] not in KINDS or "=" not in peer]:
        parser.error(f"--peer {wrong[0]}: write NAME=PYTHON, with a name of {', '.join(KINDS)}")
    if max(words.requests) > ADAPTERS:
        parser.error(f"--requests: at most {ADAPTERS}, which is how many adapters there are")
    usual = (24, 1, 3.0, []) if words.quick else (48, 3, 5.0, [2.0, 8.0])
    for name, value in zip(("tokens", "rounds", "seconds", "load"), usual, strict=True):
        if getattr(words, name) is None:
            setattr(words, name, value)
    return words


def main() -> int:
    """Measure in turns, print."""
    words = arguments()
    document = measure(words, lambda text: print(text, file=sys.stderr, flush=True))
    if words.json == "-":
        print(json.dumps(document))
        return 0
    print("\n".join(lines(document)))
    if words.json:
        Path(words.json).write_text(json.dumps(document, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
