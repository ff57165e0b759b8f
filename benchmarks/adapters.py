"""A thousand adapters on one node: their memory, how fast they come from disk, and what a long tail costs.

    .venv/bin/python benchmarks/adapters.py [--adapters 1000] [--rounds 3] [--texts 96] [--json]

All adapters have rank 16 and random weights over the installed base; eight are written as PEFT does, the others only
in the packed form (about 5 MB each on disk in a temporary folder). Memory is what the kernel says
(/proc/self/smaps_rollup) before and after so many adapters were loaded; `own` is anonymous memory, the rest are pages
of files that all workers share. Cold: the page cache was told to forget the file (posix_fadvise), and it is summed as
by a new process. Texts of --tokens tokens are asked for by 24 clients at once through the runtime's store of adapters
and 16 slots: of 16 creators, and of all by Zipf's law with the page cache warm and cold; the first token is timed from
the request, loading included. Linux only.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import many
import numpy as np

from atelier.workshop.engines.text import TextEngine
from atelier.workshop.engines.text.base import base
from atelier.workshop.engines.text.prompts import prompt_tokens
from atelier.workshop.engines.text.serving.adapters import TextHand, load
from atelier.workshop.engines.text.serving.drafts import Draft, Task
from atelier.workshop.engines.text.serving.network import network
from atelier.workshop.engines.text.serving.sampling import Sampling
from atelier.workshop.engines.text.serving.scheduler import Request, Scheduler
from atelier.workshop.engines.text.serving.shelf import Shelf, shelf
from atelier.workshop.runtime.hands import Hands

WHOLE = 8
SLOTS, CLIENTS = 16, 24
HELD_BYTES = 512 << 20
SWAPS = 40
HELD = 64

Found = dict[str, list[float]]


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000


def forget(paths: Sequence[Path]) -> None:
    """Let the page cache forget files that nobody has mapped."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def packed_files() -> list[Path]:
    return sorted((Path(os.environ["ATELIER_CACHE"]) / "text" / "adapters").glob("*.packed"))


# Memory -----------------------------------------------------------------------------------------------------------


def memory(creators: Sequence[many.Creator], found: Found) -> None:
    """Bytes an adapter: held ready, held by two processes, in use, and as it was before adapters were mapped."""
    before = many.rollup()
    hands = [load(each.folder, base()) for each in creators[-HELD:]]
    after = many.rollup()
    note(found, "held ready: own MB", (after["Anonymous"] - before["Anonymous"]) / HELD / 1e6)
    note(found, "held ready: mapped MB", (after["Rss"] - before["Rss"]) / HELD / 1e6)
    with_other = _beside([str(each.folder) for each in creators[-HELD:]])
    note(found, "held ready by 2 workers: share of each, MB", (with_other["Pss"] - before["Pss"]) / HELD / 1e6)
    for hand in hands:
        hand.close()
    del hands, hand
    note(found, "let go of: own MB", (many.rollup()["Anonymous"] - before["Anonymous"]) / HELD / 1e6)
    before = many.rollup()
    logging.getLogger("atelier").setLevel(logging.ERROR)  # else each is warned of that cannot be kept
    nowhere = Shelf(Path(os.devnull))
    copies = [load(creators[number % WHOLE].folder, base(), nowhere) for number in range(16)]
    grown = many.rollup()["Anonymous"] - before["Anonymous"]
    note(found, "not mapped, for comparison: own MB", grown / len(copies) / 1e6)


