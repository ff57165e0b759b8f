"""How well attribution foretells what leaving one work out of training would have changed.

    .venv/bin/python benchmarks/attribution.py [--works 12] [--outputs 14] [--seeds 2] [--keep FOLDER] [--json]

The truth: an adapter is trained on short public-domain fables, and again without each of them, everything else the same
(Koh & Liang 2017, https://arxiv.org/abs/1703.04730, retrained in full). How many nats an output of the full adapter
loses by that is what it owes the work. Trainings are kept in FOLDER and not done twice.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from atelier.workshop.contract import WorkFile
from atelier.workshop.engines.text.attribution import KEPT, Pulls, keep
from atelier.workshop.engines.text.base import Base, base
from atelier.workshop.engines.text.examples import Example, answered, examples
from atelier.workshop.engines.text.fitting import pace, rows_and_targets
from atelier.workshop.engines.text.folds import SIZE, Folds, unit
from atelier.workshop.engines.text.gradients import folded, looking_back
from atelier.workshop.engines.text.llama import Llama
from atelier.workshop.engines.text.lora import Lora, fresh, save
from atelier.workshop.engines.text.prompts import brief_for_work, validate_brief
from atelier.workshop.engines.text.recipe import Recipe
from atelier.workshop.engines.text.serving.adapters import packed
from atelier.workshop.engines.text.serving.delivery import task_for
from atelier.workshop.engines.text.serving.sampling import Sampling
from atelier.workshop.engines.text.shares import PARTS, above_the_mean, shares_of
from atelier.workshop.engines.text.splits import Text
from atelier.workshop.engines.text.writing import Order, write
from atelier.workshop.runtime.local import LocalRuntime

FABLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "aesop_for_children.json"
STRANGE = (
    "A lighthouse keeper and a gull", "A candle that was proud of its flame", "Two ants and a crumb of bread",
    "The tortoise who wished to fly", "A miller and the river", "An owl in daylight", "A mouse and a bell",
    "The scarecrow and the crows", "A snail on a wall", "A farmer's three sons", "The spider and the wind", "A kettle",
)  # fmt: skip
"""Subjects that no work is about."""
Array = NDArray[np.float64]


def fables(count: int) -> list[Text]:
    """So many of the shortest fables, in the order of the book."""
    rows = json.loads(FABLES.read_text("utf-8"))
    short = sorted(sorted(rows, key=lambda row: len(row["fable"]))[4 : 4 + count], key=rows.index)
    works = [
        WorkFile(id=f"w{n}", path="", sha256="", title=row["title"], description=row.get("lesson") or "")
        for n, row in enumerate(short)
    ]
    return [Text(work, row["fable"].strip()) for work, row in zip(works, short, strict=True)]


def train(
    model: Llama, parts: Sequence[Example], without: int | None, chosen: Recipe, seed: int
) -> tuple[Lora, NDArray[np.float32]]:
    """An adapter by the recipe's steps, and what each work pulled while it was learned; the batches are the same
    whoever is left out of them."""
    works = max(part.work for part in parts) + 1
    lora = fresh(model.shape, chosen.rank, chosen.alpha, seed)
    leaves, folds = lora.parameters(), Folds(lora)
    pulled = np.zeros((works, SIZE), np.float32)
    optimiser = torch.optim.AdamW(leaves, lr=0.0, betas=(0.9, 0.99), weight_decay=0.0)
    chance, total = random.Random(seed), chosen.steps(works)
    order: list[Example] = []
    while len(order) < total * chosen.batch:
        once = list(parts)
        chance.shuffle(once)
        order += once
    for step in range(total):
        batch = order[step * chosen.batch : (step + 1) * chosen.batch]
        targets = sum(part.targets for part in batch)
        for group in optimiser.param_groups:
            group["lr"] = chosen.learning_rate * pace(step, total, chosen.warmup)
        summed = [torch.zeros_like(leaf) for leaf in leaves]
        for part in batch:
            if part.work != without:
                slopes = torch.autograd.grad(model.losses(*rows_and_targets(model, [part], lora)).sum(), leaves)
                pulled[part.work] += folds.all_of(slopes)
                summed = [whole + slope / targets for whole, slope in zip(summed, slopes, strict=True)]
        for leaf, whole in zip(leaves, summed, strict=True):
            leaf.grad = whole
        torch.nn.utils.clip_grad_norm_(leaves, chosen.clip)
        optimiser.step()
    return lora.copy(), unit(pulled)


def outputs_of(source: Base, lora: Lora, texts: list[Text], count: int) -> list[dict[str, Any]]:
    """Texts by the full adapter: half for the briefs of its works, half for subjects strange to it."""
    briefs = [brief_for_work(text.work, text.text) for text in texts[: count // 2]]
    strange = STRANGE[: count - len(briefs)]
    briefs += [validate_brief({"subject": s, "format": "story", "length": "medium"}) for s in strange]
    adapter = packed(lora, source.config)
    orders = []
    for number, brief in enumerate(briefs):
        task = task_for(source, brief, Sampling())
        orders.append(Order(replace(task, tokens_max=min(task.tokens_max, 200)), adapter, number))
    written = write(source, orders, 1, lambda _: None)
    return [{"brief": brief, "text": text} for brief, text in zip(briefs, written, strict=True)]


def kept(path: Path) -> tuple[Lora, Any]:
    """A training and its pulls. Ends the program where the file is of another version of it."""
    try:
        lora, pulls = torch.load(path, weights_only=False)
    except (TypeError, ValueError, AttributeError, ImportError, pickle.UnpicklingError) as error:
        sys.exit(f"{path} was kept by another version of this program ({error}): name an empty folder with --keep.")
    return lora, pulls


@torch.no_grad()
def nats(model: Llama, lora: Lora | None, parts: Sequence[Example]) -> list[float]:
    """What each of these costs under an adapter, in nats."""
    return [float(model.losses(*rows_and_targets(model, [part], lora)).sum()) for part in parts]


def truth(source: Base, model: Llama, texts: list[Text], count: int, seed: int, folder: Path, most: int) -> int:
    """Of one seed: nats of every output under the base, the full adapter, and each that was trained without a work.

    Kept in `folder`. Returns how many trainings were done, at most `most`.
    """
    chosen, tokenizer = Recipe(), source.tokenizer()
    learned = examples(texts, tokenizer, chosen.longest)
    folder.mkdir(parents=True, exist_ok=True)
    full = folder / f"full-{seed}.pt"
    if not full.exists():
        torch.save(train(model, learned, None, chosen, seed), full)
    lora = kept(full)[0]
    written = folder / "outputs.json"
    if not written.exists():
        written.write_text(json.dumps(outputs_of(source, lora, texts, count), indent=1, ensure_ascii=False))
    outputs = json.loads(written.read_text())
    parts = [answered(row["brief"], row["text"], tokenizer, chosen.longest)[0] for row in outputs]
    done = folder / f"truth-{seed}.json"
    found: dict[str, Any] = json.loads(done.read_text()) if done.exists() else {"without": {}}
    if "full" not in found:
        found |= {"base": nats(model, None, parts), "full": nats(model, lora, parts)}
        found["tokens"] = [part.targets for part in parts]
    trained = 0
    for work in range(len(texts)):
        if str(work) not in found["without"] and trained < most:
            begin = time.monotonic()
            found["without"][str(work)] = nats(model, train(model, learned, work, chosen, seed)[0], parts)
            done.write_text(json.dumps(found))
            trained += 1
            print(f"seed {seed} without {work}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return trained


# The comparison -------------------------------------------------------------------------------------------------


@torch.no_grad()
def state(model: Llama, lora: Lora, example: Example) -> Array:
    """What the last layer is given, averaged over a text: its representation."""
    ready, seen = lora.frozen(model.head.dtype), []
    wanted = f"model.layers.{model.shape.layers - 1}.self_attn.q_proj"

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        if name == wanted:
            seen.append(x[example.begin - 1 :].float().mean(0).numpy().astype(float))
        return model.linear(x, name) + F.linear(F.linear(x, ready.down[name]), ready.up[name])

    rows = len(example.tokens) - 1
    model.walk(torch.tensor(example.tokens[:-1]), torch.arange(rows), linear, looking_back)
    return seen[0]


def words_in_common(texts: Sequence[str], others: Sequence[str]) -> Array:
    """Cosine of word counts weighted by how few works have the word: needs no model."""
    counts = [Counter(re.findall(r"\w+", text.casefold())) for text in (*others, *texts)]
    works = counts[: len(others)]
    words = sorted({word for each in works for word in each})
    rare = np.log(len(works) / np.array([sum(word in each for each in works) for word in words]))
    table = unit(np.array([[each[word] for word in words] for each in counts]) * rare)
    return np.asarray(table[len(others) :] @ table[: len(others)].T, dtype=float)


def ranks(row: Array) -> Array:
    return np.argsort(np.argsort(row)).astype(float)


def agreement(scores: Array, effects: Array) -> dict[str, float]:
    """Spearman's rank correlation over the works, averaged over outputs, with an interval by resampling the outputs;
    and how often the work ranked first is the one that mattered most."""
    each = np.array([np.corrcoef(ranks(a), ranks(b))[0, 1] for a, b in zip(scores, effects, strict=True)])
    drawn = np.random.default_rng(0).choice(each, (4000, len(each))).mean(1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    first = float((scores.argmax(1) == effects.argmax(1)).mean())
    return {"rank_correlation": float(each.mean()), "low": float(low), "high": float(high), "first": first}


def measured(source: Base, model: Llama, texts: list[Text], folder: Path) -> dict[str, Any]:
    """What is printed, from the trainings kept."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("truth-*.json"))]
    whole = [seed for seed in found if len(seed["without"]) == len(texts)]
    effects = [
        np.array([seed["without"][str(w)] for w in range(len(texts))]).T - _column(seed["full"]) for seed in whole
    ]
    truth_, gain = np.mean(effects, axis=0), _column(whole[0]["base"]) - _column(whole[0]["full"])
    lora, pulls = kept(folder / "full-0.pt")
    outputs, tokenizer = json.loads((folder / "outputs.json").read_text()), source.tokenizer()
    learned = examples(texts, tokenizer, Recipe().longest)
    parts = [answered(row["brief"], row["text"], tokenizer, Recipe().longest)[0] for row in outputs]
    folds = Folds(lora)
    last = unit(np.stack([folded(model, lora, folds, work)[0] for work in learned]))
    pieces = [folded(model, lora, folds, part, PARTS) for part in parts]
    own = unit(np.stack([piece.sum(0) for piece in pieces]))
    states = [unit(np.stack([state(model, lora, each) for each in group])) for group in (learned, parts)]
    methods = {
        "pull while it was learned": own @ pulls.T,
        "pull at the end of training": own @ last.T,
        "representation in the last layer": states[1] @ states[0].T,
        "words in common": words_in_common([row["text"] for row in outputs], [text.text for text in texts]),
    }
    rows = {name: agreement(np.asarray(scores, dtype=float), truth_) for name, scores in methods.items()}
    if len(effects) > 1:
        rows["the truth of another seed"] = agreement(effects[1], effects[0])
    return {"works": len(texts), "outputs": len(outputs), "seeds": len(whole), "methods": rows} | {
        "shares": named(pulls, pieces, truth_ / gain - (truth_ / gain).mean(1, keepdims=True)),
        "sale": a_sale(source, lora, Pulls(tuple(f"{n:064x}" for n in range(len(texts))), pulls), outputs[0]),
    }


