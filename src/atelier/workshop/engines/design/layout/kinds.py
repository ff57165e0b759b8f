"""What can be asked for: its size on screen or paper, and how its words are ranked."""

from __future__ import annotations

from dataclasses import dataclass

from atelier.workshop.engines.design.outline import Box


@dataclass(frozen=True)
class Kind:
    """A kind of piece. Layout happens in units of which a screen piece has one a pixel and a printed one twelve a
    millimetre (about 300 an inch). `headline` is the wanted size of the headline in parts of the shorter side; `least`
    the smallest that any words may be, in units; `margin` in parts of the shorter side; `cells` the most parts that
    the sheet is cut into."""

    name: str
    title: str
    width: float
    height: float
    paper: tuple[float, float] | None = None
    bleed: float = 0.0
    headline: float = 0.12
    least: float = 22.0
    margin: float = 0.07
    cells: int = 4
    fields: tuple[str, ...] = ("headline", "text", "date", "place", "action")

    @property
    def sheet(self) -> Box:
        return Box(0, 0, self.width, self.height)

    @property
    def side(self) -> float:
        return min(self.width, self.height)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("logo", "Logo", 1200, 900, headline=0.16, least=30, margin=0.1, fields=("headline", "text")),
        Kind("post", "Social post", 1080, 1080),
        Kind("poster", "Poster", 297 * 12, 420 * 12, paper=(297, 420), bleed=3, headline=0.13, least=54, cells=5),
        Kind("banner", "Banner", 1500, 500, headline=0.17, least=20, cells=3),
        Kind("card", "Business card", 85 * 12, 55 * 12, paper=(85, 55), bleed=3, headline=0.12, least=26, cells=3,
             fields=("headline", "text", "place", "action")),
        Kind("pattern", "Seamless pattern", 1200, 1200, fields=()),
        Kind("icons", "Icon set", 1200, 800, fields=()),
    )
}  # fmt: skip
