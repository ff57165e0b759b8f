"""Habits of a creator's hand, over all works: medians, so that no single work decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from atelier.workshop.engines.design.layout.habits import Habits

from .looking import Look


@dataclass(frozen=True)
class Traits:
    """Shares 0 to 1; `line` is the usual width of a line in parts of the drawing; `tones` a number of colours."""

    outlined: float = 0.0
    line_only: float = 0.0
    line: float = 0.0
    line_varies: float = 0.0
    round_ends: float = 0.0
    curved: float = 0.5
    smooth: float = 0.5
    graded: float = 0.0
    sheer: float = 0.0
    cover: float = 0.45
    symmetry: float = 0.5
    tones: float = 6.0
    upper: float = 0.2
    middle: float = 0.5
    contrast: float = 1.5
    """How many times larger the largest words are than the smallest, where works hold words."""
    families: tuple[str, ...] = ()
    """Fonts that the works name, the most used first."""
    letter_smooth: float = 0.55
    letter_heavy: float = 0.42
    letter_contrast: float = 1.2
    """What letters would be like that were drawn by the hand that drew the works; see `type.measure.Measured`."""

    @property
    def habits(self) -> Habits:
        """What layout uses of them."""
        return Habits(**{each.name: getattr(self, each.name) for each in fields(Habits)})


def traits_of(looks: Sequence[Look]) -> Traits:
    """Habits over works that show something."""
    seen = [look for look in looks if look.cover > 0]
    if not seen:
        return Traits()

    def median(name: str) -> float:
        return round(float(np.median([getattr(look, name) for look in seen])), 4)

    widths = [width for look in seen for width, _ in look.widths]
    texts = [text for look in seen for text in look.texts]
    spans = [
        max(t.size for t in look.texts) / max(1e-9, min(t.size for t in look.texts))
        for look in seen
        if len(look.texts) > 1
    ]
    families: dict[str, int] = {}
    varies = float(np.std(np.log(widths))) if len(widths) > 3 else 0.0
    for text in texts:
        if text.family:
            families[text.family] = families.get(text.family, 0) + len(text.words)
    outlined = round(float(np.mean([look.outlined for look in seen])), 4)
    line_only = round(float(np.mean([look.line_only for look in seen])), 4)
    line = round(float(np.median(widths)), 5) if widths else 0.0
    smooth, round_ends = median("corners"), median("round_ends")
    drawn = outlined > 0.3 or line_only > 0.3
    return Traits(
        outlined=outlined,
        line_only=line_only,
        line=line,
        line_varies=round(varies, 3),
        round_ends=round_ends,
        curved=median("curved"),
        smooth=smooth,
        letter_smooth=round(0.45 + 0.5 * smooth if round_ends > 0.5 or smooth > 0.75 else 0.55, 3),
        letter_heavy=round(min(0.6, 0.3 + 4.0 * line) if drawn else 0.42, 3),
        letter_contrast=round(1.15 + 1.2 * min(1.0, varies), 3),
        graded=round(float(np.mean([look.graded for look in seen])), 4),
        sheer=round(float(np.mean([look.sheer for look in seen])), 4),
        cover=median("cover"),
        symmetry=median("symmetry"),
        tones=median("tones"),
        upper=_share([text.words.isupper() for text in texts], 0.2),
        middle=_share([text.anchor == "middle" for text in texts], 0.5),
        contrast=round(float(np.median(spans)), 2) if spans else 1.5,
        families=tuple(sorted(families, key=lambda family: -families[family])[:6]),
    )


def _share(found: Sequence[bool], usual: float) -> float:
    """A share that is drawn to what is usual where little is known."""
    return round((sum(found) + 4 * usual) / (len(found) + 4), 3)
