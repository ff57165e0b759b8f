"""The sandbox of the test's own, as the tests of billing have it."""

from atelier.market.billing.tests.conftest import gateway

__all__ = ["gateway"]
