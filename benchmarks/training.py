"""Training time, memory and proof of the text engine on real works, as `bin/atelier train` does it.

    .venv/bin/python benchmarks/training.py [--works FILE] [--sizes 40 146] [--seeds 0] [--json]

FILE is JSON: a list of {title, fable or text, lesson}; by default the public-domain fables beside the checkout, and
the demo's forty works where those are absent. Each row is one whole run in a process of its own, evaluation included.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FABLES = ROOT.parent / "shared" / "data" / "aesop_for_children.json"
DEMO = ROOT / "src" / "atelier" / "config" / "demo" / "works" / "orrin-slate.json"


def works_of(file: Path) -> list[dict[str, Any]]:
    """Works as {title, description, text}."""
    found = json.loads(file.read_text("utf-8"))
    rows = found["works"] if isinstance(found, dict) else found
    return [
        {
            "title": row["title"],
            "description": row.get("lesson") or row.get("description", ""),
            "text": row.get("fable") or row["text"],
        }
        for row in rows
    ]


def run(works: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """One training from files to proof; what `atelier train --json` says of it."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "works"
        folder.mkdir()
        listed = []
        for number, work in enumerate(works):
            name = f"{number:03d}.txt"
            (folder / name).write_text(work["text"], "utf-8")
            listed.append({"file": name, "title": work["title"], "description": work["description"]})
        (folder / "works.json").write_text(json.dumps(listed), "utf-8")
        command = [sys.executable, "-m", "atelier.cli", "train", "--engine", "text", "--works", str(folder)]
        command += ["--out", str(Path(scratch) / "adapter"), "--seed", str(seed), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def main() -> int:
    """Run every size with every seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=Path, default=FABLES if FABLES.exists() else DEMO)
    parser.add_argument("--sizes", type=int, nargs="+", default=[40])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    words = parser.parse_args()
    works = works_of(words.works)
    rows = []
    for size in words.sizes:
        for seed in words.seeds:
            told = run(works[:size], seed)
            fidelity = told["fidelity"]
            rows.append(
                {
                    "works": min(size, len(works)),
                    "seed": seed,
                    "seconds": told["seconds"],
                    "peak_memory_gb": round(told["peak_memory_bytes"] / 1e9, 2),
                    "perplexity_base": round(fidelity["perplexity_base"], 2),
                    "perplexity_adapter": round(fidelity["perplexity_adapter"], 2),
                    "drop_percent": round(100 * (1 - fidelity["perplexity_adapter"] / fidelity["perplexity_base"]), 1),
                    "verdicts": {q: told[q]["verdict"] for q in ("fidelity", "worth", "copying", "safety")},
                }
            )
            if not words.json:
                sys.stderr.write(f"{rows[-1]}\n")
    if words.json:
        print(
            json.dumps({"machine": platform.processor() or platform.machine(), "works": words.works.name, "rows": rows})
        )
        return 0
    print(f"{words.works.name}, {platform.machine()}, Python {platform.python_version()}")
    print(f"{'works':>5} {'seed':>4} {'seconds':>8} {'peak GB':>8} {'ppl base':>9} {'ppl adapter':>12} {'drop':>6}")
    for row in rows:
        print(
            f"{row['works']:>5} {row['seed']:>4} {row['seconds']:>8.0f} {row['peak_memory_gb']:>8.2f} "
            f"{row['perplexity_base']:>9.2f} {row['perplexity_adapter']:>12.2f} {row['drop_percent']:>5.1f}%"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