def _beside(folders: Sequence[str]) -> dict[str, int]:
    """What this process holds while another holds the same adapters."""
    script = (
        "import sys, json; from pathlib import Path\n"
        "from atelier.workshop.engines.text.base import base\n"
        "from atelier.workshop.engines.text.serving.adapters import load\n"
        "held = [load(Path(each), base()) for each in json.loads(sys.stdin.readline())]\n"
        "print('ready', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as p:
        assert p.stdin is not None
        assert p.stdout is not None
        p.stdin.write(json.dumps(folders) + "\n")
        p.stdin.flush()
        assert p.stdout.readline() == "ready\n"
        seen = many.rollup()
        p.stdin.write("\n")
    return seen


# From disk --------------------------------------------------------------------------------------------------------


def swaps(creators: Sequence[many.Creator], found: Found, source: np.random.Generator) -> None:
    """Milliseconds to have an adapter ready, median and 95th percentile of many different ones."""
    chosen = [creators[n] for n in source.choice(np.arange(WHOLE, len(creators)), SWAPS, replace=False)]
    place = Path(os.environ["ATELIER_CACHE"]) / "text" / "adapters"
    files = [path for each in chosen if (path := shelf().place(each.folder, base().sha256))]

    def each_of(mine: Shelf) -> list[float]:
        return [timed(lambda: load(creator.folder, base(), mine)) for creator in chosen]  # noqa: B023

    forget(files)
    read = disk_read()
    spread(found, "cold from disk, ms", each_of(_new(place)))
    note(found, "cold from disk: MB read each", (disk_read() - read) / SWAPS / 1e6)
    mine = _new(place)
    spread(found, "in the page cache, first by this worker, ms", each_of(mine))
    spread(found, "in the page cache, again, ms", each_of(mine))
    with tempfile.TemporaryDirectory(dir=place.parent) as fresh:
        packing = [timed(lambda: load(c.folder, base(), _new(Path(fresh)))) for c in creators[:WHOLE]]  # noqa: B023
    spread(found, "never packed before, ms", packing)


def _new(place: Path) -> Shelf:
    """A shelf as a new process has it, after its first look around."""
    made = Shelf(place)
    made.take(place / "nothing")
    return made


def disk_read() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("read_bytes"))


# Under load -------------------------------------------------------------------------------------------------------


class Crowd:
    """Clients that each ask for one text after another."""

    def __init__(self, tokens: int) -> None:
        self.engine = TextEngine()
        self.scheduler = Scheduler(network(base(), slots=SLOTS, length=512, threads=os.cpu_count() or 1))
        tokenizer = base().tokenizer()
        ends = frozenset(tokenizer.get_added_tokens_decoder()) | {base().config.eos}
        subjects = ("a blue mug", "a ferry timetable", "a hand-bound notebook with ruled pages", "a bakery at five")
        self.tasks = [
            Task(
                tuple(prompt_tokens(tokenizer, {"subject": subject, "format": "e-mail"})),
                tokens, base().config.eos, ends, tokenizer.decode, sampling=Sampling(),
            )
            for subject in subjects
        ]  # fmt: skip

    def serve(self, order: Sequence[many.Creator]) -> dict[str, float]:
        """All texts, in this order as clients become free: tokens a second, seconds to first tokens, and swaps."""
        hands, lock, left = Hands(HELD_BYTES), threading.Lock(), list(enumerate(order))[::-1]
        firsts: list[float] = []
        before = shelf().tally.mapped

        def client() -> None:
            while True:
                with lock:
                    if not left:
                        return
                    number, creator = left.pop()
                begin = time.perf_counter()
                with hands.held(self.engine, creator.folder, creator.sha256) as hand:
                    assert isinstance(hand, TextHand)
                    first = self._text(hand, number) - begin
                with lock:
                    firsts.append(first)

        clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
        begin = time.perf_counter()
        for each in clients:
            each.start()
        for each in clients:
            each.join()
        seconds = time.perf_counter() - begin
        hands.close()
        return {
            "tokens a second": len(order) * self.tasks[0].tokens_max / seconds,
            "first token p50, s": float(np.percentile(firsts, 50)),
            "first token p95, s": float(np.percentile(firsts, 95)),
            "adapters mapped": shelf().tally.mapped - before,
        }

    def _text(self, hand: TextHand, number: int) -> float:
        """Write one text; when its first token came."""
        task = self.tasks[number % len(self.tasks)]
        flows = (hand.adapter_sha256, f"client {number % CLIENTS}")
        request = Request([Draft(task, number)], hand.adapter_sha256, hand.adapter, flows=flows)
        self.scheduler.submit(request)
        first = None
        while True:
            news = request.inbox.get()
            if isinstance(news, BaseException):
                raise news
            first = first or time.perf_counter()
            if news.done:
                return first


