"""Versions trained on real writers, what they write, and how they foretell every writer's works: see proof.py.

    .venv/bin/python benchmarks/versions.py aesop austen …  [--works 40] [--into FOLDER] [--cache FOLDER]

A version takes about two minutes on two cores. What is found is kept in FOLDER, one JSON file a writer beside its
adapter, and made again only where it is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from authors import CACHE, Author, Piece, authors

from atelier.workshop.contract import WorkFile
from atelier.workshop.engines.text.base import Base, base
from atelier.workshop.engines.text.crew import crew
from atelier.workshop.engines.text.device import device
from atelier.workshop.engines.text.efforts import train_effort
from atelier.workshop.engines.text.examples import examples, read
from atelier.workshop.engines.text.house.skill import skill
from atelier.workshop.engines.text.prompts import brief_for_work
from atelier.workshop.engines.text.recipe import Recipe
from atelier.workshop.engines.text.serving.adapters import load
from atelier.workshop.engines.text.serving.delivery import task_for
from atelier.workshop.engines.text.serving.native.decoder import Adapter
from atelier.workshop.engines.text.serving.sampling import Sampling
from atelier.workshop.engines.text.splits import design
from atelier.workshop.engines.text.training import ADAPTER
from atelier.workshop.engines.text.verdicts import FALL_CLEAR, FALL_LEAST
from atelier.workshop.engines.text.writing import Order, write
from atelier.workshop.proof.statistics import bootstrap, drop
from atelier.workshop.steps import Plan

AT_ONCE = 16
APART = 24
"""Pieces that the version never saw: their briefs are written for, and its foretelling is measured on them."""
SEED = 0
Table = dict[str, dict[str, list[list[float]]]]


@dataclass(frozen=True)
class Drawn:
    """A writer's pieces for one version: those it learns from (its own test and stopping among them), those apart."""

    works: tuple[Piece, ...]
    apart: tuple[Piece, ...]


@dataclass(frozen=True)
class Written:
    """What was written for the briefs of the works learned from (`base_known`) and of the pieces apart."""

    base_known: tuple[str, ...]
    base: tuple[str, ...]
    version: tuple[str, ...]


