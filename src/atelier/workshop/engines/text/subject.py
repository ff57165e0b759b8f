"""What all parts of a training run share: the network, the works and how they are divided, and who computes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atelier.workshop.contract import TrainSpec
from atelier.workshop.steps import Plan

from .base import Base
from .crew import Crew
from .examples import examples
from .recipe import Recipe
from .splits import Design, Split

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from .fitting import Fit
    from .llama import Llama
    from .lora import Lora


@dataclass(frozen=True)
class Subject:
    """Everything a version is made of and proved on. `start` is what training begins from, None for the base alone."""

    model: Llama
    base: Base
    tokenizer: Tokenizer
    spec: TrainSpec
    design: Design
    start: Lora | None
    plan: Plan
    team: Crew

    def fit(self, divided: Split, recipe: Recipe, *, pulls: bool = False) -> Fit:
        """An adapter that learned from these works, and on wish their pulls on it. The plan must be in a stage of this
        effort."""
        from .fitting import fit

        learned, stop = (examples(part, self.tokenizer, recipe.longest) for part in (divided.train, divided.validation))
        return fit(self.model, learned, stop, recipe, self.spec.seed, self.plan, self.team, self.start, pulls=pulls)

    @property
    def language(self) -> str:
        """The language of most works, two letters."""
        counts = Counter(work.language.lower()[:2] or "en" for work in self.spec.works)
        return max(sorted(counts), key=lambda language: counts[language])
