"""Other hands, to compare a version with: two designers whose works were drawn for this project, and nobody at all."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from atelier.workshop.engines.design.learning.palette import Palette, Swatch
from atelier.workshop.engines.design.learning.style import Style, load
from atelier.workshop.engines.design.learning.traits import Traits
from atelier.workshop.pictures.fingerprints import NEAR_BITS, distance

SHARED = 3
"""A hand that shares so many works is the creator's own."""
FOLDER = Path(__file__).parent / "hands"
_GREYS = ("#f2f2f2", "#d9d9d9", "#8c8c8c", "#404040", "#1a1a1a")


@lru_cache(1)
def others() -> dict[str, Style]:
    """Reference hands by name; each an adapter that ships with this engine."""
    return {folder.name: load(folder) for folder in sorted(FOLDER.iterdir()) if (folder / "style.json").is_file()}


def strangers(*own: Style) -> dict[str, Style]:
    """Those of the reference hands whose works are not these styles' works, nor near copies of them."""
    hashes = [each for style in own for each in style.hashes.values()]

    def known(style: Style) -> int:
        return sum(any(distance(each, other) <= NEAR_BITS for other in hashes) for each in style.hashes.values())

    return {name: style for name, style in others().items() if known(style) < SHARED}


def nobody() -> Style:
    """No hand: greys, forms as anybody's, no motif."""
    share = 1 / len(_GREYS)
    swatches = tuple(Swatch(colour, share, 1, {"ground": 0.3, "figure": 0.7}) for colour in _GREYS)
    together = tuple(tuple(1.0 for _ in _GREYS) for _ in _GREYS)
    return Style(Palette(swatches, together), Traits(), (), np.zeros((0, 384), np.float32), {})
