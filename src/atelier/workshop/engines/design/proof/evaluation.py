"""The four questions about a design version, answered on pieces composed for the same briefs by several hands.

The truth is composed with a style learned from the works held out alone; the pieces of the version's twin, learned
without these, stand beside those of reference hands and of none. Same layouts engine, same briefs, same seeds: only the
hand differs. Whether works are copied is counted on the version's own pieces, which know all works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from atelier.workshop.contract import Answer, Evaluation, Measure, TrainSpec
from atelier.workshop.engines.design.briefs import Brief
from atelier.workshop.engines.design.copies import copied
from atelier.workshop.engines.design.learning.style import Style
from atelier.workshop.engines.design.making import Made, Order, make
from atelier.workshop.proof.pictures import OURS, picture
from atelier.workshop.proof.safety import safety_answer
from atelier.workshop.proof.statistics import bootstrap, share

from .features import features
from .hands import nobody, strangers
from .judging import Array, distances, judge

SEEDS = 4
"""Pieces a brief; the recipe's `proof_seeds` asks for others."""
NONE = "No hand (greys, no motifs)"
Tell = Callable[[str, str], None]
Verdict = Literal["good", "fair", "poor"]
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


@dataclass(frozen=True)
class Shown:
    """What one hand composed: pieces, and what is seen of them, (pieces, features), briefs and seeds in order."""

    pieces: tuple[Made, ...]
    seen: Array


def compose_all(style: Style, twin: Style, truth: Style, seeds: int, tell: Tell) -> tuple[Shown, dict[str, Shown]]:
    """The version's own pieces, and those of the hands that are compared, by name: its twin as ours, the truth of the
    works held out, strangers, and none."""
    hands = {"truth": truth, OURS: twin, NONE: nobody(), **strangers(style)}
    compared = {name: composed(hand, range(seeds), tell=tell) for name, hand in hands.items()}
    return composed(style, range(seeds), tell=tell), compared


def evaluate(
    spec: TrainSpec, style: Style, held: Sequence[str], own: Shown, compared: Mapping[str, Shown]
) -> Evaluation:
    """The answers, from what the hands composed; `held` are the ids of the works held out. Deterministic."""
    seen = {name: each.seen for name, each in compared.items()}
    fidelity, worth = fidelity_answer(seen), worth_answer(seen)
    copying = copying_answer(own.pieces, style)
    harmless = [{"headline": work.title} for work in spec.works]
    words = [text for made in own.pieces for text in made.task.said.values()]
    return Evaluation(
        fidelity=fidelity,
        worth=worth,
        copying=copying,
        safety=safety_answer(spec.guardrails, words, harmless),
        publishable="poor" not in (fidelity.verdict, worth.verdict, copying.verdict),
        summary=" ".join(f"{answer.headline}." for answer in (fidelity, worth, copying)),
        summary_public=" ".join(
            f"{answer.headline_public or answer.headline}." for answer in (fidelity, worth, copying)
        ),
        held_out=tuple(held),
        trained_on=tuple(work.id for work in spec.works),
        twin=True,
    )


def composed(hand: Style, seeds: Sequence[int] = range(SEEDS), *, tell: Tell = lambda *_: None) -> Shown:
    """Pieces of a hand for the briefs, showing whatever it has to show. `tell` hears of each brief."""
    pieces: list[Made] = []
    seen: list[Array] = []
    for brief in BRIEFS:
        for seed in seeds:
            pieces.append(make(hand, Order(brief, None, seed)))
            seen.append(features(pieces[-1]))
        tell("proof", "composing with several hands")
    return Shown(tuple(pieces), np.stack(seen))


# Fidelity -------------------------------------------------------------------------------------------------------


def fidelity_answer(seen: Mapping[str, Array]) -> Answer:
    """Whose hand would a judge, who knows the works held out and the other hands, take the version's pieces for?"""
    told = judge({name: pieces for name, pieces in seen.items() if name != OURS}).told(seen[OURS])
    right = sum(each == "truth" for each in told)
    chance = 1 / (len(seen) - 1)
    told_right = share(
        right, len(told), meaning="Share of the version's pieces that a judge takes for the creator's own"
    )
    measures = {
        "told_as_own": told_right.model_copy(update={"unit": "%"}),
        "chance": Measure(value=chance, low=chance, high=chance, unit="%", meaning="The same by guessing"),
        "distance": _distances(seen, OURS, "How far the version's pieces are from those of the works held out"),
        "distance_none": _distances(seen, NONE, "The same for pieces of no hand"),
    }
    verdict, headline, public = _fidelity_verdict(told_right, chance)
    return Answer(
        verdict=verdict,
        question="Would its pieces be taken for yours?",
        question_public="Would its pieces be taken for its creator's?",
        headline=headline,
        headline_public=public,
        sentence=(
            f"A judge that knows pieces composed from works held out, and pieces of {len(seen) - 2} other hands, took "
            f"{right} of {len(told)} pieces of this version's twin, which never saw those works, for the creator's own "
            f"({100 * told_right.low:.0f} to {100 * told_right.high:.0f} %; by guessing {100 * chance:.0f} %)."
        ),
        picture=picture(
            "Taken for the creator's own", {OURS: measures["told_as_own"]}, unit="%", most=100, limit=100 * chance,
            limit_label="by guessing",
        ),
        measures=measures,
    )  # fmt: skip


