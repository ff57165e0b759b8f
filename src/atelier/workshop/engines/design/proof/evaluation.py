"""The four questions about a design version, answered on pieces composed for the same briefs by several hands.

`truth` is composed with a style learned from the works held out alone; `own` with the version; others with the hands
of the demo's designers and with no hand at all (greys, no motifs). Same briefs, same seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from atelier.workshop.contract import Answer, Bar, Evaluation, Measure, Picture, TrainSpec, WorkFile

from ..briefs import Brief
from ..drawing import raster
from ..fingerprints import NEAR_BITS, distance, fingerprint
from ..learning.learn import learn
from ..learning.palette import Palette, Swatch
from ..learning.style import Style, load
from ..learning.traits import Traits
from ..making import Made, make
from ..reading.svg import Read
from .features import SIDE, features
from .judging import Array, interval, judge, nearer

OTHERS = Path(__file__).parent / "hands"
SEEDS = 2
Tell = Callable[[str, str], None]
BRIEFS = tuple(
    Brief(kind, said, subject, "")
    for kind, said, subject in (
        ("post", {"headline": "Open on Sunday", "text": "From ten to four", "action": "Come by"}, "home"),
        ("post", {"headline": "New this week", "text": "A small collection"}, "flower"),
        ("poster", {"headline": "Summer market", "date": "5 to 7 July", "place": "Old harbour"}, "food"),
        ("card", {"headline": "Ada Brandt", "text": "By appointment"}, "animal"),
        ("banner", {"headline": "Free delivery", "action": "Order now"}, "travel"),
        ("pattern", {}, "nature"),
    )
)


def evaluate(spec: TrainSpec, style: Style, held: Sequence[WorkFile], reads: Sequence[Read], tell: Tell) -> Evaluation:
    """Same inputs, same answers."""
    truth = learn(held, reads, lambda _, title: tell("proof", title))
    hands = {"truth": truth, "own": style, "none": nobody(), **others()}
    seen: dict[str, Array] = {}
    made: list[Made] = []
    for name, hand in hands.items():
        pieces = [make(hand, brief, np.zeros(384, np.float32), seed) for brief in BRIEFS for seed in range(SEEDS)]
        seen[name] = np.stack([features(looked(each)) for each in pieces])
        if name == "own":
            made = pieces
        tell("proof", f"composing with the hand “{name}”")
    fidelity, worth = fidelity_answer(seen), worth_answer(seen)
    copying = copying_answer(made, style)
    publishable = "poor" not in (fidelity.verdict, worth.verdict, copying.verdict)
    return Evaluation(
        fidelity=fidelity,
        worth=worth,
        copying=copying,
        safety=safety_answer(spec),
        publishable=publishable,
        summary=" ".join(f"{answer.headline}." for answer in (fidelity, worth, copying)),
        held_out=tuple(work.id for work in held),
        trained_on=tuple(work.id for work in spec.works if work.id not in {each.id for each in held}),
    )
