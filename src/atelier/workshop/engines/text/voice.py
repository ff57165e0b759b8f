"""Whose texts are these? What a version writes, told from other writers' and from the base's own by its style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from atelier.workshop.contract import Measure
from atelier.workshop.contract.specs import Picture
from atelier.workshop.proof.pictures import OURS, picture
from atelier.workshop.proof.statistics import bootstrap, exact, share

from .samples import Piece
from .style import StyleJudge
from .subject import Subject
from .verdicts import SEPARATION_LEAST, VOICE_CLEAR, VOICE_LEANS

TOLD = 0.5
"""From this probability on a text is told as the creator's."""
NAMES = ("told_as_creator", "told_as_creator_base", "told_as_creator_own")
SURE = ("voice", "voice_base", "voice_own")
WHOSE = ("texts of this version", "texts of the base", "the creator's own works, none of which the judge had seen,")


@dataclass(frozen=True)
class Voice:
    """What the judge said of texts of this version, of the base, and of works it had not seen.

    `NAMES` are shares of texts told as the creator's, `SURE` the mean probabilities that they are; `separation` is how
    well the judge tells the creator at all.
    """

    measures: Mapping[str, Measure]

    @property
    def asked(self) -> bool:
        """Whether the judge tells this creator's works from others' well enough for its word to count."""
        return self.measures["separation"].low >= SEPARATION_LEAST

    @property
    def clear(self) -> bool:
        """Whether what the version writes is the creator's by its style, and surely more so than what the base does."""
        ours = self.measures["voice"]
        return ours.low >= VOICE_CLEAR and ours.low > self.measures["voice_base"].value

    @property
    def leans(self) -> bool:
        """Whether what the version writes is rather the creator's by its style, and more so than what the base does."""
        ours = self.measures["voice"].value
        return ours >= VOICE_LEANS and ours > self.measures["voice_base"].value

    @property
    def sentence(self) -> str:
        if not self.asked:
            return "The creator's style is too like that of others for its texts to be told by style alone."
        ours, base, own = (self.measures[name] for name in NAMES)
        return (
            f"By style alone, {ours.value:.0%} of its texts are told as the creator's (between {ours.low:.0%} and "
            f"{ours.high:.0%}); of the base's {base.value:.0%}, of the creator's own works {own.value:.0%}."
        )

    @property
    def picture(self) -> Picture:
        base, ours, own = (self.measures[name] for name in ("voice_base", "voice", "voice_own"))
        return picture(
            "How surely the style is told as the creator's",
            {"The base": base, OURS: ours, "The creator's own works": own},
            unit="%",
            most=100,
            limit=100 * VOICE_CLEAR,
            limit_label="clearly the creator's",
        )


def heard(subject: Subject, judged: Sequence[Piece], plain: Sequence[Piece]) -> Voice:
    """Ask, for each round, a judge who learned from works outside its test what was written for its test.

    `judged` were written by the rounds' adapters, `plain` by the base. Same texts, same answer.
    """
    asked = subject.team.map(lambda number: _round(subject, number, judged, plain), range(len(subject.design.rounds)))
    found: dict[str, Measure] = {}
    for place, (name, sure, whose) in enumerate(zip(NAMES, SURE, WHOSE, strict=True)):
        chances = np.concatenate([chances[place] for chances, _ in asked])
        told = int((chances >= TOLD).sum())
        found[name] = share(told, max(1, len(chances)), meaning=f"Share of {whose} told as the creator's by style")
        found[sure] = (
            bootstrap(lambda w: w[..., 0].mean(-1), chances[:, None], meaning=f"How surely {whose} are the creator's")
            if len(chances)
            else exact(0.0, meaning=f"How surely {whose} are the creator's")
        )
    rounds = [separation for _, separation in asked]
    value, low, high = (float(np.mean([getattr(m, end) for m in rounds])) for end in ("value", "low", "high"))
    found["separation"] = Measure(value=value, low=low, high=high, meaning=rounds[0].meaning)
    return Voice(found)


def _round(
    subject: Subject, number: int, judged: Sequence[Piece], plain: Sequence[Piece]
) -> tuple[tuple[Any, Any, Any], Measure]:
    """What the round's judge says of the version's texts, the base's and the works; how well it tells the creator."""
    divided = subject.design.rounds[number]
    test = {text.work.id for text in divided.test}
    judge = StyleJudge.learn(
        [text.text for text in divided.learned],
        [piece.written for piece in plain if piece.wish.text.work.id not in test],
        language=subject.language,
        seed=subject.spec.seed % 2**32,
    )
    ours = [piece.written for piece in judged if piece.wish.round == number]
    base = [piece.written for piece in plain if piece.wish.text.work.id in test]
    own = [text.text for text in divided.test]
    return (_chances(judge, ours), _chances(judge, base), _chances(judge, own)), judge.separation


def _chances(judge: StyleJudge, texts: Sequence[str]) -> Any:
    return np.asarray(judge.probabilities(texts), dtype=np.float64) if texts else np.zeros(0)