def load_rows(
    crowd: Crowd, creators: Sequence[many.Creator], texts: int, exponent: float, found: Found, round_: int
) -> None:
    """The same number of texts of 16 creators, of all creators, and of all with nothing in the page cache."""
    source = np.random.default_rng(round_)
    shares = many.popularity(len(creators), exponent)
    ranked = [creators[n] for n in np.random.default_rng(0).permutation(len(creators))]
    tail = [ranked[n] for n in source.choice(len(ranked), texts, p=shares)]
    kinds = {
        "16 creators": [ranked[n % 16] for n in range(texts)],
        f"Zipf over {len(creators)}, page cache warm": tail,
        f"Zipf over {len(creators)}, page cache cold": tail,
    }
    for kind, order in kinds.items():
        if kind.endswith("cold"):
            forget(packed_files())
        elif kind.endswith("warm"):
            for each in order:
                load(each.folder, base())
        for name, value in crowd.serve(order).items():
            note(found, f"{kind}: {name}", value)
        note(found, f"{kind}: creators", len({each.sha256 for each in order}))


# All of it --------------------------------------------------------------------------------------------------------


def note(found: Found, name: str, value: float) -> None:
    found.setdefault(name, []).append(value)


def spread(found: Found, name: str, values: Sequence[float]) -> None:
    note(found, f"{name} p50", float(np.percentile(values, 50)))
    note(found, f"{name} p95", float(np.percentile(values, 95)))


def measure(words: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Everything, as plain data."""
    many.own_cache(folder / "cache")
    begin = time.perf_counter()
    creators = many.make(folder / "creators", words.adapters, WHOLE)
    made = time.perf_counter() - begin
    found: Found = {}
    nothing = many.rollup()
    for _ in range(words.rounds):
        memory(creators, found)
    for number in range(words.rounds):
        swaps(creators, found, np.random.default_rng(number))
    crowd = Crowd(words.tokens)
    crowd.serve([creators[n] for n in range(WHOLE, WHOLE + SLOTS)])
    for number in range(words.rounds):
        load_rows(crowd, creators, words.texts, words.zipf, found, number)
    told = crowd.scheduler.memory()
    crowd.scheduler.close()
    return {
        "machine": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "base": base().info.name,
        "adapters": len(creators),
        "made_seconds": made,
        "disk_bytes": shelf().bytes_on_disk,
        "process_bytes_before": nothing,
        "serving": {name: getattr(told, name) for name in told.__dataclass_fields__},
        "rows": {name: {"rounds": values, "median": statistics.median(values)} for name, values in found.items()},
    }


def show(found: dict[str, Any]) -> None:
    """The table, for a person."""
    print(f"{found['base']}, {found['cores']} cores, {found['adapters']} adapters of rank {many.RANK}")
    print(f"idle on disk, each: {found['disk_bytes'] / found['adapters'] / 1e6:.2f} MB; in memory: nothing")
    print(f"{'each adapter, or as it says':<66}{'median':>10}  range over rounds")
    for name, row in found["rows"].items():
        print(f"{name:<66}{row['median']:>10.3f}  {min(row['rounds']):.3f}–{max(row['rounds']):.3f}")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--adapters", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--texts", type=int, default=96, help="texts a round and kind of load")
    parser.add_argument("--tokens", type=int, default=48, help="tokens a text")
    parser.add_argument("--zipf", type=float, default=1.0, help="exponent of popularity")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(words, Path(folder))
    if words.json:
        print(json.dumps(found))
    else:
        show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
