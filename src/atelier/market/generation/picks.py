"""What clients chose among samples, and what an engine learns from it."""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction

from atelier.workshop.contract import EngineUnavailable, PreferringEngine, engine

from .models import Output, Pick


def note_pick(output: Output, because: str) -> None:
    """Write down that a client chose this sample, once however often they do, and have the engine learn from it.

    Only where there was a choice: other samples of the same generation, with figures to compare. What a creator does in
    their own playground is no pick. Runs in the transaction of the deed, and needs no engine to be installed.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A pick belongs in the transaction of what was done with the sample.")
    generation = output.generation
    siblings = generation.outputs.exclude(pk=output.pk).order_by("sample")
    others = [features for features in siblings.values_list("features", flat=True) if features]
    if generation.is_playground or not output.features or not others:
        return
    pick = Pick(
        creation_model_id=generation.creation_model_id,
        output=output,
        because=because,
        chosen=output.features,
        others=others,
    )
    Pick.objects.bulk_create([pick], ignore_conflicts=True)
    with suppress(EngineUnavailable):
        if isinstance(engine(generation.creation_model.engine), PreferringEngine):
            from .tasks import learn_taste

            learn_taste.defer(creation_model_id=generation.creation_model_id)
