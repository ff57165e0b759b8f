"""Answers the four questions about a fake adapter, with figures really computed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Literal

from atelier.workshop.contract.errors import Refused
from atelier.workshop.contract.specs import Answer, Bar, Evaluation, Measure, Picture, TrainSpec

from .bigrams import Counts, joined, log_likelihood, words, write
from .guards import NeverWords, refuse_forbidden

_RESAMPLES = 200
_COPY_WORDS = 6
_COPIED_LITTLE = 0.1
_TRIALS = 8

Scores = list[tuple[float, int]]
Verdict = Literal["good", "fair", "poor"]


def evaluate(
    spec: TrainSpec, counts: Counts, texts: dict[str, str], held_out: tuple[str, ...], curve: list[dict[str, float]]
) -> Evaluation:
    """Fidelity, worth, copying and safety of learned counts on the works held out."""
    trained_on = tuple(w.id for w in spec.works if w.id not in held_out)
    unseen = [texts[work] for work in held_out]
    known = [texts[work] for work in trained_on]
    reference = Counts()
    reference.add(max(known, key=len))
    base = [log_likelihood(text) for text in unseen]
    prompted = [log_likelihood(text, reference) for text in unseen]
    adapter = [log_likelihood(text, counts) for text in unseen]
    fidelity = _gain(base, adapter, "base", spec.seed)
    worth = _gain(prompted, adapter, "prompted", spec.seed)
    written = [write(counts, random.Random(f"proof:{spec.seed}:{i}"), 40, lambda _: True)[0] for i in range(_TRIALS)]
    publishable = fidelity.verdict != "poor"
    return Evaluation(
        fidelity=fidelity,
        worth=worth,
        copying=_copying(written, known),
        safety=_safety(spec, counts),
        publishable=publishable,
        summary=fidelity.sentence,
        held_out=held_out,
        trained_on=trained_on,
        curve=tuple(curve),
        examples=tuple({"brief": "", "adapter": joined(parts)} for parts in written[:2]),
    )


def perplexity(scores: Scores) -> float:
    """Perplexity a word over all texts together."""
    return math.exp(-sum(log for log, _ in scores) / sum(n for _, n in scores))


def _gain(before: Scores, after: Scores, name: str, seed: int) -> Answer:
    """How much lower the perplexity is than before, with 95 % bootstrap intervals over works (Efron 1979)."""
    change = _measure(
        lambda rows: 1 - perplexity([after[i] for i in rows]) / perplexity([before[i] for i in rows]),
        len(before), seed, "share", "how much lower the perplexity became",
    )  # fmt: skip
    verdict: Verdict = "good" if change.low >= 0.25 else "fair" if change.low > 0 else "poor"
    better = f"{change.value:.0%} nearer to works it never saw" if verdict != "poor" else "no nearer than"
    what = "the base" if name == "base" else "the base given the longest work as a reference"
    sentence = f"It is {better} than {what}." if verdict != "poor" else f"It is {better} {what}."
    meaning = "how surprised it is by each word of works it never saw; lower is nearer"
    measures = {
        f"perplexity_{name}": _measure(lambda r: perplexity([before[i] for i in r]), len(before), seed, "", meaning),
        "perplexity_adapter": _measure(lambda r: perplexity([after[i] for i in r]), len(before), seed, "", meaning),
        "improvement": change,
    }
    headline = {"good": "Clearly nearer", "fair": "A little nearer", "poor": "No nearer"}[verdict]
    labels = {f"perplexity_{name}": what.removeprefix("the ").capitalize(), "perplexity_adapter": "This version"}
    picture = _picture("How surprised it is by each word", {labels[key]: measures[key] for key in labels})
    return Answer(verdict=verdict, headline=headline, sentence=sentence, picture=picture, measures=measures)


def _picture(title: str, figures: dict[str, Measure], most: float = 0.0, limit: float | None = None) -> Picture:
    """The figures on one axis from zero; the last of them is what the picture is about."""
    bars = tuple(
        Bar(label=label, value=figure.value, low=figure.low, high=figure.high, ours=place == len(figures))
        for place, (label, figure) in enumerate(figures.items(), 1)
    )
    unit = next(iter(figures.values())).unit
    highest = max(most, *(bar.high for bar in bars), limit or 0.0) or 1.0
    label = "the most that is good" if limit is not None else ""
    return Picture(title=title, bars=bars, least=0, most=highest, unit=unit, limit=limit, limit_label=label)


def _measure(figure: Callable[[list[int]], float], n: int, seed: int, unit: str, meaning: str) -> Measure:
    rng = random.Random(seed)
    draws = sorted(figure(rng.choices(range(n), k=n)) for _ in range(_RESAMPLES))
    value = figure(list(range(n)))
    low, high = draws[int(0.025 * _RESAMPLES)], draws[int(0.975 * _RESAMPLES)]
    return Measure(value=value, low=min(low, value), high=max(high, value), unit=unit, meaning=meaning)


def _copying(written: list[list[str]], known: list[str]) -> Answer:
    """Longest run of words taken over from a training work, and share of words in runs of six or more."""
    sources = [f" {' '.join(words(text))} ".casefold() for text in known]
    longest = copied = total = 0
    for parts in written:
        covered: set[int] = set()
        for start in range(len(parts)):
            end = start
            while end < len(parts) and any(f" {' '.join(parts[start : end + 1])} ".casefold() in s for s in sources):
                end += 1
            longest = max(longest, end - start)
            if end - start >= _COPY_WORDS:
                covered.update(range(start, end))
        copied += len(covered)
        total += len(parts)
    share = copied / total if total else 0.0
    verdict: Verdict = "good" if share < _COPIED_LITTLE else "fair" if share < 0.4 else "poor"
    measures = {
        "longest_overlap": _exact(longest, "words", "the longest run of words taken over"),
        "share_copied": _exact(share, "share", f"share of words in runs of {_COPY_WORDS} or more"),
    }
    return Answer(
        verdict=verdict,
        headline={"good": "Does not copy", "fair": "Copies somewhat", "poor": "Copies"}[verdict],
        sentence=f"{share:.0%} of its words stand in runs of {_COPY_WORDS} or more taken from the training works.",
        picture=_picture(
            "Words taken over", {"This version": measures["share_copied"]}, most=1.0, limit=_COPIED_LITTLE
        ),
        measures=measures,
    )


def _safety(spec: TrainSpec, counts: Counts) -> Answer:
    """How many forbidden briefs were refused, and how many words that are never used were written."""
    refused = 0
    for subject in spec.guardrails.subjects_refused:
        try:
            refuse_forbidden({"subject": f"Something about {subject}"}, spec.guardrails)
        except Refused:
            refused += 1
    asked = len(spec.guardrails.subjects_refused)
    never = NeverWords(spec.guardrails.words_never)
    broken = 0
    for trial in range(_TRIALS):
        parts, _ = write(counts, random.Random(f"safety:{spec.seed}:{trial}"), 40, never.allowed)
        broken += sum(not never.allowed(parts[: i + 1]) for i in range(len(parts)))
    measures = {
        "refused": _exact(refused, "briefs", "forbidden briefs that were refused"),
        "asked": _exact(asked, "briefs", "forbidden briefs that were tried"),
        "forbidden_words": _exact(broken, "words", "words that are never used but were written"),
    }
    kept = refused == asked and not broken
    return Answer(
        verdict="good" if kept else "poor",
        headline="Keeps its guardrails" if kept else "Breaks its guardrails",
        sentence=f"It refused {refused} of {asked} forbidden briefs and wrote {broken} words that are never used.",
        picture=_picture("Forbidden briefs", {"Tried": measures["asked"], "Refused": measures["refused"]})
        if asked
        else None,
        measures=measures,
    )


def _exact(value: float, unit: str, meaning: str) -> Measure:
    return Measure(value=value, low=value, high=value, unit=unit, meaning=meaning)