def _fidelity_verdict(told: Measure, chance: float) -> tuple[Verdict, str, str]:
    if told.low > 0.5:
        return "good", "Clearly in your hand", "Clearly in the creator's hand"
    if told.low > chance:
        return "fair", "Recognisably in your hand", "Recognisably in the creator's hand"
    return "poor", "Not told from others", "Not told from others"


def _away(seen: Mapping[str, Array], name: str) -> Array:
    """How far a hand is from the truth, brief by brief."""
    return distances(seen[name], seen["truth"], len(seen[name]) // len(BRIEFS))


def _distances(seen: Mapping[str, Array], name: str, meaning: str) -> Measure:
    away = _away(seen, name)
    return bootstrap(lambda rows: rows[..., 0].mean(-1), away[:, None], meaning=meaning)


# Worth ----------------------------------------------------------------------------------------------------------


def worth_answer(seen: Mapping[str, Array]) -> Answer:
    """Is it nearer to the creator than the same layouts with another's palette and motifs, and with none?"""
    rivals = [name for name in seen if name not in ("truth", OURS)]
    others = [name for name in rivals if name != NONE]
    measures = {
        _key(name): bootstrap(
            lambda rows: 1 - rows[..., 0].sum(-1) / rows[..., 1].sum(-1),
            np.stack([_away(seen, each) for each in (OURS, name)], axis=1),
            unit="%",
            meaning=f"How much nearer to the creator than the same layouts by {_called(name)}",
        )
        for name in rivals
    }
    least = min(measures.values(), key=lambda measure: measure.low)
    against = [measures[_key(name)] for name in others] or [measures[_key(NONE)]]
    verdict, headline, public = _worth_verdict(least.low, min(each.value for each in against))
    figures = ", ".join(
        f"{100 * measures[_key(name)].value:.0f} % ({100 * measures[_key(name)].low:.0f} to "
        f"{100 * measures[_key(name)].high:.0f}) than {_called(name)}"
        for name in rivals
    )
    return Answer(
        verdict=verdict,
        question="Is it more than the same layouts in other hands?",
        question_public="Is it more than the same layouts in other hands?",
        headline=headline,
        headline_public=public,
        sentence=f"For the same briefs and the same layouts its pieces are nearer to the creator's: by {figures}.",
        picture=picture(
            "Nearer to the creator than", {_called(name).capitalize(): measures[_key(name)] for name in rivals},
            unit="%",
            limit=0.0, limit_label="no nearer", ours="",
        ),
        measures=measures,
    )  # fmt: skip


def _worth_verdict(low: float, value: float) -> tuple[Verdict, str, str]:
    if low > 0.05:
        return "good", "Beats the same layouts in other hands", ""
    if value > 0.0:
        return "fair", "A little nearer to you than other hands", "A little nearer to its creator than other hands"
    return "poor", "No nearer to you than other hands", "No nearer to its creator than other hands"


def _key(name: str) -> str:
    return "nearer_than_none" if name == NONE else f"nearer_than_{name}"


def _called(name: str) -> str:
    return "no hand at all" if name == NONE else f"the reference hand “{name}”"


# Copying --------------------------------------------------------------------------------------------------------


def copying_answer(pieces: Sequence[Made], style: Style) -> Answer:
    """How many pieces are one whole work and little else, by PDQ of the sheet and of windows around large art."""
    copies = sum(copied(made.scene, made.plan.kind.sheet, made.plan.arts, style.hashes) is not None for made in pieces)
    most = np.array([max((part for _, part in made.works), default=0.0) for made in pieces])
    measures = {
        "copies": share(copies, len(pieces), meaning="Share of pieces that are near copies of a whole work").model_copy(
            update={"unit": "%"}
        ),
        "largest_share_of_a_work": bootstrap(
            lambda rows: rows[..., 0].mean(-1), most[:, None], unit="%",
            meaning="Share of a piece's art that comes from one work, the largest of each piece",
        ),
        "works_a_piece": bootstrap(
            lambda rows: rows[..., 0].mean(-1), np.array([[float(len(made.works))] for made in pieces]),
            meaning="Works of which a piece holds parts",
        ),
    }  # fmt: skip
    verdict: Verdict = "poor" if copies > 0.05 * len(pieces) else "fair" if copies else "good"
    headline = {"good": "Does not copy whole works", "fair": "Seldom copies", "poor": "Copies: do not publish"}[verdict]
    return Answer(
        verdict=verdict,
        headline=headline,
        sentence=(
            f"{copies} of {len(pieces)} pieces are near copies of one whole work. Motifs are the creator's own and are "
            f"used as they are: a piece holds parts of {measures['works_a_piece'].value:.1f} works on the mean, each "
            "named with every sale."
        ),
        picture=picture(
            "Near copies of a whole work",
            {OURS: measures["copies"]},
            unit="%",
            most=100,
            limit=5,
            limit_label="too many",
        ),
        measures=measures,
    )
