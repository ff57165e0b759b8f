"""A complete, honest and very small engine: it counts which word follows which, and writes from the counts.

It needs no heavy library and trains in milliseconds, so it stands in for a real engine wherever a test needs one:
`ATELIER_EXTRA_ENGINES="fake=atelier.workshop.contract.fake:FakeEngine"`.
"""

from .engine import FakeEngine

__all__ = ["FakeEngine"]
