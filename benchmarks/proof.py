"""How far the proof's words about style and fidelity can be trusted, measured on real writers.

    .venv/bin/python benchmarks/proof.py [--versions NAME …] [--works 40] [--json]     # the tables
    .venv/bin/python benchmarks/proof.py --background       # first make the background of other writers again

Writers come from packages (see authors.py). For each of the TARGETS a judge learns from 8, 16 and 40 of their short
works, with the background but for that writer and half of the others; those of the other half and works it did not
learn from are the test. Versions named are trained where they are not kept yet (see versions.py): what they and the
base write is judged by every writer's judge, and every version is tried on every writer's works, so that the
thresholds of `verdicts.py` can be seen to keep their promise.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from authors import CACHE, Author, authors
from numpy.typing import NDArray
from versions import draw, falls, learn

from atelier.workshop.engines.text.style import StyleJudge
from atelier.workshop.engines.text.style import background as store
from atelier.workshop.engines.text.style.features import measure, pairs_of, read
from atelier.workshop.engines.text.style.judge import area
from atelier.workshop.engines.text.verdicts import SEPARATION_LEAST, VOICE_CLEAR, VOICE_LEANS

Array = NDArray[np.float64]
KEPT_OUT = ("aesop", "bierce", "orrin-slate", "juno-larkwell")
"""Writers that people try this project with: their own works must not stand among the others'."""
TARGETS = (
    "aesop", "bierce", "jargon", "austen", "melville", "orrin-slate", "juno-larkwell", "abraham_lincoln",
    "theodore_roosevelt", "barack_obama", "segond", "cahier de l'administrateur", "référence du développeur", "maison",
)  # fmt: skip
COUNTS = (8, 16, 40)
CODES = ("en", "fr")
SPEECHES, OTHERS = 4, 24
"""Pieces of a writer in the background: of those who wrote speeches fewer, for there are many and they are alike."""
PAIRS = 160
LENGTHS = ((60, 90), (90, 130), (130, 201))
LEAST_WORDS = 20
"""Words of a generated text below which it is not judged here."""
SETS, SET = 100, 12
"""So many sets of so many texts are drawn where there are more, to see how often a verdict would be given."""


# The background -------------------------------------------------------------------------------------------------


def make_background(found: Sequence[Author]) -> None:
    """Write the shipped background from writers, and who they are."""
    kept = sorted((a for a in found if a.name not in KEPT_OUT), key=lambda author: author.name)
    parts = {code: part(code, [a for a in kept if a.language == code]) for code in CODES}
    store.store(store.FILE, parts)
    rows = [
        {"writer": a.name, "language": a.language, "work": a.work, "package": a.package, "licence": a.licence}
        for a in sorted(kept, key=lambda author: author.language)
    ]
    store.FILE.with_suffix(".json").write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", "utf-8")


