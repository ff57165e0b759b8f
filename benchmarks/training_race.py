"""Training beside the usual recipe (TRL's SFT trainer with PEFT) on the same base, works and split.

    .venv/bin/python benchmarks/training_race.py --prepare FOLDER      # an environment for the peer, once
    .venv/bin/python benchmarks/training_race.py --peer FOLDER/bin/python [--seeds 0 1 2] [--keep FILE] [--json]

Two peers: `trl_defaults` sets nothing; `trl_well_set` has our rank, layers, learning rate, schedule, batch, steps and
half precision. All train on the same prompts and works with the same threads, in processes of their own, one after
another; the clock stands while an adapter is kept, and runs while ours looks at the works that tell it when to stop.
Every adapter kept is then measured by our own code on the works that no one trained on nor looked at. `to_peer_best` is
how many seconds each took to the peer's best held-out loss, and how many of all processors' time
(which other programs on the machine disturb less). A seed is a round, with a split and an order of its own.
With --keep rounds already in FILE are not run again, so that a long race can be run in parts. --works is JSON as for
benchmarks/training.py.
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
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training import DEMO, FABLES, works_of

from atelier.workshop.contract import WorkFile
from atelier.workshop.engines.text.base import Base, base
from atelier.workshop.engines.text.chat import template_of
from atelier.workshop.engines.text.crew import crew
from atelier.workshop.engines.text.examples import Example, examples
from atelier.workshop.engines.text.prompts import prompt_text_for_work
from atelier.workshop.engines.text.recipe import recipe
from atelier.workshop.engines.text.splits import Split, Text, design

PEERS = Path(__file__).parent / "peers"
PINNED = ("trl==1.16.0", "peft==0.21.2", "transformers==5.23.0", "accelerate==1.15.0", "datasets==5.2.0")
TORCH = ("torch==2.13.0", "--index-url", "https://download.pytorch.org/whl/cpu")
OURS, DEFAULTS, WELL_SET = "ours", "trl_defaults", "trl_well_set"
CLOCKS = ("seconds", "cpu_seconds")
Round = dict[str, Any]


def prepare(folder: Path) -> Path:
    """An interpreter with what the peer needs, in versions that were measured; made on the first call."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        for wanted in (TORCH, PINNED):
            subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    return python


def divided(works: Sequence[dict[str, Any]], seed: int) -> Split:
    """The works as a training run divides them."""
    texts = [
        Text(
            WorkFile(id=str(n), path="", sha256=f"{n:064d}", title=work["title"], description=work["description"]),
            work["text"],
        )
        for n, work in enumerate(works)
    ]
    return design(texts, seed).rounds[0]


def job_of(source: Base, split: Split, seed: int, threads: int) -> dict[str, Any]:
    """What every contender is given."""
    tokenizer, chosen = source.tokenizer(), recipe({"threads": threads})
    train, stop = (examples(part, tokenizer, chosen.longest) for part in (split.train, split.validation))
    template = template_of(tokenizer)
    return {
        "base": str(source.directory),
        "pairs": [
            {"prompt": prompt_text_for_work(text.work, text.text, template), "completion": text.text}
            for text in split.train
        ],
        "train": [_listed(example) for example in train],
        "stop": [_listed(example) for example in stop],
        "recipe": chosen.as_dict(),
        "steps": chosen.steps(len(train)),
        "seed": seed,
        "threads": threads,
    }


def _listed(example: Example) -> list[Any]:
    return [example.work, list(example.tokens), example.begin, example.ends]


