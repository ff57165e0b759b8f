"""Which of the creator's works shaped a sold piece: asked of the engine in the worker, written down once, shown."""

from __future__ import annotations

import logging
import mimetypes
import tempfile
import uuid
from pathlib import Path

from atelier.market.core import blobs
from atelier.market.core.errors import Conflict
from atelier.market.studio.adapters import adapter_folder
from atelier.workshop import contract
from atelier.workshop.runtime import runtime

from .actions import keep_attribution
from .models import Licence, SaleAttribution

log = logging.getLogger(__name__)

FOR_NOW = ("busy", "cancelled", "engine_unavailable", "over_time", "attribution_crashed")
"""Codes of what may be otherwise when it is asked again."""
Untold = SaleAttribution.Untold


def attribute(licence_id: uuid.UUID, *, last: bool = False) -> None:
    """Ask the engine and write down what it tells. May be killed and begun again at any line; acts once.

    Errors: those that may pass, unless this is the `last` attempt, which writes down that it failed.
    """
    licence = Licence.objects.select_related(
        "output__blob", "output__generation", "version__creation_model", "version__run__dataset"
    ).get(pk=licence_id)
    if SaleAttribution.objects.filter(licence=licence).exists():
        return
    found, untold = None, ""
    try:
        found = _asked(licence)
    except contract.Untold:
        untold = Untold.NOTHING_KEPT
    except Conflict:
        untold = Untold.ERASED
    except contract.WorkshopError as error:
        if error.code in FOR_NOW and not last:
            raise
        log.warning("licence %s: which works shaped it cannot be told: %s", licence.number, error)
        untold = Untold.FAILED
    keep_attribution(licence=licence, found=found, untold=untold)


def _asked(licence: Licence) -> contract.Attribution:
    """What the engine tells. Errors: those of `Runtime.attribute`; Conflict for an erased version."""
    with tempfile.TemporaryDirectory(prefix="atelier-attribution-") as folder:
        suffix = mimetypes.guess_extension(licence.output.blob.media_type) or ""
        master = blobs.copy_to(licence.output.blob, Path(folder) / f"piece{suffix}")
        engine, brief = licence.version.creation_model.engine, licence.output.generation.brief
        return runtime().attribute(engine, adapter_folder(licence.version), master, brief)
