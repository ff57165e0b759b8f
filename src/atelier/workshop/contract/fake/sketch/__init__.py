"""A complete, honest and very small engine for pictures: it learns colours, and lays shapes of them on a sheet.

It needs Pillow only and is as fast as its sibling for texts, so it stands in wherever a test needs works that are
looked at: `ATELIER_EXTRA_ENGINES="sketch=atelier.workshop.contract.fake.sketch:SketchEngine"`.
`ATELIER_SKETCH_SECONDS` slows each step of drawing.
"""

from .engine import SketchEngine

__all__ = ["SketchEngine"]
