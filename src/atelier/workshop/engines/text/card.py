"""The model card of a version: what it is made of, how, and what was found out about it, as plain data.

Mitchell et al. 2019, “Model Cards for Model Reporting”, https://arxiv.org/abs/1810.03993
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from atelier.workshop.contract import Evaluation

from .splits import Text

if TYPE_CHECKING:
    from .subject import Subject
    from .versions import Version

INTENDED = "Writing short texts to a brief in the manner of the creator whose works it was trained on."
LIMITS = (
    "The base is a small language model: it invents facts, so every text must be read before it is used. "
    "It was measured on the creator's own works, and on nothing else. Its guardrails know words, not meanings: what "
    "they refuse by one name they may let pass by another."
)


def card(subject: Subject, version: Version, evaluation: Evaluation, house_sha256: str | None) -> dict[str, Any]:
    """Base, recipe, works by hash, how it was measured and what was found; which house skill training began from, if
    any, and what became of versions that copied. JSON-able."""
    spec, design = subject.spec, subject.design
    return {
        "engine": "text",
        "intended_use": INTENDED,
        "limits": LIMITS,
        "base": subject.base.info.model_dump(),
        "method": "LoRA on all linear layers, base frozen",
        "began_from": f"house skill {house_sha256}" if house_sha256 else "the base alone",
        "recipe": version.recipe.as_dict(),
        "seed": spec.seed,
        "steps_planned": version.fit.steps,
        "best_step": version.fit.best_step,
        "dataset_sha256": spec.dataset_sha256,
        "works": {
            "train": _named(design.shipped.train),
            "validation": _named(design.shipped.validation),
            "test": _named(design.shipped.test),
        },
        "measured": {
            "how": design.method,
            "rounds": [[text.work.id for text in divided.test] for divided in design.rounds],
        },
        "given_up": list(version.earlier),
        "licences": {
            "base": subject.base.info.licence,
            "works": "The creator's own, used with the creator's consent to train.",
            "adapter": "Belongs to the creator; the licence of the base applies to what is derived from the base.",
        },
        "guardrails": spec.guardrails.model_dump(mode="json"),
        "evaluation": evaluation.flat(),
    }


def _named(texts: Sequence[Text]) -> list[dict[str, str]]:
    return [{"id": text.work.id, "sha256": text.work.sha256} for text in texts]
