"""The model card of a version: what it is made of, how, and what was found out about it, as plain data.

Mitchell et al. 2019, “Model Cards for Model Reporting”, https://arxiv.org/abs/1810.03993
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from atelier.workshop.contract import Evaluation, TrainSpec

from .base import Base
from .recipe import Recipe
from .splits import Split, Text

if TYPE_CHECKING:
    from .fitting import Fit

INTENDED = "Writing short texts to a brief in the manner of the creator whose works it was trained on."
LIMITS = (
    "The base is a small language model: it invents facts, so every text must be read before it is used. "
    "It was measured on the creator's own held-out works, and on nothing else."
)


def card(
    spec: TrainSpec, source: Base, divided: Split, chosen: Recipe, found: Fit, evaluation: Evaluation
) -> dict[str, Any]:
    """Base, recipe, works by hash and figures. JSON-able."""
    return {
        "engine": "text",
        "intended_use": INTENDED,
        "limits": LIMITS,
        "base": source.info.model_dump(),
        "method": "LoRA on all linear layers, base frozen",
        "recipe": chosen.as_dict(),
        "seed": spec.seed,
        "steps_planned": found.steps,
        "best_step": found.best_step,
        "dataset_sha256": spec.dataset_sha256,
        "works": {
            "train": _named(divided.train),
            "validation": _named(divided.validation),
            "test": _named(divided.test),
        },
        "licences": {
            "base": source.info.licence,
            "works": "The creator's own, used with the creator's consent to train.",
            "adapter": "Belongs to the creator; the licence of the base applies to what is derived from the base.",
        },
        "guardrails": spec.guardrails.model_dump(mode="json"),
        "evaluation": evaluation.flat(),
    }


def _named(texts: Sequence[Text]) -> list[dict[str, str]]:
    return [{"id": text.work.id, "sha256": text.work.sha256} for text in texts]
