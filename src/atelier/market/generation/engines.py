"""What an engine offers, as the market asks for it: a missing engine is a sentence for a person."""

from __future__ import annotations

from django.utils.translation import gettext as _

from atelier.market.core.errors import Conflict
from atelier.market.studio.models import CreationModel
from atelier.workshop.contract import Capabilities, EngineUnavailable, engine


def capabilities_of(creation_model: CreationModel) -> Capabilities:
    """What the creation model's engine offers; cheap. Errors: Conflict when that engine is not installed."""
    try:
        return engine(creation_model.engine).capabilities()
    except EngineUnavailable as error:
        raise Conflict(
            _("The engine of this creation model is not installed here."), remedy=error.remedy, code=error.code
        ) from error
