"""What the tests of versions with pictures begin with."""

from __future__ import annotations

import pytest

from atelier.market.generation.testing import make_picture_model
from atelier.market.studio.models import CreationModel, Version


@pytest.fixture
def model() -> CreationModel:
    """A published model of pictures, trained by the small engine."""
    return make_picture_model()


@pytest.fixture
def version(model: CreationModel) -> Version:
    """Its version."""
    assert model.version is not None
    return model.version
