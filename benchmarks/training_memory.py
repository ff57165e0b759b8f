"""What several training jobs at once cost in memory, all of them on one base. Linux only.

    .venv/bin/python benchmarks/training_memory.py [--jobs 1 2 3] [--json]

Each job is a process of its own that has loaded the base and made one step of training; then all are looked at while
they wait. `whole` is what the jobs take together: the sum of their proportional set sizes (PSS), in which a page that n
processes share counts for 1/n in each. `base` is the part of it that holds the base's weights.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training import DEMO, works_of
from training_race import divided, job_of

from atelier.workshop.engines.text.base import base
from atelier.workshop.engines.text.crew import crew
from atelier.workshop.engines.text.examples import Example
from atelier.workshop.engines.text.recipe import recipe
from atelier.workshop.steps import Plan


def child() -> None:
    """Load, make one step, say so, and wait until standard input ends."""
    source = base()
    job = job_of(source, divided(works_of(DEMO), 0), 0, 1)
    train, stop = ([Example(w, tuple(t), b, e) for w, t, b, e in job[part]] for part in ("train", "stop"))
    chosen = recipe({"threads": 1, "epochs": 1, "checks": 1})
    plan = Plan(lambda _: None, {"train": 1e9})
    with crew(1, lambda: None) as team:
        from atelier.workshop.engines.text.fitting import fit
        from atelier.workshop.engines.text.llama import Llama

        (model,) = team.map(Llama, [source])
        plan.enter("train")
        found = fit(model, train[: chosen.batch], stop[:1], chosen, 0, plan, team)
        print(found.steps, flush=True)
        sys.stdin.read()


def taken(process: int, files: Sequence[Path]) -> dict[str, float]:
    """Megabytes of a process by kind, as the kernel counts them."""
    whole: dict[str, float] = {"whole": 0, "base": 0, "own": 0}
    ours = False
    for line in Path(f"/proc/{process}/smaps").read_text("utf-8").splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            ours = bool(rest) and rest[-1] in map(str, files)
        elif first == "Pss:":
            whole["whole"] += int(rest[0]) / 1000
            whole["base"] += int(rest[0]) / 1000 if ours else 0
        elif first == "Anonymous:":
            whole["own"] += int(rest[0]) / 1000
    return whole


def together(jobs: int) -> dict[str, Any]:
    """A row: so many jobs at once."""
    command = [sys.executable, __file__, "--child"]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(jobs)]
    try:
        for process in started:
            assert process.stdout is not None
            if not process.stdout.readline():
                raise SystemExit("a training job ended before its step was done")
        each = [taken(process.pid, base().half_files()) for process in started]
    finally:
        for process in started:
            process.communicate()
    sums = {f"{kind}_mb": round(sum(row[kind] for row in each)) for kind in each[0]}
    return {"jobs": jobs, **sums, "a_job_mb": round(sums["whole_mb"] / jobs)}


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.child:
        child()
        return 0
    rows = [together(jobs) for jobs in words.jobs]
    if words.json:
        print(json.dumps({"base": base().info.name, "rows": rows}))
        return 0
    print(f"{base().info.name}, megabytes")
    print(f"{'jobs':>4} {'whole':>7} {'base':>6} {'own':>6} {'a job':>6}")
    for row in rows:
        print(f"{row['jobs']:>4} {row['whole_mb']:>7} {row['base_mb']:>6} {row['own_mb']:>6} {row['a_job_mb']:>6}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
