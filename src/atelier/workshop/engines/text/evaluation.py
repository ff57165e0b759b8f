"""The proof: four questions about a version, answered with figures on works it never saw."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np
import torch
from tokenizers import Tokenizer

from atelier.workshop.contract import Answer, Evaluation, Measure, TrainSpec

from .base import Base
from .chat import template_of
from .conduct import copying_answer, safety_answer
from .crew import Crew
from .efforts import AFTER_EFFORT, CHOOSERS, REFERENCE_TOKENS, REFERENCE_TRIES, TOKENS, read_effort
from .examples import Example, examples
from .fitting import Fit, losses
from .llama import Llama, Memory
from .prompts import brief_for_work, opening_text, request_text
from .recipe import Recipe
from .serving.adapters import packed
from .serving.delivery import task_for
from .serving.native.decoder import Adapter
from .serving.sampling import Sampling
from .splits import Split, Text
from .statistics import Array, bootstrap, drop, perplexity
from .steps import Plan
from .writing import Order, write

CLEAR = 0.1
"""A fall of perplexity that a reader can notice: a tenth, at the lower end of its interval."""
SHOWN = 3
"""How many texts are put side by side on the page of the proof."""
NATS = ("tokens", "base", "adapter", "reference")


@dataclass(frozen=True)
class Subject:
    """Everything that is judged, and on what."""

    model: Llama
    base: Base
    tokenizer: Tokenizer
    fit: Fit
    split: Split
    spec: TrainSpec
    recipe: Recipe


def evaluate(subject: Subject, plan: Plan, team: Crew) -> Evaluation:
    """Answer the four questions. The plan must hold the stages of `proof_effort`; same inputs, same answers."""
    plan.enter("evaluate", "reading the works set aside for the proof")
    table = _measure(subject, plan, team)
    fidelity, worth = fidelity_answer(table), worth_answer(table)
    plan.enter("generate", "writing samples for the proof")
    pieces = _pieces(subject, plan, team)
    copying = copying_answer(
        [piece["adapter"] for piece in pieces],
        learned=[text.text for text in subject.split.train],
        held_out=[text.text for text in subject.split.test],
    )
    publishable = subject.fit.best_step > 0 and fidelity.measures["perplexity_drop"].low > 0
    return Evaluation(
        fidelity=fidelity,
        worth=worth,
        copying=copying,
        safety=safety_answer(subject.spec.guardrails, [p["adapter"] for p in pieces], [p["brief"] for p in pieces]),
        publishable=publishable,
        summary=summary(fidelity, worth, copying, publishable),
        held_out=tuple(text.work.id for text in subject.split.test),
        trained_on=tuple(text.work.id for text in subject.split.train),
        curve=tuple(subject.fit.curve),
        examples=tuple(pieces[:SHOWN]),
    )


# Figures --------------------------------------------------------------------------------------------------------


def _measure(subject: Subject, plan: Plan, team: Crew) -> Array:
    """For each test work: tokens, and nats under the base, the adapter, and the base shown reference works."""
    model, chosen = subject.model, subject.recipe
    test = examples(subject.split.test, subject.tokenizer, chosen.longest)
    base = losses(model, None, test, team)
    plan.advance(read_effort(test))
    adapter = losses(model, subject.fit.lora, test, team)
    plan.advance(read_effort(test), "comparing with the base that is shown the creator's best works")
    memory = best_reference(subject, plan, team)
    reference = losses(model, None, [without_system(e, subject.tokenizer) for e in test], team, memory)
    plan.advance(AFTER_EFFORT * read_effort(test))
    table = np.zeros((len(subject.split.test), len(NATS)))
    for example, *columns in zip(test, base, adapter, reference, strict=True):
        words = example.targets - example.ends  # The mark of the end is no word of the creator's.
        table[example.work] += [words, *(sum(nats[:words]) for nats in columns)]
    return table


def best_reference(subject: Subject, plan: Plan, team: Crew) -> Memory:
    """The base's memory of a conversation in which it wrote works of the creator: of three, the one that helps most.

    The choice is made on the works that also chose the adapter, so that neither side knows the test.
    """
    stop = examples(subject.split.validation, subject.tokenizer, subject.recipe.longest)
    later = [without_system(example, subject.tokenizer) for example in stop[:CHOOSERS]]
    tries = team.map(lambda attempt: _shown(subject, attempt), range(REFERENCE_TRIES))
    plan.advance(REFERENCE_TRIES * REFERENCE_TOKENS)
    scores = []
    for memory in tries:
        scores.append(sum(map(sum, losses(subject.model, None, later, team, memory))))
        plan.advance(AFTER_EFFORT * read_effort(later))
    return tries[scores.index(min(scores))]


@torch.no_grad()
def _shown(subject: Subject, attempt: int) -> Memory:
    """Read a choice of training works as answers to their briefs, as many as fit."""
    longest = subject.recipe.longest
    room = min(REFERENCE_TOKENS, max(longest, subject.model.shape.context - longest))
    texts = list(subject.split.train)
    random.Random(f"{subject.spec.seed} {attempt}").shuffle(texts)
    shown: list[int] = []
    for text in texts:
        parts = examples([text], subject.tokenizer, room)
        tokens = list(parts[0].tokens if not shown else without_system(parts[0], subject.tokenizer).tokens)
        if len(shown) + len(tokens) < room:
            shown += tokens
    memory = Memory()
    subject.model.hidden([shown], None, [memory])
    return memory


def without_system(example: Example, tokenizer: Tokenizer) -> Example:
    """The same example as a later turn of a conversation, before which the turn of the writer is closed."""
    template = template_of(tokenizer)
    opening = tokenizer.encode(opening_text(template), add_special_tokens=False).ids
    line = tokenizer.encode(template.between, add_special_tokens=False).ids
    if list(example.tokens[: len(opening)]) != opening:
        return example
    tokens = (*line, *example.tokens[len(opening) :])
    return Example(example.work, tokens, example.begin - len(opening) + len(line), example.ends)


def fidelity_answer(table: Array) -> Answer:
    """How much nearer the creator's held-out works the adapter is than the base."""
    measures = {
        "perplexity_base": bootstrap(perplexity(1), table, meaning="Perplexity of held-out works under the base"),
        "perplexity_adapter": bootstrap(
            perplexity(2), table, meaning="Perplexity of held-out works under this version"
        ),
        "perplexity_drop": bootstrap(drop(1, 2), table, meaning="By which share of it the perplexity fell"),
        "works_nearer": _share_of_works(table, 1, 2, "Share of held-out works that this version foretells better"),
    }
    fall = measures["perplexity_drop"]
    figures = f"{measures['perplexity_base'].value:.1f} to {measures['perplexity_adapter'].value:.1f}"
    if fall.low <= 0:
        return Answer(
            verdict="poor",
            sentence=f"No better than the base on {len(table)} works it never saw (perplexity {figures}).",
            measures=measures,
        )
    clear = fall.low > CLEAR
    word = "clearly" if clear else "somewhat"
    sentence = (
        f"On {len(table)} works it never saw, this version is {word} nearer the creator than the base: "
        f"perplexity falls from {figures}, by {fall.value:.0%} (between {fall.low:.0%} and {fall.high:.0%})."
    )
    return Answer(verdict="good" if clear else "fair", sentence=sentence, measures=measures)


