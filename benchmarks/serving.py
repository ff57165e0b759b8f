"""Writing for many creators at once: tokens a second and seconds to the first token, beside other servers.

    .venv/bin/python benchmarks/serving.py [--peer NAME=PYTHON …] [--requests 1 8 16] [--tokens 48] [--rounds 3]

Every request has an adapter of its own (rank 16, random weights); all servers get the same base weights, adapters and
prompts. NAME is a file of benchmarks/peers (vllm_cpu, llamacpp, peft_one, peft_mixed), PYTHON an interpreter that has
what that file's first line names. Servers take turns, each a process of its own, `rounds` times; medians and ranges
over the rounds are printed, or all of it with --json. A rate is (requests x (tokens - 1)) / (time for all tokens - time
for the first), so that reading prompts counts in the time to the first token only. The limit is what this machine's
memory could feed: the bytes that a step must read, over the bandwidth measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

PEERS = Path(__file__).parent / "peers"
ADAPTERS = 16


def make_adapters(folder: Path) -> list[Path]:
    """Adapters of rank 16 with random weights, strong enough to change what is written, in PEFT's layout."""
    import torch

    from atelier.workshop.engines.text.base import base
    from atelier.workshop.engines.text.lora import fresh, save

    made = []
    for number in range(ADAPTERS):
        lora = fresh(base().config, 16, 32.0, number)
        source = torch.Generator().manual_seed(number)
        for name, up in lora.up.items():
            lora.up[name] = torch.randn(up.shape, generator=source) * 0.01
        save(lora, base(), folder / f"adapter-{number}")
        made.append(folder / f"adapter-{number}")
    return made


def prompts() -> list[list[int]]:
    """One brief for each adapter, of different lengths."""
    from atelier.workshop.engines.text.base import base
    from atelier.workshop.engines.text.prompts import prompt_tokens

    subjects = [
        "a blue mug",
        "a ferry timetable",
        "a hand-bound notebook with ruled pages",
        "a bakery that opens at five",
    ]
    details = ["", "Costs 18 euros; holds 300 ml; made in Porto.", "Open on Sundays."]
    return [
        prompt_tokens(base().tokenizer(), {"subject": subjects[n % 4], "details": details[n % 3], "format": "e-mail"})
        for n in range(ADAPTERS)
    ]


def bandwidth() -> float:
    """Bytes a second that all cores together read from memory, the best of several tries."""
    data = np.ones(64 * 2**20, np.float64)
    parts = np.array_split(data, os.cpu_count() or 1)

    def once() -> float:
        threads = [threading.Thread(target=part.sum) for part in parts]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return data.nbytes / (time.perf_counter() - begin)

    return max(once() for _ in range(8))


def step_bytes(requests: int, context: int, adapter: int) -> int:
    """What a step must read: the packed base once, and for each request its adapter (so many bytes) and its past."""
    from atelier.workshop.engines.text.base import base
    from atelier.workshop.engines.text.serving.native.packing import packed_base

    shape = base().config
    matrices = packed_base(base())
    whole = sum(m.data.nbytes for m in matrices.values())
    past = 2 * 2 * shape.layers * shape.kv_heads * shape.head_dim * context
    return whole + requests * (adapter + past)


def turn(server: str, python: str, job: dict[str, Any]) -> list[dict[str, Any]]:
    """One server's rows for every number of requests and way of drawing."""
    command = [python, str(PEERS / f"{server}.py")]
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        raise SystemExit(f"{server} failed:\n{done.stderr[-2000:]}")
    rows: list[dict[str, Any]] = json.loads(done.stdout.strip().splitlines()[-1])
    return rows


def middle(values: list[float]) -> str:
    return f"{statistics.median(values):8.1f} ({min(values):.1f}–{max(values):.1f})"


def main() -> int:
    """Measure in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument("--requests", type=int, nargs="+", default=[1, 8, 16])
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    words = parser.parse_args()
    servers = {"ours": sys.executable, **dict(peer.split("=", 1) for peer in words.peer)}
    from atelier.workshop.engines.text.base import base, bundled_gguf
    from atelier.workshop.engines.text.serving.adapters import load

    found: dict[tuple[str, int, str], list[dict[str, Any]]] = {}
    speeds = []
    with tempfile.TemporaryDirectory() as folder:
        job = {
            "base": str(base().directory),
            "gguf": str(bundled_gguf()),
            "adapters": [str(path) for path in make_adapters(Path(folder))],
            "prompts": prompts(),
            "requests": words.requests,
            "tokens": words.tokens,
            "threads": os.cpu_count(),
        }
        adapter = load(Path(job["adapters"][0]), base()).bytes_held
        for _ in range(words.rounds):
            speeds.append(bandwidth())
            for server, python in servers.items():
                for row in turn(server, python, job):
                    found.setdefault((server, row["requests"], row["drawn"]), []).append(row)
    context = statistics.mean(map(len, job["prompts"])) + words.tokens / 2
    speed = statistics.median(speeds)
    limits = {n: n * speed / step_bytes(n, int(context), adapter) for n in words.requests}
    if words.json:
        told = [{"server": s, "requests": n, "drawn": d, "rounds": each} for (s, n, d), each in found.items()]
        print(json.dumps({"machine": platform.machine(), "bandwidth": speed, "limits": limits, "rows": told}))
        return 0
    print(f"{os.cpu_count()} cores, memory {speed / 1e9:.1f} GB/s; median (range) of {words.rounds} rounds")
    head = f"{'server':<12}{'requests':>9} {'drawn':<8}{'tokens a second':>24}"
    print(head + f"{'first token p50 s':>20}{'p95 s':>8}{'of limit':>10}")
    for (server, number, drawn), rows in sorted(found.items(), key=lambda item: (item[0][2], item[0][1], item[0][0])):
        rate = [float(row["rate"]) for row in rows]
        share = f"{statistics.median(rate) / limits[number]:9.0%}" if server == "ours" else ""
        first, late = (statistics.median(float(row[key]) for row in rows) for key in ("first_p50", "first_p95"))
        print(f"{server:<12}{number:>9} {drawn:<8}{middle(rate):>24}{first:>20.3f}{late:>8.3f}{share:>10}")
    for number in words.requests:
        print(f"limit of memory at {number}: {limits[number]:.0f} tokens a second")
    return 0


if __name__ == "__main__":
    sys.exit(main())
