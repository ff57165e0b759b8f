"""Trains the house skill: an adapter that follows briefs, in nobody's voice."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

from atelier.workshop.contract import Report
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.chat import end_mark
from atelier.workshop.engines.text.crew import crew
from atelier.workshop.engines.text.efforts import train_effort
from atelier.workshop.engines.text.examples import Example
from atelier.workshop.engines.text.lora import narrowed, save
from atelier.workshop.engines.text.prompts import prompt_tokens
from atelier.workshop.engines.text.recipe import Recipe
from atelier.workshop.steps import Plan

from . import Pair, pairs

if TYPE_CHECKING:
    from atelier.workshop.engines.text.fitting import Fit
    from atelier.workshop.engines.text.llama import Llama

RECIPE = Recipe(rank=16, alpha=32.0, learning_rate=1e-3, batch=4, epochs=0.5, checks=3)
"""Gentler than for a creator: there is much to learn from, and nobody's habits are to be learned by heart."""
SET_ASIDE = 80
RANK_KEPT = 8
"""Half of what was learned in: it takes half the room, and leaves a creator's adapter half of its rank."""


def train_house(base: Base, folder: Path, report: Report, recipe: Recipe = RECIPE) -> Fit:
    """Learn from the pairs, but for some that say when to stop; writes the adapter's files into the folder."""
    from atelier.workshop.engines.text.fitting import fit

    chosen = list(pairs())
    random.Random(0).shuffle(chosen)
    examples = [example(base, pair, number) for number, pair in enumerate(chosen)]
    learned, stop = examples[SET_ASIDE:], examples[:SET_ASIDE]
    plan = Plan(report, {"train": train_effort(learned, stop, recipe)})
    with crew(recipe.cores(), plan.tell) as team:
        (model,) = team.map(_loaded, [base])
        plan.enter("train", "learning to follow briefs")
        found = fit(model, learned, stop, recipe, 0, plan, team)
    save(narrowed(found.lora, RANK_KEPT)[0], base, folder)
    plan.finish("done")
    return found


def example(base: Base, pair: Pair, number: int) -> Example:
    """The copy as the answer to its brief."""
    tokenizer = base.tokenizer()
    prompt = prompt_tokens(tokenizer, pair.brief)
    copy = [*tokenizer.encode(pair.copy, add_special_tokens=False).ids, end_mark(tokenizer)]
    return Example(number, (*prompt, *copy), len(prompt), ends=True)


def _loaded(base: Base) -> Llama:
    from atelier.workshop.engines.text.device import device
    from atelier.workshop.engines.text.llama import Llama

    return Llama(base, device=device())
