"""Factories for tests: licences as they are after a purchase."""

from __future__ import annotations

from atelier.market.billing.testing import buy
from atelier.market.generation.models import Output

from .models import Licence
from .tasks import make_files


def make_licence(output: Output | None = None, tier: str = "personal", *, files: bool = True) -> Licence:
    """A paid licence, with its files made unless told otherwise."""
    licence = Licence.objects.get(purchase=buy(output, tier))
    if files:
        make_files(licence_id=str(licence.pk))
    return licence
