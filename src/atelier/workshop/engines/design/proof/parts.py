"""What a version has learned, part by part, for the creator to look at and to veto."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from atelier.workshop.contract import Part
from atelier.workshop.engines.design.drawing import Pixels, encoded, raster
from atelier.workshop.engines.design.learning.motifs import Motif
from atelier.workshop.engines.design.learning.style import Style
from atelier.workshop.engines.design.learning.traits import Traits
from atelier.workshop.engines.design.outline import Box, rectangle
from atelier.workshop.engines.design.scene import Group, Shape

from .files import written

SIDE = 160
COLOURS = 16


def parts_of(style: Style, workspace: Path) -> tuple[Part, ...]:
    """Colours, habits and motifs, each with the name by which it is vetoed; pictures are written into the workspace."""
    return (*_colours(style, workspace), *_habits(style.traits), *_motifs(style, workspace))


def _colours(style: Style, workspace: Path) -> Iterator[Part]:
    for number, swatch in enumerate(style.palette.swatches[:COLOURS]):
        box = Box(0, 0, SIDE, SIDE)
        pixels = raster(Shape(rectangle(0, 0, SIDE, SIDE), swatch.colour), box, 32, 32)
        main = max(swatch.roles, key=lambda role: swatch.roles[role], default="figure")
        yield Part(
            name=f"colour:{swatch.colour}",
            title=swatch.colour,
            group="Colours",
            description=f"{100 * swatch.share:.0f} % of what is seen, {swatch.works} works; mostly for {_USES[main]}",
            picture=written(encoded(pixels, "WEBP"), workspace / f"parts/colour-{number:02}.webp", workspace),
        )


_USES = {"ground": "what lies behind", "figure": "what is shown", "line": "lines", "ink": "words"}


def _habits(traits: Traits) -> Iterator[Part]:
    """The habits in words, with the figures behind them."""
    line = "Draws lines around forms" if traits.outlined > 0.5 else "Seldom draws lines around forms"
    form = "Round forms" if traits.curved > 0.5 else "Straight forms"
    ends = "smooth" if traits.smooth > 0.5 else "sharp"
    full = "Fills the sheet" if traits.cover > 0.55 else "Leaves room"
    even = "much the same left and right" if traits.symmetry > 0.7 else "not the same left and right"
    case = "Capitals" if traits.upper > 0.5 else "Small letters"
    fonts = f"in {', '.join(traits.families[:3])}" if traits.families else "in fonts like the forms"
    for name, title, told in (
        (
            "line",
            line,
            f"{100 * traits.outlined:.0f} % of forms outlined, lines {100 * traits.line:.1f} % of a drawing wide",
        ),
        (
            "form",
            f"{form}, {ends} corners",
            f"{100 * traits.curved:.0f} % curves, {100 * traits.smooth:.0f} % smooth joints",
        ),
        ("composition", f"{full}, {even}", f"{100 * traits.cover:.0f} % drawn on, {traits.tones:.0f} colours a work"),
        ("type", f"{case}, {fonts}", f"{100 * traits.middle:.0f} % of lines centred"),
    ):
        yield Part(name=f"habit:{name}", title=title, group="Habits", description=told)


def _motifs(style: Style, workspace: Path) -> Iterator[Part]:
    for motif in style.motifs:
        picture = encoded(_seen(motif), "WEBP", 80)
        yield Part(
            name=f"motif:{motif.name}",
            title=(motif.words[0] if motif.words else "Motif")[:80].capitalize(),
            group="Motifs",
            work=motif.work or None,
            tags=motif.words,
            guessed=bool(motif.words) and not motif.named,
            picture=written(picture, workspace / f"parts/motif-{motif.name}.webp", workspace),
        )


def _seen(motif: Motif) -> Pixels:
    scale = SIDE / max(motif.box.width, motif.box.height)
    size = max(8, round(motif.box.width * scale)), max(8, round(motif.box.height * scale))
    return raster(Group((motif.item,)), motif.box, *size, ground=motif.ground or "#ffffff")
