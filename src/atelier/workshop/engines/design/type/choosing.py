"""Which fonts a creator's pieces are set in: their own where they are open, else those nearest to their hand."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from atelier.workshop.engines.design.layout.words import Typeset
from atelier.workshop.engines.design.learning.traits import Traits

from .faces import Face, Fontfile, face
from .measure import Measured
from .setting import Hand

FALLBACKS = ("Noto Sans", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Tamil", "Heebo")
"""For letters that the chosen fonts have not, in this order."""
_CJK = tuple(
    Fontfile(
        f"Noto Sans {region}", "justmytype_intl_cjk", f"fonts/ofl/notosans{region.lower()}/NotoSans{region}[wght].ttf",
        (100, 900),
    )
    for region in ("JP", "KR", "SC", "TC")
)  # fmt: skip
CHOICES = 4
PLAIN = ("sans", "serif")
_MOODS = {
    "playful": {"smooth": 0.95, "heavy": 0.45, "contrast": 1.15},
    "bold": {"heavy": 0.55, "contrast": 1.2, "smooth": 0.6},
    "elegant": {"contrast": 3.0, "heavy": 0.28, "smooth": 0.7},
    "calm": {"heavy": 0.26, "contrast": 1.15, "wide": 1.15},
}
_SPREAD = {"heavy": 0.12, "contrast": 1.0, "smooth": 0.15, "wide": 0.18}
"""How far apart fonts usually are in each of these."""


@dataclass(frozen=True)
class Family(Measured):
    """A family of the catalogue, with its figures."""

    def at(self, weight: int) -> Face:
        return face(Fontfile(self.family, self.package, self.file, self.weights), weight)

    @property
    def readable(self) -> bool:
        """Whether running text can be set in it: a plain form, not heavy, in more than one weight."""
        return self.kind in PLAIN and self.light < 0.26 and self.contrast < 2.6 and self.weights[1] >= 600


@lru_cache(1)
def catalogue() -> tuple[Family, ...]:
    """The families that are installed."""
    told = json.loads((Path(__file__).parent / "catalogue.json").read_text(encoding="utf-8"))
    families = (
        Family(**{**each, "weights": tuple(each["weights"]), "scripts": tuple(each["scripts"])}) for each in told
    )
    return tuple(each for each in families if find_spec(each.package) is not None)


@lru_cache(256)
def typesets(traits: Traits, mood: str) -> tuple[Typeset, ...]:
    """The best pairs for a creator's habits and a mood, the best first."""
    found = displays(traits, mood)
    return tuple(_pair(each, traits, mood) for each in found[:CHOICES])


def displays(traits: Traits, mood: str) -> list[Family]:
    """Families for headlines, the nearest first: those that the works name come before all others."""
    own = {_plain(family) for family in traits.families}
    wanted = wanted_of(traits) | _MOODS.get(mood, {})
    usable = [
        each for each in catalogue() if each.kind != "mono" and "latin" in each.scripts and each.family not in FALLBACKS
    ]

    def away(each: Family) -> float:
        total = sum(((getattr(each, name) - value) / _SPREAD[name]) ** 2 for name, value in wanted.items())
        drawn = each.kind == "hand"
        by_hand = traits.line_varies > 0.8 or (traits.line_only > 0.5 and traits.smooth > 0.8)
        return float(total + (0.0 if drawn == by_hand else 1.5) - (100.0 if _plain(each.family) in own else 0.0))

    return sorted(usable, key=away)


def wanted_of(traits: Traits) -> dict[str, float]:
    """What letters would be like that were drawn by the hand that drew the works."""
    return {"smooth": traits.letter_smooth, "heavy": traits.letter_heavy, "contrast": traits.letter_contrast}


def _pair(display: Family, traits: Traits, mood: str) -> Typeset:
    """A display face with a plain one beside it that is as round and as wide."""
    plain = [each for each in catalogue() if each.readable and "latin" in each.scripts]
    sans = [each for each in plain if each.kind == "sans"] or plain
    text = min(sans, key=lambda each: abs(each.smooth - display.smooth) * 3 + abs(each.wide - display.wide)
               + (0.0 if each.family == display.family else 0.15))  # fmt: skip
    others = fallbacks()
    heavy = display.weights[1] if mood != "calm" else min(display.weights[1], 600)
    upper = traits.upper > 0.5 or (mood == "bold" and display.x > 0.7)
    return Typeset(
        display=Hand((display.at(heavy), *others), 0.01 if upper else 0.0, upper),
        text=Hand((text.at(400), *others)),
        strong=Hand((text.at(700), *others)),
    )


@lru_cache(1)
def fallbacks() -> tuple[Face, ...]:
    """Faces for letters that a chosen one has not. Those of the Far East are large, and come last."""
    known = {each.family: each for each in catalogue()}
    near = [known[name].at(500) for name in FALLBACKS if name in known]
    far = [face(source, 500) for source in _CJK if find_spec(source.package) is not None]
    return (*near, *far)


def _plain(name: str) -> str:
    """A family's name without weights and signs: Montserrat-Bold and 'Montserrat' are one."""
    bare = re.sub(
        r"(?i)[-_ ]?(thin|extra ?light|light|regular|book|medium|semi ?bold|extra ?bold|bold|black|italic|mt|std)+$",
        "",
        name,
    )
    return re.sub(r"[^a-z0-9]", "", bare.lower())
