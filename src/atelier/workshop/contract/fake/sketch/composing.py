"""Lays a sheet for a brief and a seed, from colours that were learned; or makes one anew from another."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from atelier.workshop.contract.errors import WorkshopError
from atelier.workshop.contract.fake.guards import NeverWords
from atelier.workshop.contract.specs import Ancestor, GenerateSpec, Pick, Variation

from .briefs import checked_brief
from .scene import HIGH, WIDE, Scene, Shape, recoloured

VARIATIONS = (
    Variation(name="colours", title="Other colours", description="The same shapes in other colours of the creator."),
    Variation(
        name="words",
        title="Other words",
        description="The same sheet with the words you write next.",
        edits=True,
        live=True,
    ),
)
CAPTIONS = (
    "bright",
    "calm",
    "clear",
    "early",
    "fresh",
    "gentle",
    "grand",
    "little",
    "lively",
    "plain",
    "quiet",
    "warm",
)
TRIED = 3
"""So many sheets are laid for a seed; the taste chooses one of them."""
PLAIN = "#8a8580"
"""What is taken where every colour is vetoed."""


@dataclass(frozen=True)
class Learned:
    """Colours by how often they were seen, the commonest first; `tags` are the words that each is found by."""

    colours: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def compose(learned: Learned, spec: GenerateSpec, seed: int) -> Scene:
    """The sheet for a seed of a request. The same for the same arguments, always. Errors: BriefInvalid; WorkshopError
    for a variation that there is not."""
    never = NeverWords(spec.guardrails.words_never)
    return _made(learned, spec, seed, never)


def _made(learned: Learned, spec: GenerateSpec | Ancestor, seed: int, never: NeverWords) -> Scene:
    brief, vary, vetoed, taste = spec.brief, spec.vary, spec.vetoed, spec.taste
    asked = checked_brief(brief)
    colours = _suitable(learned, asked["subject"], spec.tags, vetoed)
    chance = random.Random(json.dumps([seed, brief, vary.way if vary else ""], sort_keys=True))
    if vary is None:
        tried = [_laid(asked, chance, colours, vetoed, never) for _ in range(TRIED if taste else 1)]
        return max(tried, key=lambda scene: score(features(scene), taste))
    before = _made(learned, vary, vary.seed, never)
    if vary.way == "colours":
        return recoloured(before, {old: chance.choice(colours) for old in before.colours})
    if vary.way == "words":
        return replace(before, words=_words(asked, chance, never), picture=asked["picture"])
    known = ", ".join(way.name for way in VARIATIONS)
    raise WorkshopError(f"There is no variation “{vary.way}”.", where="vary", remedy=f"Choose one of: {known}.")


def _suitable(learned: Learned, subject: str, tags: Mapping[str, Sequence[str]], vetoed: Sequence[str]) -> list[str]:
    """The colours that a word of the subject calls for; all that are not vetoed where there is none such."""
    colours = [colour for colour in learned.colours if f"colour:{colour}" not in vetoed] or [PLAIN]
    known = {colour: tags.get(f"colour:{colour}", learned.tags.get(colour, ())) for colour in colours}
    return [colour for colour in colours if any(tag.lower() in subject.lower() for tag in known[colour])] or colours


def _laid(
    asked: dict[str, Any], chance: random.Random, colours: list[str], vetoed: Sequence[str], never: NeverWords
) -> Scene:
    kinds = [kind for kind in asked["kinds"] if f"shape:{kind}" not in vetoed] or list(asked["kinds"])
    shapes = []
    for _ in range(chance.randint(3, 9)):
        side = chance.randint(10, 34)
        place = chance.randint(0, WIDE - side), chance.randint(0, HIGH - side - 10)
        shapes.append(Shape(chance.choice(kinds), *place, side, chance.choice(colours)))
    ground = chance.choice(("#f4efe6", "#e9eef2", "#fbf7ef"))
    return Scene(ground, tuple(shapes), _words(asked, chance, never), asked["picture"])


def _words(asked: dict[str, Any], chance: random.Random, never: NeverWords) -> str:
    """The subject, and a few words of its own that no guardrail forbids."""
    own = [word for word in CAPTIONS if never.allowed([word])]
    return " ".join([asked["subject"], *chance.sample(own, min(3, len(own)))])


def features(scene: Scene) -> dict[str, float]:
    """Figures by which sheets are ranked: how full, how warm, and of how many colours."""
    reds = [int(shape.colour[1:3], 16) - int(shape.colour[5:7], 16) for shape in scene.shapes]
    area = sum(shape.side**2 for shape in scene.shapes) / (WIDE * HIGH)
    warmth = sum(reds) / 255 / len(reds)
    return {"full": round(area, 6), "warm": round(warmth, 6), "colours": float(len(scene.colours))}


def score(figures: dict[str, float], taste: dict[str, float]) -> float:
    """How much a sheet is to a taste."""
    return sum(taste.get(name, 0.0) * value for name, value in figures.items())


def prefer(picks: Sequence[Pick]) -> dict[str, float]:
    """By how much what was chosen lay above what was not, on average over the picks."""
    learned: dict[str, float] = {}
    for pick in picks:
        for name, value in pick.chosen.items():
            others = [other[name] for other in pick.others if name in other]
            if others:
                learned[name] = learned.get(name, 0.0) + (value - sum(others) / len(others)) / len(picks)
    return {name: round(value, 6) for name, value in sorted(learned.items())}
