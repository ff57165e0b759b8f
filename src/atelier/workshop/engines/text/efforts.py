"""What the parts of a training run cost, in tokens read forward once. Needs no heavy library: the plan comes first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .examples import Example, examples
from .recipe import Recipe
from .splits import Design, Split

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LOAD_EFFORT = 3_000.0
"""Reading the works and loading the base takes as long as reading about so many tokens."""
TRAIN_EFFORT = 3.0
"""A training step over a token takes as long as reading about three (measured: 2.7 to 3.2)."""
WRITE_EFFORT = 40.0
"""Writing a token takes as long as reading about so many: it is bound by memory, hardly by how many texts there are."""
WRITE_AT_ONCE = 24
"""How many texts are written in one batch: more bring little, and each holds memory."""
AFTER_EFFORT = 1.5
"""Reading a token after a long conversation takes so much longer than at the beginning."""
REFERENCE_WORKS = 5
"""How many of the creator's works the base is shown in the question of worth."""
REFERENCE_TOKENS = 2560
"""The most that those works may take: five of 512 tokens."""
REFERENCE_TRIES = 3
CHOOSERS = 6
"""How many texts choose among the tries."""
TOKENS = 1.4
"""Tokens of an English word, and a few to spare."""
BASE_LEARNED = 12
"""By so many of its own texts, for briefs that are not judged, the base's hand is learned."""


def read_effort(chosen: Sequence[Example]) -> float:
    """To read these examples once."""
    return float(sum(len(example.tokens) for example in chosen))


def train_effort(train: Sequence[Example], stop: Sequence[Example], chosen: Recipe) -> float:
    """To fit an adapter, at most."""
    per_step = read_effort(train) / max(1, len(train)) * chosen.batch * TRAIN_EFFORT
    return per_step * chosen.steps(len(train)) + read_effort(stop) * (chosen.checks + 1)


def write_effort(texts: int, recipe: Recipe) -> float:
    """To write so many texts for the proof."""
    return math.ceil(texts / WRITE_AT_ONCE) * recipe.words * TOKENS * WRITE_EFFORT


def run_efforts(design: Design, tokenizer: Tokenizer, recipe: Recipe) -> dict[str, float]:
    """The plan of a whole run: its stages in order, each with its effort."""
    stages = {"prepare": LOAD_EFFORT, **try_efforts(design, tokenizer, recipe)}
    if design.crossed:
        stages["cross-check"] = sum(_fit_effort(each, tokenizer, recipe) for each in design.rounds)
    stages["evaluate"] = sum(_measure_effort(each, tokenizer, recipe) for each in design.rounds)
    own = recipe.samples if design.crossed else 0
    stages["generate"] = write_effort(own + recipe.samples + BASE_LEARNED, recipe)
    return stages


def try_efforts(design: Design, tokenizer: Tokenizer, recipe: Recipe, again: str = "") -> dict[str, float]:
    """To train the version and to write by which copying is judged; `again` tells further tries from the first."""
    return {
        f"train{again}": _fit_effort(design.shipped, tokenizer, recipe),
        f"write{again}": write_effort(2 * recipe.samples, recipe),
    }


def _fit_effort(divided: Split, tokenizer: Tokenizer, recipe: Recipe) -> float:
    learned, stop = (examples(part, tokenizer, recipe.longest) for part in (divided.train, divided.validation))
    return train_effort(learned, stop, recipe)


def _measure_effort(divided: Split, tokenizer: Tokenizer, recipe: Recipe) -> float:
    """To read a round's test under the version and under the base, and to find the reference works and read after."""
    test = read_effort(examples(divided.test, tokenizer, recipe.longest))
    choosers = read_effort(examples(divided.validation, tokenizer, recipe.longest)[:CHOOSERS])
    shown = examples(divided.train, tokenizer, recipe.longest)
    reference = min(REFERENCE_TOKENS, REFERENCE_WORKS * read_effort(shown) / max(1, len(shown)))
    return (2 + AFTER_EFFORT) * test + REFERENCE_TRIES * (reference + AFTER_EFFORT * choosers)
