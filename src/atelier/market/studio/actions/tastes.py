"""What an engine learned from picks is kept with the creation model."""

from __future__ import annotations

import math
from collections.abc import Mapping

from django.db import transaction

from atelier.market.core import audit
from atelier.market.studio.models import CreationModel

FIGURES_MOST = 1000


@transaction.atomic
def keep_taste(*, creation_model_id: int, taste: Mapping[str, float], picks: int) -> bool:
    """Keep a taste learned from so many picks; False when one learned from more is kept already."""
    known = {name[:120]: value for name, value in list(taste.items())[:FIGURES_MOST] if math.isfinite(value)}
    older = CreationModel.objects.filter(pk=creation_model_id, taste_picks__lte=picks)
    if not older.update(taste=known, taste_picks=picks):
        return False
    audit.record(None, "studio.keep_taste", CreationModel.objects.get(pk=creation_model_id), picks=picks)
    return True
