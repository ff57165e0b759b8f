"""Makes the reference hands that the design engine's proof compares a version with, from the demo's works.

    .venv/bin/python bin/support/reference_hands.py [FOLDER]

Each is learned from all thirty works of one of the demo's designers and keeps whole works as motifs only: parts of them
would make the package larger and the comparison no better. Written into the engine where no other folder is named, in
the place of what was there. The same works give the same files.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import design_works  # noqa: E402

from atelier.workshop.engines.design.learning.style import Style, save  # noqa: E402
from atelier.workshop.engines.design.proof.hands import FOLDER  # noqa: E402

HANDS = {"blocks": design_works.WILMA, "lines": design_works.PIM}


def whole(style: Style) -> Style:
    """The style without the motifs that are parts of works."""
    kept = [number for number, motif in enumerate(style.motifs) if motif.whole]
    return replace(style, motifs=tuple(style.motifs[number] for number in kept), vectors=style.vectors[kept])


def main() -> int:
    """Learn and write, and say what was written."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name, handle in HANDS.items():
        with tempfile.TemporaryDirectory() as workspace:
            style = whole(design_works.learned(handle, Path(workspace)))
        shutil.rmtree(place / name, ignore_errors=True)
        print(f"{name}: {len(style.motifs)} motifs of {len(style.works)} works, adapter {save(style, place / name)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