def draw(author: Author, count: int) -> Drawn:
    """The same pieces every time; fewer than asked where the writer has no more to spare."""
    shuffled = list(author.pieces)
    random.Random(f"{SEED} {author.name}").shuffle(shuffled)
    apart = min(APART, len(shuffled) // 4)
    return Drawn(tuple(shuffled[apart : apart + count]), tuple(shuffled[:apart]))


def files(author: Author, pieces: Sequence[Piece], folder: Path) -> tuple[WorkFile, ...]:
    """The pieces as works on disk, titled where nearly every piece has a title of its own."""
    titled = len({piece.source for piece in author.pieces}) > 0.8 * len(author.pieces)
    found = []
    folder.mkdir(parents=True, exist_ok=True)
    for number, piece in enumerate(pieces):
        raw = piece.text.encode()
        path = folder / f"{number:03d}.txt"
        path.write_bytes(raw)
        found.append(
            WorkFile(
                id=str(number),
                path=str(path),
                sha256=hashlib.sha256(raw).hexdigest(),
                title=piece.source if titled else "",
                language=author.language,
            )
        )
    return tuple(found)


def learn(author: Author, count: int, into: Path) -> dict[str, Any]:
    """Train a version and write with it; what is kept in `into` is not made again."""
    kept = into / f"{author.name.replace(' ', '-')}-{count}"
    if (kept / "found.json").exists():
        found: dict[str, Any] = json.loads((kept / "found.json").read_text("utf-8"))
        return found
    drawn = draw(author, count)
    with tempfile.TemporaryDirectory() as scratch:
        works = files(author, drawn.works, Path(scratch) / "works")
        apart = files(author, drawn.apart, Path(scratch) / "apart")
        if not (kept / "trained.json").exists():
            told = {"author": author.name, "works": count, **train(works, kept / ADAPTER)}
            (kept / "trained.json").write_text(json.dumps(told, ensure_ascii=False), "utf-8")
        written = write_all(works, apart, load(kept / ADAPTER, base()).adapter)
    found = {**json.loads((kept / "trained.json").read_text("utf-8")), "written": asdict(written)}
    (kept / "found.json").write_text(json.dumps(found, ensure_ascii=False), "utf-8")
    return found


def train(works: Sequence[WorkFile], folder: Path) -> dict[str, Any]:
    """An adapter as a training run makes it first: its proof, and trying again where it copies, are left out."""
    from atelier.workshop.engines.text.fitting import fit
    from atelier.workshop.engines.text.llama import Llama
    from atelier.workshop.engines.text.lora import save

    source, chosen, begin = base(), Recipe(), time.monotonic()
    divided = design([read(work) for work in works], SEED).shipped
    learned, stop = (examples(part, source.tokenizer(), chosen.longest) for part in (divided.train, divided.validation))
    plan = Plan(lambda _: None, {"train": train_effort(learned, stop, chosen)})
    with crew(chosen.cores(), plan.tell) as team:
        (model,) = team.map(lambda each: Llama(each, device=device()), [source])
        plan.enter("train")
        start = skill(source, chosen.rank) if chosen.house else None
        found = fit(model, learned, stop, chosen, SEED, plan, team, start)
    save(found.lora, source, folder)
    return {"seconds": round(time.monotonic() - begin, 1), "best_step": found.best_step, "steps": found.steps}


def write_all(works: Sequence[WorkFile], apart: Sequence[WorkFile], adapter: Adapter) -> Written:
    """The base for briefs of works learned from; base and version for the briefs of the pieces apart."""
    source, texts = base(), {}
    for kind, chosen, hand in (("base_known", works[:APART], None), ("base", apart, None), ("version", apart, adapter)):
        orders = [_order(source, work, number, hand) for number, work in enumerate(chosen)]
        found: list[str] = []
        for place in range(0, len(orders), AT_ONCE):
            found += write(source, orders[place : place + AT_ONCE], Recipe().cores(), lambda _: None)
        texts[kind] = tuple(found)
    return Written(**texts)


def _sampling() -> Sampling:
    return Sampling(temperature=Recipe().temperature, top_p=Recipe().top_p)


def _order(source: Base, work: WorkFile, number: int, adapter: Adapter | None) -> Order:
    task = task_for(source, brief_for_work(work, read(work).text), _sampling())
    return Order(replace(task, tokens_max=min(task.tokens_max, 280)), adapter, SEED * 1000 + number)


def foretold(adapters: dict[str, Path], judged: Sequence[Author], count: int) -> Table:
    """For each version (and "base") and each writer: tokens and nats of each piece apart, (works, 2)."""
    from atelier.workshop.engines.text.fitting import losses
    from atelier.workshop.engines.text.llama import Llama
    from atelier.workshop.engines.text.lora import load as load_lora

    source = base()
    found: Table = {}
    with crew(Recipe().cores(), lambda: None) as team, tempfile.TemporaryDirectory() as scratch:
        (model,) = team.map(lambda each: Llama(each, device=device()), [source])
        parts = {}
        for author in judged:
            works = files(author, draw(author, count).apart, Path(scratch) / author.name.replace(" ", "-"))
            parts[author.name] = examples([read(work) for work in works], source.tokenizer(), Recipe().longest)
        for name, folder in {"base": None, **adapters}.items():
            lora = load_lora(folder, source) if folder else None
            found[name] = {}
            for writer, chosen in parts.items():
                rows: dict[int, list[float]] = {}
                for example, nats in zip(chosen, losses(model, lora, chosen, team), strict=True):
                    row = rows.setdefault(example.work, [0.0, 0.0])
                    words = example.targets - example.ends
                    row[0] += words
                    row[1] += sum(nats[:words])
                found[name][writer] = [rows[number] for number in sorted(rows)]
    return found


def falls(
    versions: Sequence[dict[str, Any]], everyone: Sequence[Author], count: int, into: Path
) -> list[dict[str, Any]]:
    """By how much each version foretells each writer's works better than the base does."""
    chosen = [author for author in everyone if author.name in {version["author"] for version in versions}]
    folders = {a.name: into / f"{a.name.replace(' ', '-')}-{count}" / "adapter" for a in chosen}
    table = foretold(folders, chosen, count)
    rows = []
    for name in folders:
        for author in chosen:
            base, ours = np.array(table["base"][author.name]), np.array(table[name][author.name])
            fall = bootstrap(drop(1, 2), np.column_stack([base, ours[:, 1]]), meaning="fall of perplexity")
            verdict = "clear" if fall.low > FALL_CLEAR else "some" if fall.low > FALL_LEAST else "none"
            rows.append(
                {"version": name, "works": author.name, "fall": fall.value, "low": fall.low, "high": fall.high,
                 "verdict": verdict}
            )  # fmt: skip
    return rows


def main() -> int:
    """Train the versions named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--works", type=int, default=40)
    parser.add_argument("--into", type=Path, default=CACHE / "versions")
    parser.add_argument("--cache", type=Path, default=CACHE)
    words = parser.parse_args()
    for author in authors(words.cache, words.names):
        found = learn(author, words.works, words.into)
        print(f"\n{author.name}: {found['works']} works, {found['seconds']:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
