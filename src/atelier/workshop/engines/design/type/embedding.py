"""Fonts within a file: of each only the letters that are needed, as WOFF2 in `@font-face` rules.

The Open Font Licence and the Apache Licence permit it (https://openfontlicense.org/ofl-faq/, 1.15): the notices stay
in the fonts.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from atelier.workshop.engines.design.scene import Run

from .choosing import catalogue
from .faces import Fontfile

LICENCES = frozenset(("OFL-1.1", "Apache-2.0", "UFL-1.0"))
USUAL = "".join(map(chr, range(0x20, 0x7F))) + "–—‘’“”…€©"
"""Letters that are embedded wherever a font has them, so that words can be changed a little."""
GENERIC = {"serif": "serif", "sans": "sans-serif", "hand": "cursive", "mono": "monospace", "display": "sans-serif"}
_NAMES = (0, 1, 2, 4, 5, 6, 7, 13, 14)
"""Of the table of names: the notices and the licence, and what a font is called."""


def generic_of(family: str) -> str:
    """What may stand for a family where it is missing, as CSS names it."""
    kind = next((each.kind for each in catalogue() if each.family == family), "sans")
    return GENERIC.get(kind, "sans-serif")


def font_faces(runs: Iterable[Run]) -> str:
    """The rules of a style sheet that carry the fonts of these runs. Families that may not be embedded are left out."""
    wanted: dict[tuple[str, int], set[str]] = {}
    for run in runs:
        wanted.setdefault((run.family, run.weight), set()).update(run.text)
    known = {each.family: each for each in catalogue() if each.licence in LICENCES}
    rules = []
    for (family, weight), letters in sorted(wanted.items()):
        found = known.get(family)
        if found is None:
            continue
        source = Fontfile(found.family, found.package, found.file, found.weights)
        data = base64.b64encode(subset(source, weight, "".join(sorted(letters - set(USUAL))))).decode()
        address = f"url(data:font/woff2;base64,{data}) format('woff2')"
        rules.append(f"@font-face{{font-family:'{family}';font-weight:{weight};src:{address}}}")
    return "\n".join(rules)


@lru_cache(128)
def subset(source: Fontfile, weight: int, letters: str) -> bytes:
    """A font at one weight with the usual letters and these, as WOFF2; it is kerned and tied as the whole font is."""
    from fontTools import subset as tool
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    font = TTFont(source.path, lazy=True, recalcTimestamp=False)
    options = tool.Options(hinting=False, name_IDs=list(_NAMES), notdef_outline=True)
    options.drop_tables += ["FFTM"]
    subsetter = tool.Subsetter(options)
    subsetter.populate(text=USUAL + letters)
    subsetter.subset(font)
    if "fvar" in font:
        places: dict[str, Any] = {axis.axisTag: None for axis in font["fvar"].axes}
        low, high = source.weights
        places["wght"] = float(min(high, max(low, weight)))
        font = instancer.instantiateVariableFont(font, places, inplace=True)
    font.flavor = "woff2"
    buffer = io.BytesIO()
    font.save(buffer, reorderTables=False)
    return buffer.getvalue()
