"""The model card of a version as plain data. Mitchell et al. 2019, https://arxiv.org/abs/1810.03993"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from atelier.workshop.contract import Evaluation, TrainSpec

from .base import Base
from .fitting import Fit
from .recipe import Recipe
from .splits import Learned, Split

INTENDED = "Making pictures to a brief in the manner of the creator whose works it was trained on."
LIMITS = (
    "What the base knows and was taught by others comes along. It draws hands, letters and numbers badly. It was "
    "measured by how well it foretells held-out works from noise, and by nobody's eye. Its guardrails read words, not "
    "pictures."
)


def card(
    base: Base, spec: TrainSpec, recipe: Recipe, split: Split, fit: Fit, manner: str, evaluation: Evaluation
) -> dict[str, Any]:
    """Base, recipe, works by hash, how it was measured and what was found. JSON-able."""
    return {
        "engine": "diffusion",
        "intended_use": INTENDED,
        "limits": LIMITS,
        "base": base.info.model_dump(),
        "method": "LoRA on the attention of the UNet, base frozen, loss of foretold noise",
        "recipe": recipe.as_dict(),
        "seed": spec.seed,
        "steps_planned": fit.steps,
        "best_step": fit.best_step,
        "dataset_sha256": spec.dataset_sha256,
        "works": {"train": _named(split.train), "validation": _named(split.stop), "test": _named(split.test)},
        "measured": {"how": "same noise for base and version, bootstrap over works", "compared_with": manner},
        "licences": {
            "base": base.info.licence,
            "works": "The creator's own, used with the creator's consent to train.",
            "adapter": "Belongs to the creator; the licence of the base applies to what is derived from the base.",
        },
        "guardrails": spec.guardrails.model_dump(mode="json"),
        "evaluation": evaluation.flat(),
    }


def _named(works: Sequence[Learned]) -> list[dict[str, str]]:
    return [{"id": each.work.id, "sha256": each.work.sha256} for each in works]