def part(code: str, writers: Sequence[Author]) -> store.Background:
    """The background of one language; pairs are those that most texts have."""
    common = Counter[str]()
    texts = []
    for author in writers:
        count = SPEECHES if author.kind == "speech" else OTHERS
        texts.append([author.pieces[i * len(author.pieces) // count].text for i in range(count)])
        for text in texts[-1]:
            common.update(set(pairs_of(read(text, code))))
    pairs = tuple(pair for pair, _ in sorted(common.items(), key=lambda found: (-found[1], found[0]))[:PAIRS])
    features = np.concatenate([measure(each, code, pairs) for each in texts])
    mean, spread = store.standards(features)
    numbers = np.repeat(np.arange(len(writers)), [len(each) for each in texts])
    return store.Background(code, pairs, mean, spread, (features - mean) / spread, numbers)


# How well a judge tells -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """One judge's word on works it did not learn from, other writers' it never saw, and the base's texts."""

    writer: str
    count: int
    judge: StyleJudge
    own: Array
    strangers: dict[str, Array]
    base: Array
    words: tuple[Array, Array]

    @property
    def others(self) -> Array:
        return np.concatenate(list(self.strangers.values()))


def trial(author: Author, everyone: Sequence[Author], count: int, half: int, base: Sequence[str]) -> Trial | None:
    """Learn from `count` works (or three quarters) without the writer and half of the others; None where too few."""
    drawn = draw(author, max(COUNTS))
    if len(drawn.works) < 0.75 * count:
        return None
    known = store.background(author.language)
    names = sorted(a.name for a in everyone if a.language == author.language and a.name not in KEPT_OUT)
    strangers = [name for number, name in enumerate(names) if number % 2 == half and name != author.name]
    gone = [names.index(name) for name in (*strangers, author.name) if name in names]
    kept = ~np.isin(known.writers, gone)
    others = replace(known, rows=known.rows[kept], writers=known.writers[kept])
    judge = StyleJudge.learn(
        [piece.text for piece in drawn.works[:count]], base[:count], language=author.language, seed=0, others=others
    )
    own = [piece.text for piece in drawn.apart]
    theirs = {a.name: [piece.text for piece in a.pieces[5::9][:SET]] for a in everyone if a.name in strangers}
    counted = [
        np.array([len(text.split()) for text in texts], dtype=float)
        for texts in (own, [text for texts in theirs.values() for text in texts])
    ]
    judged = {name: judge.probabilities(texts) for name, texts in theirs.items()}
    return Trial(
        author.name, count, judge, judge.probabilities(own), judged, judge.probabilities(base[count:]),
        (counted[0], counted[1]),
    )  # fmt: skip


def identification(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """A row a writer and number of works: what the judge thought of itself, and what was so."""
    rows = []
    for name, count in dict.fromkeys((t.writer, t.count) for t in trials):
        chosen = [t for t in trials if (t.writer, t.count) == (name, count)]
        own, others, base = (np.concatenate([getattr(t, side) for t in chosen]) for side in ("own", "others", "base"))
        rows.append(
            {
                "writer": name, "works": count,
                "claimed": float(np.mean([t.judge.from_others.value for t in chosen])),
                "auc_others": float(np.mean([area(t.own, t.others) for t in chosen])),
                "auc_base": float(np.mean([area(t.own, t.base) for t in chosen])) if len(base) else None,
                "own_told": float((own >= 0.5).mean()), "others_told": float((others >= 0.5).mean()),
                "base_told": float((base >= 0.5).mean()) if len(base) else None,
                "brier": float(((1 - own) ** 2).mean() / 2 + (others**2).mean() / 2),
            }
        )  # fmt: skip
    return rows


def by_length(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """Accuracy by words of the text judged, the creator's and the others' counting alike."""
    rows = []
    for low, high in LENGTHS:
        for count in COUNTS:
            told = [[], []]  # type: list[list[float]]
            for each in (t for t in trials if t.count == count):
                for side, (chances, words) in enumerate(zip((each.own, each.others), each.words, strict=True)):
                    inside = (words >= low) & (words < high)
                    told[side] += ((chances[inside] >= 0.5) == (side == 0)).astype(float).tolist()
            rows.append(
                {"words": f"{low} to {high - 1}", "works": count, "accuracy": float(np.mean([*map(np.mean, told)]))}
            )
    return rows


def reliability(trials: Sequence[Trial]) -> list[dict[str, float]]:
    """Of texts given a chance between two bounds, how many were the creator's, if half of all texts are."""
    own = np.concatenate([t.own for t in trials])
    others = np.concatenate([np.concatenate([t.others, t.base]) for t in trials])
    rows = []
    for low in np.arange(0, 1, 0.1):
        inside = [((side >= low) & (side < low + 0.1 + 1e-9)) for side in (own, others)]
        mine, theirs = inside[0].mean(), inside[1].mean()
        if inside[0].sum() + inside[1].sum() >= 20:
            said = (own[inside[0]].mean() * mine if mine else 0) + (others[inside[1]].mean() * theirs if theirs else 0)
            rows.append(
                {"from": float(low), "said": float(said / (mine + theirs)), "was": float(mine / (mine + theirs))}
            )
    return rows


# Which verdicts follow ------------------------------------------------------------------------------------------


def strangers(trials: Sequence[Trial]) -> list[dict[str, Any]]:
    """What would be said of a dozen works of each other writer by judges that would be asked, and by all."""
    rows = []
    for count in COUNTS:
        for asked in (True, False):
            chosen = [t for t in trials if t.count == count and (not asked or is_asked(t.judge))]
            theirs = [(given(chances), t.writer, name) for t in chosen for name, chances in t.strangers.items()]
            own = [given(t.own) for t in chosen]
            worst, judge, name = max(theirs, key=lambda each: each[0].mean)
            rows.append(
                {
                    "works": count, "judges": "asked" if asked else "all", "of": len(chosen), "strangers": len(theirs),
                    "clear": float(np.mean([said.clear for said, _, _ in theirs])),
                    "leans": float(np.mean([said.leans for said, _, _ in theirs])),
                    "own_clear": float(np.mean([said.clear for said in own])),
                    "own_leans": float(np.mean([said.leans for said in own])),
                    "worst": worst.mean, "worst_pair": f"{name} for {judge}",
                }
            )  # fmt: skip
    return rows


def is_asked(judge: StyleJudge) -> bool:
    """Whether the proof would ask this judge."""
    return judge.separation.low >= SEPARATION_LEAST


def thresholds(trials: Sequence[Trial], heard: Sequence[tuple[str, str, StyleJudge, Given]]) -> list[dict[str, Any]]:
    """How often each side would be called clearly the creator's if that began elsewhere, by judges that are asked."""
    sides: dict[str, list[Array]] = {"own works": [], "strangers' works": []}
    for each in (t for t in trials if is_asked(t.judge)):
        sides["own works"].append(given(each.own).lows)
        sides["strangers' works"] += [given(chances).lows for chances in each.strangers.values()]
    for author, texts, judge, said in heard:
        kind = texts.split(" of ")[0] if not texts.endswith(f" of {author}") else "own version"
        if is_asked(judge) and texts != "the writer":
            sides.setdefault({"version": "others' versions", "works": "others' works"}.get(kind, kind), []).append(
                said.lows
            )
    return [
        {
            "from": float(limit),
            **{kind: float(np.mean([(low >= limit).mean() for low in lows])) for kind, lows in sides.items()},
        }
        for limit in np.arange(0.4, 0.85, 0.05)
    ]


@dataclass(frozen=True)
class Given:
    """What would be said of sets of texts: the mean chance and the lower end of its interval, a set each."""

    mean: float
    means: Array
    lows: Array

    @property
    def clear(self) -> float:
        return float((self.lows >= VOICE_CLEAR).mean())

    @property
    def leans(self) -> float:
        return float((self.means >= VOICE_LEANS).mean())


def given(chances: Array, seed: int = 0) -> Given:
    """Of these texts, in sets as the proof has them."""
    drawn = np.random.default_rng(seed)
    sets = [drawn.choice(chances, SET, replace=False) for _ in range(SETS)] if len(chances) > SET else [chances]
    lows = [np.percentile(drawn.choice(each, (400, len(each))).mean(1), 2.5) for each in sets]
    return Given(float(chances.mean()), np.array([each.mean() for each in sets]), np.array(lows))


def listen(
    versions: Sequence[dict[str, Any]], everyone: Sequence[Author], count: int
) -> list[tuple[str, str, StyleJudge, Given]]:
    """Every writer's judge on what every version and the base wrote, and on every writer's works."""
    by_name = {author.name: author for author in everyone}
    found = []
    for judged in versions:
        author = by_name[judged["author"]]
        drawn = draw(author, count)
        judge = StyleJudge.learn(
            [piece.text for piece in drawn.works], judged["written"]["base_known"], language=author.language, seed=0,
            others=_without(author, everyone),
        )  # fmt: skip
        texts = {"the writer": [piece.text for piece in drawn.apart], "the base": judged["written"]["base"]}
        for other in versions:
            texts[f"version of {other['author']}"] = other["written"]["version"]
            if other is not judged:
                texts[f"works of {other['author']}"] = [p.text for p in draw(by_name[other["author"]], count).apart]
        for name, chosen in texts.items():
            said = given(judge.probabilities([text for text in chosen if len(text.split()) >= LEAST_WORDS]))
            found.append((author.name, name, judge, said))
    return found


def voices(heard: Sequence[tuple[str, str, StyleJudge, Given]]) -> list[dict[str, Any]]:
    """The same as rows."""
    return [
        {
            "judge": author, "tells": judge.separation.low, "texts": texts, "mean": said.mean,
            "low": float(said.lows.mean()), "clear": said.clear, "leans": said.leans,
        }
        for author, texts, judge, said in heard
    ]  # fmt: skip


def _without(author: Author, everyone: Sequence[Author]) -> store.Background:
    known = store.background(author.language)
    names = sorted(a.name for a in everyone if a.language == author.language and a.name not in KEPT_OUT)
    if author.name not in names:
        return known
    kept = known.writers != names.index(author.name)
    return replace(known, rows=known.rows[kept], writers=known.writers[kept])


# Printing -------------------------------------------------------------------------------------------------------


def show(title: str, rows: Iterable[dict[str, Any]]) -> None:
    """Print rows as a table."""
    listed = list(rows)
    if not listed:
        return
    print(f"\n{title}")
    shown = [[_cell(value) for value in row.values()] for row in listed]
    heads = list(listed[0])
    widths = [max(len(head), *(len(row[i]) for row in shown)) for i, head in enumerate(heads)]
    for row in (heads, *shown):
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def _cell(value: Any) -> str:
    return "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


TABLES = ("identification", "by_length", "reliability", "strangers", "voices", "thresholds", "falls")


def main() -> int:
    """Make the background when asked, measure, print each table as it is ready."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--background", action="store_true")
    parser.add_argument("--versions", nargs="*", default=[])
    parser.add_argument("--works", type=int, default=40)
    parser.add_argument("--into", type=Path, default=CACHE / "versions")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the tables")
    words = parser.parse_args()
    everyone = authors(words.cache)
    if words.background:
        make_background(everyone)
        store.background.cache_clear()
    versions = [learn(author, words.works, words.into) for author in everyone if author.name in words.versions]
    if not words.json:
        print(f"{len(everyone)} writers; clear {VOICE_CLEAR}, leans {VOICE_LEANS}, separation {SEPARATION_LEAST}")
    found: dict[str, list[dict[str, Any]]] = {}
    for title, rows in tables(words.tables, everyone, versions, words.works, words.into):
        found[title] = rows
        if not words.json:
            show(title, rows)
    if words.json:
        print(json.dumps(found, ensure_ascii=False))
    return 0


def tables(
    chosen: Sequence[str], everyone: Sequence[Author], versions: Sequence[dict[str, Any]], count: int, into: Path
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The tables chosen, as they are ready; no work is done for the others."""
    wrote = {v["author"]: v["written"]["base_known"] + v["written"]["base"] for v in versions}
    heard = listen(versions, everyone, count) if {"voices", "thresholds"} & set(chosen) else []
    if "voices" in chosen:
        yield "voices", voices(heard)
    if set(chosen) - {"voices", "falls"}:
        tried = [
            trial(author, everyone, works, half, wrote.get(author.name, []))
            for author in everyone if author.name in TARGETS for works in COUNTS for half in (0, 1)
        ]  # fmt: skip
        trials = [each for each in tried if each is not None]
        for table in (identification, by_length, reliability, strangers):
            if table.__name__ in chosen:
                yield table.__name__, table(trials)
        if "thresholds" in chosen:
            yield "thresholds", thresholds(trials, heard)
    if "falls" in chosen and versions:
        yield "falls", falls(versions, everyone, count, into)


if __name__ == "__main__":
    sys.exit(main())
