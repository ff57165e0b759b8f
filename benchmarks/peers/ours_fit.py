"""The text engine's own training, its looks at the works that say when to stop included."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from atelier.workshop.engines.text.base import base
from atelier.workshop.engines.text.crew import crew
from atelier.workshop.engines.text.efforts import train_effort
from atelier.workshop.engines.text.examples import Example
from atelier.workshop.engines.text.recipe import recipe
from atelier.workshop.steps import Plan


def clocks() -> tuple[float, float]:
    """Seconds, and seconds of processor time over all threads."""
    return time.perf_counter(), time.process_time()


def main() -> None:
    """Train on the examples of the job on standard input; keep the adapter after every step, with the clock held."""
    job = json.load(sys.stdin)
    chosen, source = recipe({"threads": job["threads"]}), base()
    train, stop = ([Example(w, tuple(t), b, e) for w, t, b, e in job[part]] for part in ("train", "stop"))
    plan = Plan(lambda _: None, {"train": train_effort(train, stop, chosen)})
    points: list[dict[str, Any]] = []
    with crew(chosen.cores(), plan.tell) as team:
        from atelier.workshop.engines.text.fitting import fit
        from atelier.workshop.engines.text.llama import Llama
        from atelier.workshop.engines.text.lora import Lora, save

        (model,) = team.map(Llama, [source])
        plan.enter("train")
        spent, begun = [0.0, 0.0], clocks()

        def watch(step: int, lora: Lora) -> None:
            nonlocal spent, begun
            spent = [past + now - then for past, now, then in zip(spent, clocks(), begun, strict=True)]
            folder = Path(job["out"]) / f"step-{step}"
            save(lora, source, folder)
            points.append({"step": step, "seconds": spent[0], "cpu_seconds": spent[1], "folder": str(folder)})
            begun = clocks()

        found = fit(model, train, stop, chosen, job["seed"], plan, team, watch=watch)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"points": points, "chosen_step": found.best_step, "peak_memory_bytes": peak}))


if __name__ == "__main__":
    main()