def worth_answer(table: Array) -> Answer:
    """Whether training was worth it against showing the base the creator's works in its prompt."""
    measures = {
        "perplexity_reference_prompt": bootstrap(
            perplexity(3), table, meaning="Perplexity of held-out works under the base shown the creator's best works"
        ),
        "perplexity_adapter": bootstrap(
            perplexity(2), table, meaning="Perplexity of held-out works under this version"
        ),
        "gain": bootstrap(drop(3, 2), table, meaning="By which share perplexity is lower than with reference works"),
    }
    gain = measures["gain"]
    against = f"the base that is shown the creator's works in its prompt ({gain.value:+.0%} of perplexity saved)"
    if gain.low > 0:
        return Answer(verdict="good", sentence=f"Training beats {against}.", measures=measures)
    if gain.high > 0:
        return Answer(verdict="fair", sentence=f"Training is not clearly better than {against}.", measures=measures)
    return Answer(verdict="poor", sentence=f"Training falls short of {against}.", measures=measures)


def _share_of_works(table: Array, before: int, after: int, meaning: str) -> Measure:
    better = (table[:, after] < table[:, before]).astype(float)[:, None]
    return bootstrap(lambda works: works[..., 0].mean(-1), better, meaning=meaning)


def summary(fidelity: Answer, worth: Answer, copying: Answer, publishable: bool) -> str:
    """What a person should take away, in two sentences."""
    if not publishable:
        return (
            "This version writes no more like the creator than the base does. "
            "Add works, or works more alike in voice, and train again."
        )
    return f"{fidelity.sentence} {copying.sentence if copying.verdict == 'poor' else worth.sentence}"


# Samples --------------------------------------------------------------------------------------------------------


def _pieces(subject: Subject, plan: Plan, team: Crew) -> list[dict[str, str]]:
    """Texts of this version and of the base for the briefs of held-out works, beside what the creator wrote."""
    chosen = subject.recipe
    texts = [subject.split.test[i % len(subject.split.test)] for i in range(chosen.samples)]
    briefs = [brief_for_work(text.work, text.text) for text in texts]
    adapter = packed(subject.fit.lora, subject.base.config)
    orders = [_order(subject, brief, number, adapter) for number, brief in enumerate(briefs)]
    orders += [_order(subject, brief, number, None) for number, brief in enumerate(briefs[:SHOWN])]
    written = write(subject.base, orders, team.cores, plan.count)
    ours, theirs = written[: len(briefs)], written[len(briefs) :]
    theirs += [""] * (len(ours) - len(theirs))
    return [
        {
            "brief": shown_brief(brief),
            "work": text.work.id,
            "held_out": opening(text, chosen.words),
            "base": base,
            "adapter": adapted,
        }
        for text, brief, base, adapted in zip(texts, briefs, theirs, ours, strict=True)
    ]


def _order(subject: Subject, brief: dict[str, str], number: int, adapter: Adapter | None) -> Order:
    sampling = Sampling(temperature=subject.recipe.temperature, top_p=subject.recipe.top_p)
    task = task_for(subject.base, brief, sampling)
    limit = min(task.tokens_max, round(subject.recipe.words * TOKENS))
    return Order(replace(task, tokens_max=limit), adapter, subject.spec.seed * 1000 + number)


def shown_brief(brief: dict[str, str]) -> str:
    """A brief as a person reads it."""
    return request_text(brief).replace("\n", " · ")


def opening(text: Text, words: int) -> str:
    """The first so many words of a work."""
    parts = text.text.split()
    return text.text if len(parts) <= words else " ".join(parts[:words]) + " …"
