"""What many of these tests begin with, and the sandbox of the test's own, as the tests of billing have it."""

from __future__ import annotations

import pytest

from atelier.market.accounts.models import User
from atelier.market.billing.tests.conftest import gateway
from atelier.market.core.testing import make_user
from atelier.market.generation.testing import make_picture_model
from atelier.market.studio.models import CreationModel

__all__ = ["gateway"]


@pytest.fixture
def viewer() -> User:
    """Somebody who writes a brief."""
    return make_user()


@pytest.fixture
def model() -> CreationModel:
    """A published model of pictures, trained by the small engine."""
    return make_picture_model()
