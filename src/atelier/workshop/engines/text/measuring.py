"""How well works that nobody learned from are foretold: by the base, by a version, by the base shown other works."""

from __future__ import annotations

import random

import numpy as np
import torch
from tokenizers import Tokenizer

from atelier.workshop.proof.statistics import Array

from .chat import template_of
from .efforts import AFTER_EFFORT, CHOOSERS, REFERENCE_TOKENS, REFERENCE_TRIES, REFERENCE_WORKS, read_effort
from .examples import Example, examples
from .fitting import losses
from .llama import Memory
from .lora import Lora
from .prompts import opening_text
from .recipe import Recipe
from .splits import Split
from .subject import Subject

NATS = ("tokens", "base", "adapter", "reference")


def measure(subject: Subject, divided: Split, lora: Lora, recipe: Recipe) -> Array:
    """(test works, 4): tokens, and nats under the base, the adapter, and the base shown the best reference works."""
    model, plan, team = subject.model, subject.plan, subject.team
    test = examples(divided.test, subject.tokenizer, recipe.longest)
    base = losses(model, None, test, team)
    plan.advance(read_effort(test))
    adapter = losses(model, lora, test, team)
    plan.advance(read_effort(test))
    memory = best_reference(subject, divided, recipe)
    reference = losses(model, None, [without_system(e, subject.tokenizer) for e in test], team, memory)
    plan.advance(AFTER_EFFORT * read_effort(test))
    table = np.zeros((len(divided.test), len(NATS)))
    for example, *columns in zip(test, base, adapter, reference, strict=True):
        words = example.targets - example.ends  # The mark of the end is no word of the creator's.
        table[example.work] += [words, *(sum(nats[:words]) for nats in columns)]
    return table


def best_reference(subject: Subject, divided: Split, recipe: Recipe) -> Memory:
    """The base's memory of a conversation in which it wrote works of the creator: of some sets, the most helpful.

    The choice is made on the works that also chose the adapter, so that neither side knows the test.
    """
    stop = examples(divided.validation, subject.tokenizer, recipe.longest)
    later = [without_system(example, subject.tokenizer) for example in stop[:CHOOSERS]]
    shown = [reference_tokens(subject, divided, recipe, attempt) for attempt in range(REFERENCE_TRIES)]
    # Side by side: each is read on one core. Held together they take up to 200 MB, less than training did before.
    memories = subject.team.map(lambda tokens: _read(subject, tokens), shown)
    best, least = None, float("inf")
    for tokens, memory in zip(shown, memories, strict=True):
        subject.plan.advance(len(tokens))
        found = sum(map(sum, losses(subject.model, None, later, subject.team, memory)))
        subject.plan.advance(AFTER_EFFORT * read_effort(later))
        if found < least:
            best, least = memory, found
    assert best is not None
    return best


def reference_tokens(subject: Subject, divided: Split, recipe: Recipe, attempt: int) -> list[int]:
    """A choice of training works as answers to their briefs: five, or as many as fit."""
    longest = recipe.longest
    room = min(REFERENCE_TOKENS, max(longest, subject.model.shape.context - longest))
    texts = list(divided.train)
    random.Random(f"{subject.spec.seed} {attempt}").shuffle(texts)
    shown: list[int] = []
    count = 0
    for text in texts:
        first = examples([text], subject.tokenizer, min(longest, room))[0]
        tokens = list((first if not shown else without_system(first, subject.tokenizer)).tokens)
        if count < REFERENCE_WORKS and len(shown) + len(tokens) <= room:
            shown += tokens
            count += 1
    return shown


@torch.no_grad()
def _read(subject: Subject, tokens: list[int]) -> Memory:
    memory = Memory()
    subject.model.hidden([tokens], None, [memory])
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
