"""What the parts of a training run cost, in tokens read forward once. Needs no heavy library: the plan comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .examples import Example, examples
from .recipe import Recipe
from .splits import Split

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TRAIN_EFFORT = 3.0
"""A training step over a token takes as long as reading about three (measured: 2.7 to 3.2)."""
WRITE_EFFORT = 40.0
"""Writing a token takes as long as reading about so many: it is bound by memory, hardly by how many texts there are."""
AFTER_EFFORT = 1.5
"""Reading a token after a long conversation takes so much longer than at the beginning."""
REFERENCE_TOKENS = 1536
"""How much of the creator's own work the base is shown in the question of worth: six to eight short texts."""
REFERENCE_TRIES = 3
CHOOSERS = 6
"""How many texts choose among the tries."""
TOKENS = 1.4
"""Tokens of an English word, and a few to spare."""


def read_effort(chosen: Sequence[Example]) -> float:
    """To read these examples once."""
    return float(sum(len(example.tokens) for example in chosen))


def train_effort(train: Sequence[Example], stop: Sequence[Example], chosen: Recipe) -> float:
    """To fit an adapter, at most."""
    per_step = read_effort(train) / max(1, len(train)) * chosen.batch * TRAIN_EFFORT
    return per_step * chosen.steps(len(train)) + read_effort(stop) * (chosen.checks + 1)


def proof_effort(split: Split, tokenizer: Tokenizer, recipe: Recipe) -> dict[str, float]:
    """Of the stages of the proof: to measure, and to write samples."""
    test = read_effort(examples(split.test, tokenizer, recipe.longest))
    choosers = read_effort(examples(split.validation, tokenizer, recipe.longest)[:CHOOSERS])
    references = REFERENCE_TRIES * (REFERENCE_TOKENS + AFTER_EFFORT * choosers) + AFTER_EFFORT * test
    return {"evaluate": 2 * test + references, "generate": 2 * recipe.words * TOKENS * WRITE_EFFORT}