def turn(contender: str, python: str, job: dict[str, Any], out: Path) -> dict[str, Any]:
    """One contender's training in a process of its own."""
    script = PEERS / ("ours_fit.py" if contender == OURS else "trl_sft.py")
    threads = str(job["threads"])
    done = subprocess.run(
        [python, str(script)],
        input=json.dumps({**job, "contender": contender, "out": str(out)}),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
    )
    if done.returncode:
        raise SystemExit(f"{contender} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def measure(source: Base, held_out: Sequence[Example], folders: Sequence[str], threads: int) -> list[float]:
    """Held-out loss in nats a token: of the base alone, then of each adapter."""
    with crew(threads, lambda: None) as team:
        from atelier.workshop.engines.text.fitting import mean_loss
        from atelier.workshop.engines.text.llama import Llama

        (model,) = team.map(Llama, [source])
        found = [mean_loss(model, None, held_out, team)]
        return found + [mean_loss(model, peft_adapter(Path(folder), source), held_out, team) for folder in folders]


def peft_adapter(folder: Path, source: Base) -> Any:
    """An adapter that PEFT wrote, on whichever layers; the others do nothing."""
    import torch
    from safetensors.torch import load_file

    from atelier.workshop.engines.text.lora import CONFIG, PREFIX, WEIGHTS, Lora
    from atelier.workshop.engines.text.shape import layer_sizes

    told = json.loads((folder / CONFIG).read_text("utf-8"))
    tensors, rank = load_file(folder / WEIGHTS), int(told["r"])
    down, up = {}, {}
    for name, (outputs, inputs) in layer_sizes(source.config).items():
        first, second = (tensors.pop(f"{PREFIX}{name}.lora_{letter}.weight", None) for letter in "AB")
        down[name] = torch.zeros(rank, inputs) if first is None else first.float()
        up[name] = torch.zeros(outputs, rank) if second is None else second.float()
    if tensors:
        raise SystemExit(f"{folder} holds weights that are not of this base: {', '.join(sorted(tensors)[:3])}")
    return Lora(down, up, rank, float(told["lora_alpha"]))


def race(works: Sequence[dict[str, Any]], seed: int, contenders: dict[str, str], threads: int) -> Round:
    """One round: all contenders one after another, then what their adapters are worth."""
    source, split = base(), divided(works, seed)
    job, held_out = job_of(source, split, seed, threads), examples(split.test, base().tokenizer(), 512)
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name, python in contenders.items():
            rows[name] = turn(name, python, job, Path(scratch) / name)
            sys.stderr.write(f"seed {seed}: {name} trained {rows[name]['points'][-1]['seconds']:.0f} s\n")
        points = [point for row in rows.values() for point in row["points"]]
        begin, *losses = measure(source, held_out, [point.pop("folder") for point in points], threads)
    for point, loss in zip(points, losses, strict=True):
        point["loss"] = loss
    for row in rows.values():
        last = row["points"][-1]
        row |= {clock: last[clock] for clock in CLOCKS}
        row |= {"last": last["loss"], "best": min(point["loss"] for point in row["points"])}
        if "chosen_step" in row:  # What a creator gets: chosen without knowledge of the held-out works.
            kept = [p["loss"] for p in row["points"] if p["step"] == row["chosen_step"]]
            row["chosen"] = kept[0] if kept else begin
    return {"seed": seed, "base": begin, "held_out": len(split.test), "trained": len(split.train), "rows": rows}


def reached(row: dict[str, Any], loss: float, clock: str) -> float | None:
    """Seconds of training, by this clock, until the held-out loss was first no higher than this."""
    return next((point[clock] for point in row["points"] if point["loss"] <= loss), None)


def against(rounds: Sequence[Round], peer: str, clock: str) -> dict[str, Any]:
    """Ours beside a peer by a clock: medians, least and greatest over the rounds in which ours came as far."""
    pairs = []
    for each in rounds:
        target = each["rows"][peer]["best"]
        theirs, ours = (reached(each["rows"][name], target, clock) for name in (peer, OURS))
        if theirs and ours:
            pairs.append((theirs, ours))
    told: dict[str, Any] = {"reached": len(pairs), "rounds": len(rounds)}
    if pairs:
        told["theirs"], told["ours"] = (spread(column) for column in zip(*pairs, strict=True))
        told["ratio"] = spread([theirs / ours for theirs, ours in pairs])
    return told


def spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
    }


