"""What a birth record tells the public of an output: hashes and names of what made it, never a brief nor a buyer."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .engines import capabilities_of
from .models import Generation, Output


def brief_digest(generation: Generation) -> str:
    """A hash by which whoever has the brief can show that it was this one.

    It covers the generation's random id too, so that nobody can find a short brief by trying.
    """
    told = json.dumps(
        {"generation": str(generation.pk), "brief": generation.brief},
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(told.encode()).hexdigest()


def birth_facts(generation: Generation, output: Output) -> dict[str, Any]:
    """The facts of an output as JSON; needs `creation_model__creator__user` and `version__run__dataset` loaded."""
    model, version = generation.creation_model, generation.version
    capabilities = capabilities_of(model)
    return {
        "creator": {"name": str(model.creator.user), "handle": model.creator.handle},
        "creation_model": {"name": model.name, "slug": model.slug},
        "version": {"number": version.number, "adapter_sha256": version.adapter_sha256},
        "dataset_sha256": version.run.dataset.sha256,
        "engine": {"name": capabilities.engine, "version": capabilities.version},
        "base": {
            "name": capabilities.base.name,
            "sha256": capabilities.base.sha256,
            "licence": capabilities.base.licence,
        },
        "brief_sha256": brief_digest(generation),
        "seed": output.seed,
        "extent": output.extent,
        "extent_unit": capabilities.unit_of(output.extent),
        "made_for": "playground" if generation.is_playground else "brief",
    }
