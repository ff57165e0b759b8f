"""How well the hidden mark in generated text is found, how seldom it is found where it is not, and what it costs.

    .venv/bin/python benchmarks/marks.py [--briefs 16] [--samples 4] [--keys 200] [--json]

The base writes `samples` texts for each of `briefs` briefs twice, with the same seeds: once plain, and once with a mark
whose key belongs to the brief. Human texts are the public-domain fables beside the checkout, where they are present,
and the demo's works. Texts are read as the verify page reads them: from their words alone, without prompt or model.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.engines.text.base import Base, base
from atelier.workshop.engines.text.serving.delivery import task_for
from atelier.workshop.engines.text.serving.drafts import Draft, Task
from atelier.workshop.engines.text.serving.native.decoder import Decoder, Feed
from atelier.workshop.engines.text.serving.sampling import Sampler, Sampling
from atelier.workshop.marks.text import Mark, read
from atelier.workshop.proof.statistics import share

ROOT = Path(__file__).resolve().parents[1]
FABLES = ROOT.parent / "shared" / "data" / "aesop_for_children.json"
DEMO = ROOT / "src" / "atelier" / "config" / "demo" / "works"
LENGTHS = (50, 100, 200)
TOKENS = 260
SLOTS = 16
SURE = 0.001
FORMATS = ("story", "blog post", "letter", "e-mail")
SCORES_KEPT = 300

Words = Callable[[str, random.Random], str]


@dataclass
class Written:
    """A text the base wrote: its brief, and how surprised the base was by each of its tokens, in nats."""

    brief: int
    text: str
    surprises: list[float]


def human_texts() -> list[str]:
    """Fables, where they are present, and the works of the demo."""
    texts = []
    if FABLES.exists():
        texts += [row["fable"] for row in json.loads(FABLES.read_text("utf-8"))]
    for file in sorted(DEMO.glob("*.json")):
        texts += [work["text"] for work in json.loads(file.read_text("utf-8"))["works"]]
    return texts


def briefs(count: int) -> list[dict[str, Any]]:
    """Briefs for long texts about the subjects of the demo's works."""
    titles = [w["title"] for f in sorted(DEMO.glob("*.json")) for w in json.loads(f.read_text("utf-8"))["works"]]
    chosen = [titles[i * len(titles) // count % len(titles)] for i in range(count)]
    return [{"subject": t, "format": FORMATS[i % len(FORMATS)], "length": "long"} for i, t in enumerate(chosen)]


def key_of(number: int) -> bytes:
    """The number-th key of this benchmark."""
    return hashlib.sha256(f"benchmark key {number}".encode()).digest()


def write(model: Base, tasks: Sequence[Task], samples: int, kept: list[NDArray[np.float32]]) -> list[Written]:
    """`samples` texts for each task, the same seeds for the same place. Some scores go to `kept`, to time with."""
    drafts = [(brief, Draft(task, brief * 1000 + n)) for brief, task in enumerate(tasks) for n in range(samples)]
    written = []
    length = max(len(task.prompt) for task in tasks) + TOKENS + 1
    with closing(Decoder(model, slots=SLOTS, length=length, threads=2, tokens=length)) as decoder:
        for start in range(0, len(drafts), SLOTS):
            group = [Written(brief, "", []) for brief, _ in drafts[start : start + SLOTS]]
            live = list(enumerate(draft for _, draft in drafts[start : start + SLOTS]))
            for slot, draft in live:
                _advance(draft, decoder.step([Feed(slot, 0, draft.task.prompt)])[0], group[slot])
            while live := [(slot, draft) for slot, draft in live if draft.finish is None]:
                scores = decoder.step([Feed(slot, draft.past, (draft.last,)) for slot, draft in live])
                if len(kept) < SCORES_KEPT:
                    kept.append(scores[0].copy())
                for (slot, draft), row in zip(live, scores, strict=True):
                    _advance(draft, row, group[slot])
            for (_, draft), each in zip(drafts[start : start + SLOTS], group, strict=True):
                each.text = draft.text
            written += group
    return written


def _advance(draft: Draft, scores: NDArray[np.float32], written: Written) -> None:
    most = float(scores.max())
    total = most + float(np.log(np.exp(scores - most).sum()))
    count = len(draft.tokens)
    draft.advance(scores)
    if len(draft.tokens) > count:
        written.surprises.append(total - float(scores[draft.last]))


# Reading ----------------------------------------------------------------------------------------------------------


class Reader:
    """Texts to tokens and back, and the p-values of keys."""

    def __init__(self, model: Base) -> None:
        self._tokenizer = model.tokenizer()

    def tokens(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def cut(self, text: str, start: int, end: int) -> str:
        """The text from one token to another."""
        return str(self._tokenizer.decode(self.tokens(text)[start:end])).strip()

    def p_values(self, text: str, keys: Sequence[bytes]) -> list[float]:
        return [found.p_value for found in read(self.tokens(text), keys)]


def edited(text: str, others: Sequence[str], source: random.Random) -> str:
    """The text with a tenth of its words changed: every second one of them left out, the others replaced."""
    words, pool = text.split(" "), " ".join(others).split()
    for number, place in enumerate(source.sample(range(len(words)), round(len(words) / 10))):
        words[place] = "" if number % 2 else source.choice(pool)
    return " ".join(word for word in words if word)


def detection(reader: Reader, marked: Sequence[Written], human: Sequence[str]) -> list[dict[str, Any]]:
    """The share of marked texts found, by length and by what was done to them; `tokens` is the length before."""
    source = random.Random(1)
    rows = []
    for length in LENGTHS:
        texts = [(w.brief, reader.cut(w.text, 0, length)) for w in marked if len(reader.tokens(w.text)) >= length]
        strangers = [reader.cut(t, 0, length // 2) for t in human if len(reader.tokens(t)) >= length // 2]
        changes: dict[str, Callable[[str], str]] = {
            "as written": lambda text: text,
            "cropped to its middle half": lambda text: reader.cut(text, length // 4, length - length // 4),  # noqa: B023
            "a tenth of the words changed": lambda text: edited(text, human, source),
            "half of it other text": lambda text: (
                f"{source.choice(strangers)} {reader.cut(text, 0, length - length // 2)}"  # noqa: B023
            ),
        }
        for name, change in changes.items():
            p = [reader.p_values(change(text), [key_of(brief)])[0] for brief, text in texts]
            found = share(sum(value < SURE for value in p), max(1, len(p)), meaning="")
            rows.append(
                {
                    "tokens": length, "change": name, "texts": len(p), "found": found.value,
                    "low": found.low, "high": found.high, "median_p": float(np.median(p)) if p else None,
                }
            )  # fmt: skip
    return rows


def false_positives(reader: Reader, kinds: Mapping[str, Sequence[str]], keys: Sequence[bytes]) -> list[dict[str, Any]]:
    """How often a key is found in texts written without it; each text read with every key, its first 200 tokens."""
    rows = []
    for name, texts in kinds.items():
        p = np.array([reader.p_values(reader.cut(text, 0, LENGTHS[-1]), keys) for text in texts]).ravel()
        rates = {str(level): float((p < level).mean()) for level in (0.05, 0.01, SURE, 0.0001)}
        rows.append({"texts": name, "readings": int(p.size), "below": rates, "least_p": float(p.min())})
    return rows


# Cost -------------------------------------------------------------------------------------------------------------


def quality(plain: Sequence[Written], marked: Sequence[Written]) -> dict[str, Any]:
    """Perplexity under the base that wrote them, and how much texts repeat themselves and their sisters."""
    found: dict[str, Any] = {}
    for name, written in (("plain", plain), ("marked", marked)):
        nats = np.array([np.mean(w.surprises) for w in written])
        found[name] = {
            "perplexity": float(np.exp(np.concatenate([w.surprises for w in written]).mean())),
            "tokens": float(np.mean([len(w.surprises) for w in written])),
            **{f"distinct_{n}": float(np.mean([_distinct([w.text], n) for w in written])) for n in (2, 3, 4)},
            "distinct_4_of_sisters": float(np.mean([_distinct(each, 4) for each in _sisters(written)])),
        }
        found[name]["nats"] = [float(value) for value in nats]
    source = np.random.default_rng(0)
    change = np.array(found["marked"].pop("nats")) - np.array(found["plain"].pop("nats"))
    means = [float(source.choice(change, change.size).mean()) for _ in range(2000)]
    found["perplexity_ratio"] = {
        "value": float(np.exp(change.mean())),
        "low": float(np.exp(np.percentile(means, 2.5))),
        "high": float(np.exp(np.percentile(means, 97.5))),
    }
    return found


def _sisters(written: Sequence[Written]) -> list[list[str]]:
    return [[w.text for w in written if w.brief == brief] for brief in sorted({w.brief for w in written})]


def _distinct(texts: Sequence[str], n: int) -> float:
    """The share of runs of n words that are not repeated, over all the texts together."""
    runs = [tuple(words[i : i + n]) for words in map(str.split, texts) for i in range(len(words) - n + 1)]
    return len(set(runs)) / max(1, len(runs))


def speed(kept: Sequence[NDArray[np.float32]]) -> dict[str, float]:
    """Milliseconds to draw a token with and without a mark, and to read a token for one key; the best of three."""
    tokens = [int(scores.argmax()) for scores in kept]

    def drawing(mark: Mark | None) -> float:
        sampler = Sampler(1, Sampling(), mark)
        started = time.perf_counter()
        for number, scores in enumerate(kept):
            sampler.choose(scores, tokens[:number], ())
        return (time.perf_counter() - started) / len(kept) * 1000

    def reading() -> float:
        distinct = list(range(2000))
        started = time.perf_counter()
        read(distinct, [key_of(0)])
        return (time.perf_counter() - started) / len(distinct) * 1000

    return {
        "draw_plain_ms": min(drawing(None) for _ in range(3)),
        "draw_marked_ms": min(drawing(Mark(key_of(0))) for _ in range(3)),
        "read_ms": min(reading() for _ in range(3)),
    }


def measure(brief_count: int, samples: int, key_count: int) -> dict[str, Any]:
    """Everything, as plain data."""
    model, kept = base(), []  # type: Base, list[NDArray[np.float32]]
    plain_tasks = [replace(task_for(model, brief, Sampling()), tokens_max=TOKENS) for brief in briefs(brief_count)]
    marked_tasks = [replace(task, mark=Mark(key_of(n))) for n, task in enumerate(plain_tasks)]
    plain = write(model, plain_tasks, samples, kept)
    marked = write(model, marked_tasks, samples, kept)
    human, reader = human_texts(), Reader(model)
    strangers = [key_of(brief_count + number) for number in range(key_count)]
    kinds = {
        "written by people": human,
        "written by the base, plain": [w.text for w in plain],
        "marked with another key": [w.text for w in marked],
    }
    return {
        "machine": platform.processor() or platform.machine(),
        "base": model.info.name,
        "detection": detection(reader, marked, human),
        "false_positives": false_positives(reader, kinds, strangers),
        "quality": quality(plain, marked),
        "speed": speed(kept),
    }


def show(found: dict[str, Any]) -> None:
    """The tables, for a person."""
    print(f"{found['base']}, {found['machine']}, Python {platform.python_version()}")
    print(
        f"\nFound at p < {SURE}\n{'tokens':>6}  {'what was done':<30} {'texts':>5} {'found':>6}  95 %        median p"
    )
    for row in found["detection"]:
        between = f"{row['low']:.0%}–{row['high']:.0%}"
        print(
            f"{row['tokens']:>6}  {row['change']:<30} {row['texts']:>5} {row['found']:>6.0%}  {between:<10} "
            f"{row['median_p']:>9.1e}"
            if row["texts"]
            else f"{row['tokens']:>6}  {row['change']:<30}     0"
        )
    print("\nFound where it is not")
    print(f"{'texts':<28} {'readings':>8} {'p<0.05':>8} {'p<0.01':>8} {'p<0.001':>8} {'p<1e-4':>8}")
    for row in found["false_positives"]:
        rates = " ".join(f"{rate:>8.5f}" for rate in row["below"].values())
        print(f"{row['texts']:<28} {row['readings']:>8} {rates}")
    print(f"\nQuality\n{'':<8} {'perplexity':>10} {'distinct 2':>10} {'3':>6} {'4':>6} {'4, sisters':>10}")
    for name in ("plain", "marked"):
        row = found["quality"][name]
        print(
            f"{name:<8} {row['perplexity']:>10.2f} {row['distinct_2']:>10.3f} {row['distinct_3']:>6.3f} "
            f"{row['distinct_4']:>6.3f} {row['distinct_4_of_sisters']:>10.3f}"
        )
    ratio = found["quality"]["perplexity_ratio"]
    print(f"perplexity, marked to plain: {ratio['value']:.3f} ({ratio['low']:.3f} to {ratio['high']:.3f})")
    cost = found["speed"]
    print(
        f"\nA token: drawn in {cost['draw_plain_ms']:.3f} ms plain, {cost['draw_marked_ms']:.3f} ms marked; "
        f"read in {cost['read_ms']:.4f} ms a key"
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--briefs", type=int, default=16)
    parser.add_argument("--samples", type=int, default=4, help="texts a brief")
    parser.add_argument("--keys", type=int, default=200, help="keys of others that texts are read with")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the tables")
    words = parser.parse_args()
    found = measure(words.briefs, words.samples, words.keys)
    if words.json:
        print(json.dumps(found))
    else:
        show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