def summary(rounds: Sequence[Round]) -> dict[str, Any]:
    """A row for each contender, and ours beside each peer."""
    names = list(rounds[0]["rows"])
    table = {
        name: {
            **{clock: spread([r["rows"][name][clock] for r in rounds]) for clock in CLOCKS},
            "best_loss": spread([r["rows"][name]["best"] for r in rounds]),
            "last_loss": spread([r["rows"][name]["last"] for r in rounds]),
            "peak_memory_gb": spread([r["rows"][name]["peak_memory_bytes"] / 1e9 for r in rounds]),
        }
        for name in names
    }
    table[OURS]["chosen_loss"] = spread([r["rows"][OURS]["chosen"] for r in rounds])
    return {
        "base_loss": spread([r["base"] for r in rounds]),
        "contenders": table,
        "to_peer_best": {
            clock: {name: against(rounds, name, clock) for name in names if name != OURS} for clock in CLOCKS
        },
    }


def told(value: dict[str, float], digits: int = 1) -> str:
    return f"{value['median']:.{digits}f} ({value['least']:.{digits}f}–{value['most']:.{digits}f})"


def table(found: dict[str, Any]) -> str:
    """The summary for a person to read."""
    lines = [f"base alone: held-out loss {told(found['base_loss'], 3)}"]
    lines.append(f"{'':14} {'training s':>20} {'best loss':>22} {'last loss':>22} {'peak GB':>18}")
    for name, row in found["contenders"].items():
        lines.append(
            f"{name:14} {told(row['seconds']):>20} {told(row['best_loss'], 3):>22} {told(row['last_loss'], 3):>22} "
            f"{told(row['peak_memory_gb'], 2):>18}"
        )
    lines.append(f"ours keeps, without knowing the held-out works: {told(found['contenders'][OURS]['chosen_loss'], 3)}")
    for clock, peers in found["to_peer_best"].items():
        for name, row in peers.items():
            line = f"{clock} to the best loss of {name}, reached by ours in {row['reached']} of {row['rounds']}"
            if row["reached"]:
                line += f": it {told(row['theirs'])}, ours {told(row['ours'])}, {told(row['ratio'])} times as fast"
            lines.append(line)
    return "\n".join(lines)


def main() -> int:
    """Run the rounds and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", metavar="PYTHON", help="an interpreter that has torch, trl and peft")
    parser.add_argument("--prepare", type=Path, metavar="FOLDER", help="make an environment for the peer there")
    parser.add_argument("--works", type=Path, default=FABLES if FABLES.exists() else DEMO)
    parser.add_argument("--size", type=int, default=40, help="how many of the works")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--keep", type=Path, metavar="FILE", help="where rounds are kept for a later call")
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    words = parser.parse_args()
    peer = str(prepare(words.prepare)) if words.prepare else words.peer
    if words.prepare and not words.peer:
        print(peer)
        return 0
    contenders = {OURS: sys.executable, **({DEFAULTS: peer, WELL_SET: peer} if peer else {})}
    works = works_of(words.works)[: words.size]
    rounds: list[Round] = json.loads(words.keep.read_text("utf-8")) if words.keep and words.keep.exists() else []
    for seed in words.seeds[: 1 if words.quick else None]:
        if all(each["seed"] != seed for each in rounds):
            rounds.append(race(works, seed, contenders, words.threads))
            if words.keep:
                words.keep.write_text(json.dumps(rounds), "utf-8")
    found = {"works": words.works.name, "trained": rounds[0]["trained"], **summary(rounds)}
    if words.json:
        print(json.dumps({"machine": platform.machine(), "threads": words.threads, **found, "rounds": rounds}))
        return 0
    print(
        f"{words.works.name}: {rounds[0]['trained']} works to train on, {words.threads} threads, {platform.machine()}"
    )
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