def _column(values: Sequence[float]) -> Array:
    return np.array(values)[:, None]


def named(pulls: Any, pieces: Sequence[Any], owed: Array) -> dict[str, float]:
    """How true the shares are, against `owed`, (outputs, works): the true part of what training gave an output, less
    the mean over the works. The first two are of all pairs, the others of the works named."""
    whole, works = np.ones((1, PARTS)), [str(n) for n in range(len(pulls))]
    beyond = np.concatenate([above_the_mean(pulls, piece, whole) for piece in pieces])
    slope = float((beyond * owed).sum() / (beyond**2).sum())
    told = [(row, share) for row, piece in zip(owed, pieces, strict=True) for share in
            shares_of(works, pulls, piece)["shares"]]  # fmt: skip
    true = [float(row[int(share.work)]) for row, share in told]
    return {
        "slope_times_works": slope * len(pulls),
        "missed_by": float((owed - slope * beyond).std()),
        "named": len(told),
        "outputs_with_a_name": sum(bool(shares_of(works, pulls, piece)["shares"]) for piece in pieces),
        "mean_share": float(np.mean([share.value for _, share in told])),
        "mean_truth": float(np.mean(true)),
        "truth_above_average": float(np.mean([each > 0 for each in true])),
        "truth_in_interval": float(
            np.mean([s.low <= max(0.0, t) <= s.high for t, (_, s) in zip(true, told, strict=True)])
        ),
    }


