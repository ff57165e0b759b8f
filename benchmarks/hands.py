"""Can composed pieces be told apart by whose hand made them? Ten real designers, halves of their works held out.

    .venv/bin/python benchmarks/hands.py [--designers 10] [--works 60] [--seeds 8] [--json]

For each designer of Debian's openclipart-svg with enough works in the public domain, one style is learned from half of
the works and another from the other half. Pieces are composed for the same briefs with both. A judge learns whose
pieces are whose from the second half's pieces alone, and is asked about the first half's: one by one, in sets of five.
Prints a table and JSON, or JSON alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import openclipart  # noqa: E402

from atelier.workshop.contract import Unreadable, Upload, WorkFile  # noqa: E402
from atelier.workshop.engines.design import DesignEngine  # noqa: E402
from atelier.workshop.engines.design.learning.learn import learn, seen  # noqa: E402
from atelier.workshop.engines.design.learning.style import Style  # noqa: E402
from atelier.workshop.engines.design.proof.evaluation import composed  # noqa: E402
from atelier.workshop.engines.design.proof.judging import judge  # noqa: E402
from atelier.workshop.proof.statistics import share  # noqa: E402

TOGETHER = 5
ENOUGH = 30
"""Works of a designer, without which they are left out."""
NOT_PEOPLE = ("International Code of Signals", "Royal Navy", "U.S. Army (public domain clipart)")
"""Flags and badges by rule: nobody's hand."""


def works_of(files: list[Path], workspace: Path, count: int, seed: int) -> list[WorkFile]:
    """So many of a designer's works as the engine takes them in; files that it refuses are passed over."""
    engine, found = DesignEngine(), list[WorkFile]()
    for number, path in enumerate(random.Random(seed).sample(files, len(files))):
        if len(found) == count:
            break
        raw = path.read_bytes()
        upload = Upload(path=str(path), filename=path.name, sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw))
        try:
            pieces = engine.inspect(upload, workspace / str(number)).pieces
        except Unreadable:
            continue
        piece = pieces[0]
        found.append(
            WorkFile(
                id=str(number), path=str(workspace / str(number) / piece.file), sha256=piece.sha256, title=piece.title,
                tags=piece.tags, description=piece.description,
            )
        )  # fmt: skip
    return found


def halves(works: list[WorkFile]) -> tuple[Style, Style]:
    """A style of every second work, and one of the others."""
    looked = [seen(work) for work in works]
    return learn(looked[::2]), learn(looked[1::2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--designers", type=int, default=10)
    parser.add_argument("--works", type=int, default=60)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--json", action="store_true", help="print the JSON without the table")
    asked = parser.parse_args()
    begin = time.monotonic()
    names = [name for name, files in openclipart.by_author().items() if len(files) >= 36 and name not in NOT_PEOPLE]
    known: dict[str, np.ndarray] = {}
    unknown: dict[str, np.ndarray] = {}
    for name in names:
        if len(known) == asked.designers:
            break
        with tempfile.TemporaryDirectory() as folder:
            works = works_of(openclipart.by_author()[name], Path(folder), asked.works, 0)
            if len(works) < ENOUGH:
                print(f"{name}: only {len(works)} works can be used", file=sys.stderr)
                continue
            own, held = halves(works)
        unknown[name] = composed(own, range(asked.seeds)).seen
        known[name] = composed(held, range(100, 100 + asked.seeds)).seen
        print(f"{name}: {len(works)} works, {time.monotonic() - begin:.0f} s", file=sys.stderr)
    table(known, unknown, asked, time.monotonic() - begin)


def table(
    known: dict[str, np.ndarray], unknown: dict[str, np.ndarray], asked: argparse.Namespace, seconds: float
) -> None:
    """Whose pieces were taken for whose, as a table and as JSON."""
    jury = judge(known)
    rows, single, sets = [], [0, 0], [0, 0]
    for name, pieces in unknown.items():
        told = jury.told(pieces)
        order = np.random.default_rng(0).permutation(len(pieces))
        groups = [order[n : n + TOGETHER] for n in range(0, len(order) - TOGETHER + 1, TOGETHER)]
        together = [jury.told_together(pieces[group]) for group in groups]
        single = [single[0] + told.count(name), single[1] + len(told)]
        sets = [sets[0] + together.count(name), sets[1] + len(together)]
        mistaken = Counter(each for each in together if each != name).most_common(1)
        rows.append((name, told.count(name) / len(told), together.count(name) / len(together), mistaken))
    alone, five = share(*single, meaning=""), share(*sets, meaning="")
    if not asked.json:
        print(f"\n{'designer':34} {'one':>6} {'of five':>8}  most mistaken for")
        for name, lone, grouped, mistaken in rows:
            print(f"{name:34} {lone:6.0%} {grouped:8.0%}  {mistaken[0][0] if mistaken else ''}")
        bounds = f"({five.low:.0%} to {five.high:.0%}; by guessing {1 / len(known):.0%})"
        print(f"{'all':34} {alone.value:6.0%} {five.value:8.0%}  {bounds}")
    print(
        json.dumps(
            {
                "designers": len(known), "works": asked.works, "pieces": single[1], "sets": sets[1],
                "one": [alone.value, alone.low, alone.high], "five": [five.value, five.low, five.high],
                "seconds": round(seconds),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
