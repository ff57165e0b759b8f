"""Measures fonts, so that the nearest to a creator's hand can be found: how heavy, how round, how wide, how much the
thickness of lines varies. Run as a program it prints the catalogue that lies beside it.

    python -m atelier.workshop.engines.design.type.measure > src/atelier/workshop/engines/design/type/catalogue.json
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.engines.design.drawing import raster
from atelier.workshop.engines.design.learning.looking import smooth
from atelier.workshop.engines.design.scene import Shape

from .faces import Face, Fontfile

PREFIX = "fontpkg-"
LETTERS = "aegnorstbdhmup"


@dataclass(frozen=True)
class Measured:
    """One family. Lengths are in parts of the height of an x; shares are 0 to 1."""

    family: str
    package: str
    file: str
    weights: tuple[int, int]
    kind: str
    """serif, sans, display, hand or mono."""
    heavy: float
    """The stem of an n at the family's heaviest weight."""
    light: float
    contrast: float
    """How many times thicker than thin."""
    smooth: float
    """Share of joints without a corner: the ends of round fonts have none."""
    wide: float
    x: float
    """Height of an x in parts of a capital's."""
    scripts: tuple[str, ...]
    version: str
    licence: str


def measured(package: str) -> Measured | None:
    """A family from an installed package; None where it has no upright file."""
    import importlib.util

    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    from pathlib import Path

    told: dict[str, Any] = json.loads((Path(spec.origin).parent / "metadata.json").read_text(encoding="utf-8"))
    upright = [each for each in told["files"] if each["style"] == "normal"]
    if not upright:
        return None
    axis = next((axis for axis in told["axes"] if axis["tag"] == "wght"), None)
    chosen = max(upright, key=lambda each: each["variable"] or -abs((each["weight"] or 400) - 700))
    weights = (int(axis["min"]), int(axis["max"])) if axis else (chosen["weight"] or 400,) * 2
    file = chosen["path"].removeprefix("files/")
    source = Fontfile(told["family"], package, file, weights)
    bold, plain = Face(source, weights[1]), Face(source, min(max(400, weights[0]), weights[1]))
    return Measured(
        family=told["family"],
        package=package,
        file=file,
        weights=weights,
        kind=_kind(told),
        heavy=_stem(bold),
        light=_stem(plain),
        contrast=_contrast(bold),
        smooth=round(float(np.mean([smooth(Shape(_letter(bold, c))) for c in LETTERS])), 3),
        wide=round(float(np.mean([bold.shaped(c)[0].advance for c in LETTERS]) / bold.x_height), 3),
        x=round(bold.x_height / bold.cap, 3),
        scripts=tuple(s for s in told["subsets"] if s not in ("menu", "latin-ext", "vietnamese") and "-ext" not in s),
        version=importlib.metadata.version(package.replace("_", "-")),
        licence=told["license"],
    )


def _kind(told: dict[str, Any]) -> str:
    kinds = {"SERIF": "serif", "SANS_SERIF": "sans", "DISPLAY": "display", "HANDWRITING": "hand", "MONOSPACE": "mono"}
    return next((kinds[each] for each in told["category"] if each in kinds), "sans")


def _letter(face: Face, letter: str) -> Any:
    return face.outline(face.shaped(letter)[0].index)


def _drawn(face: Face, letter: str) -> tuple[NDArray[np.bool_], float]:
    """A letter in pixels, and how many of them an x is high."""
    outline = _letter(face, letter)
    box = outline.box
    k = 400 / max(box.width, box.height)
    pixels = raster(Shape(outline), box, max(8, round(box.width * k)), max(8, round(box.height * k)))
    return pixels[..., 3] > 128, face.x_height * k


def _stem(face: Face) -> float:
    """How thick an l is where it is straight."""
    ink, x = _drawn(face, "l")
    rows = ink[ink.shape[0] * 4 // 10 : ink.shape[0] * 6 // 10]
    return round(float(np.median(rows.sum(1))) / x, 3)


def _contrast(face: Face) -> float:
    """Thickness of an o at its side over that at its top."""
    ink, _ = _drawn(face, "o")
    high, wide = ink.shape
    side = _first(ink[high // 2]) or 1
    top = _first(ink[:, wide // 2]) or 1
    return round(max(side, top) / max(1, min(side, top)), 2)


def _first(line: NDArray[np.bool_]) -> int:
    """The length of the first run of ink."""
    found = np.flatnonzero(line)
    if not len(found):
        return 0
    gaps = np.flatnonzero(np.diff(found) > 1)
    return int(gaps[0] + 1) if len(gaps) else len(found)


def main() -> int:
    """Print the catalogue of all installed families."""
    names = sorted(
        re.sub(r"[-.]+", "_", each.metadata["Name"].lower())
        for each in importlib.metadata.distributions()
        if each.metadata["Name"].lower().startswith(PREFIX)
    )
    found = [each for each in map(measured, names) if each is not None]
    print(json.dumps([asdict(each) for each in found], indent=1, ensure_ascii=False))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
