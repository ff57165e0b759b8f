"""The creator's own words for motifs, in place of what was learned of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .learning.meaning import meaning, words_of

if TYPE_CHECKING:
    from .learning.style import Style

Tags = Mapping[str, Sequence[str]]
"""Words by the names of parts; see `GenerateSpec.tags`."""


def tagged(style: Style, tags: Tags) -> Style:
    """The style with motifs called as their creator calls them; such a motif may stand for its words. Names that are
    no longer known, and empty words, change nothing."""
    own = {name.removeprefix("motif:"): tuple(words) for name, words in tags.items() if words}
    places = [n for n, motif in enumerate(style.motifs) if motif.name in own]
    if not places:
        return style
    motifs, vectors = list(style.motifs), np.array(style.vectors)
    for n in places:
        words = own[motifs[n].name]
        motifs[n], vectors[n] = replace(motifs[n], words=words, named=True), meaning(words_of(words))
    return replace(style, motifs=tuple(motifs), vectors=vectors)