def a_sale(source: Base, lora: Lora, found: Pulls, output: dict[str, Any]) -> dict[str, float]:
    """What one attribution costs, as the worker does it: a process of its own, on one thread."""
    with tempfile.TemporaryDirectory() as folder:
        adapter, text = Path(folder) / "adapter", Path(folder) / "piece.txt"
        keep(found, adapter, save(lora, source, adapter))
        text.write_text(output["text"], encoding="utf-8")
        used, begin, runtime = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), LocalRuntime()
        runtime.attribute("text", adapter, text, output["brief"])
        seconds, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        runtime.close()
        return {
            "seconds": seconds,
            "cpu_seconds": after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime,
            "bytes_a_work": (adapter / KEPT).stat().st_size / len(found.works),
        }


def table(found: dict[str, Any]) -> str:
    """The figures for people."""
    lines = [f"{found['works']} works, {found['outputs']} outputs, truth over {found['seeds']} seeds", ""]
    lines.append(f"{'method':<34} {'rank correlation':>24} {'first is first':>15}")
    for name, row in found["methods"].items():
        span = f"{row['rank_correlation']:.2f} ({row['low']:.2f} to {row['high']:.2f})"
        lines.append(f"{name:<34} {span:>24} {row['first']:>15.0%}")
    lines += ["", *(f"{name:<24} {value:.3g}" for part in ("shares", "sale") for name, value in found[part].items())]
    return "\n".join(lines)


def main() -> int:
    """Train, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, default=12)
    parser.add_argument("--outputs", type=int, default=14)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--most", type=int, default=10_000, help="stop after so many trainings; go on another time")
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    words = parser.parse_args()
    torch.set_num_threads(1)
    source = base()
    model, texts = Llama(source), fables(words.works)
    left = words.most
    for seed in range(words.seeds):
        left -= truth(source, model, texts, words.outputs, seed, words.keep, left)
    if left > 0:
        found = measured(source, model, texts, words.keep)
        print(json.dumps(found) if words.json else table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
