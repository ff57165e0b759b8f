"""The proof: four questions about a version, answered with figures on works it never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from atelier.workshop.contract import Answer, Evaluation, Measure
from atelier.workshop.contract.specs import Picture
from atelier.workshop.proof.pictures import OURS, picture
from atelier.workshop.proof.safety import safety_answer
from atelier.workshop.proof.statistics import Array, bootstrap, drop, perplexity, share

from .efforts import REFERENCE_WORKS
from .lora import Lora
from .measuring import measure
from .prompts import brief_for_work
from .samples import Piece, opening, rounds_pieces, shown_brief
from .subject import Subject
from .verdicts import FALL_CLEAR, FALL_LEANS, FALL_LEAST
from .versions import Version
from .voice import Voice, heard

SHOWN = 3
"""How many texts are put side by side on the page of the proof."""
REMEDY = "Add works, or works more alike in voice, and train again."
COPYING_REMEDY = (
    "Leave out works that hold long quotations or stand in it more than once, or add others; then train again."
)


def evaluate(subject: Subject, version: Version) -> Evaluation:
    """Answer the four questions. The plan must hold the stages of `run_efforts`; same inputs, same answers."""
    loras = _rounds(subject, version)
    subject.plan.enter("evaluate", "reading works it never saw, beside the base that is shown the creator's best works")
    table = _table(subject, version, loras)
    subject.plan.enter("generate", "writing samples for the proof")
    own, plain = rounds_pieces(subject, version.recipe, loras)
    judged = own if subject.design.crossed else [piece for piece in version.pieces if piece.wish.round is not None]
    fidelity = fidelity_answer(table, heard(subject, judged, plain))
    worth = worth_answer(table)
    publishable = version.fit.best_step > 0 and "poor" not in (fidelity.verdict, worth.verdict, version.copying.verdict)
    works = [text for divided in subject.design.rounds for text in divided.test]
    safety = safety_answer(
        subject.spec.guardrails,
        [piece.written for piece in (*version.pieces, *own)],
        [brief_for_work(text.work, text.text) for text in works],
    )
    return Evaluation(
        fidelity=_with_method(fidelity, subject.design.method),
        worth=worth,
        copying=version.copying,
        safety=safety,
        publishable=publishable,
        summary=summary(fidelity, worth, version.copying, publishable, version.earlier),
        summary_public=summary_public(fidelity, worth, version.copying, publishable),
        held_out=tuple(text.work.id for text in subject.design.held_out),
        trained_on=tuple(text.work.id for text in subject.design.shipped.train),
        curve=tuple(version.fit.curve),
        examples=tuple(_shown(judged[:SHOWN], plain, version.recipe.words)),
    )


def _rounds(subject: Subject, version: Version) -> list[Lora]:
    """The adapter that is measured on each round's test: the version's own where it saw none of it."""
    if not subject.design.crossed:
        return [version.fit.lora]
    found, count = [], len(subject.design.rounds)
    for number, divided in enumerate(subject.design.rounds, 1):
        reason = f"round {number} of {count}, without the works it is measured on"
        if number == 1:
            subject.plan.enter("cross-check", "training", reason=reason)
        subject.plan.because(reason)
        found.append(subject.fit(divided, version.recipe).lora)
    return found


def _table(subject: Subject, version: Version, loras: Sequence[Lora]) -> Array:
    """(families of near copies, quantities of `NATS`) over the tests of all rounds."""
    design = subject.design
    rows = [measure(subject, divided, lora, version.recipe) for divided, lora in zip(design.rounds, loras, strict=True)]
    families = [design.family[text.work.id] for divided in design.rounds for text in divided.test]
    places = {family: place for place, family in enumerate(dict.fromkeys(families))}
    table = np.zeros((len(places), rows[0].shape[1]))
    np.add.at(table, [places[family] for family in families], np.vstack(rows))
    return table


def _shown(judged: Sequence[Piece], plain: Sequence[Piece], words: int) -> list[dict[str, str]]:
    return [
        {
            "brief": shown_brief(piece.wish.brief),
            "work": piece.wish.text.work.id,
            "held_out": opening(piece.wish.text, words),
            "base": base.written,
            "adapter": piece.written,
        }
        for piece, base in zip(judged, plain, strict=False)
    ]


# Answers --------------------------------------------------------------------------------------------------------


def fidelity_answer(table: Array, voice: Voice | None = None) -> Answer:
    """How much nearer the creator's held-out works a version is than the base; what it writes, told from others'."""
    measures = {
        "perplexity_base": bootstrap(perplexity(1), table, meaning="Perplexity of held-out works under the base"),
        "perplexity_adapter": bootstrap(
            perplexity(2), table, meaning="Perplexity of held-out works under this version"
        ),
        "perplexity_drop": bootstrap(drop(1, 2), table, meaning="By which share of it the perplexity fell"),
        "works_nearer": _share_of_works(table, 1, 2, "Share of held-out works that this version foretells better"),
        **(voice.measures if voice else {}),
    }
    fall, drawn = measures["perplexity_drop"], _fidelity_picture(measures, voice)
    figures = f"{measures['perplexity_base'].value:.1f} to {measures['perplexity_adapter'].value:.1f}"
    if fall.low <= FALL_LEAST:
        return Answer(
            verdict="poor",
            headline="No better than the base: do not publish",
            sentence=f"No better than the base on {len(table)} works it never saw (perplexity {figures}).",
            picture=drawn,
            measures=measures,
        )
    verdict, headline, public = _whose(fall, voice)
    word = "clearly" if fall.low > FALL_CLEAR else "somewhat"
    sentence = (
        f"On {len(table)} works it never saw, this version is {word} nearer the creator than the base: perplexity "
        f"falls from {figures}, by {fall.value:.0%} (between {fall.low:.0%} and {fall.high:.0%})."
    )
    return Answer(
        verdict=verdict,
        headline=headline,
        headline_public=public,
        sentence=f"{sentence} {voice.sentence}" if voice else sentence,
        picture=drawn,
        measures=measures,
    )


def _whose(fall: Measure, voice: Voice | None) -> tuple[Literal["good", "fair"], str, str]:
    """Verdict and headlines of a version that is surely nearer than the base: by its style where that can be judged."""
    told = voice if voice is not None and voice.asked else None
    if told and told.clear and fall.low > FALL_CLEAR:
        return "good", "Clearly in your voice", "Clearly in its creator's voice"
    if told.leans if told else fall.low > FALL_LEANS:
        return "fair", "Leans your way", "Leans its creator's way"
    return (
        "fair",
        "Nearer than the base, not surely yours",
        "Nearer its creator than the base, not surely in their voice",
    )


def _fidelity_picture(measures: Mapping[str, Measure], voice: Voice | None) -> Picture:
    """How much of what it writes is told as the creator's; where nobody could judge that, the perplexities."""
    if voice is not None and voice.asked:
        return voice.picture
    shown = {"The base": measures["perplexity_base"], OURS: measures["perplexity_adapter"]}
    return picture("How surprised it is by each of the creator's words (perplexity)", shown)


def worth_answer(table: Array) -> Answer:
    """Whether training was worth it against showing the base the creator's works in its prompt."""
    measures = {
        "perplexity_reference_prompt": bootstrap(
            perplexity(3), table, meaning="Perplexity of held-out works under the base shown the creator's best works"
        ),
        "perplexity_adapter": bootstrap(
            perplexity(2), table, meaning="Perplexity of held-out works under this version"
        ),
        "gain": bootstrap(drop(3, 2), table, meaning="By which share perplexity is lower than with reference works"),
        "works_nearer_than_prompt": _share_of_works(
            table, 3, 2, "Share of held-out works that this version foretells better than with reference works"
        ),
    }
    gain = measures["gain"]
    figures = f"by {abs(gain.value):.0%} of perplexity (between {gain.low:+.0%} and {gain.high:+.0%})"
    against = f"the base that is shown the creator's best {REFERENCE_WORKS} works in its prompt"
    verdict: Literal["good", "fair", "poor"]
    if gain.low > 0:
        verdict, headline = "good", "Better than prompting"
        sentence = f"This version is nearer the creator than {against}, {figures}."
    elif gain.high > 0:
        verdict, headline = "fair", "About as good as prompting"
        nearer = "nearer" if gain.value > 0 else "farther"
        sentence = f"This version is {nearer}, but not surely so, than {against}, {figures}."
    else:
        verdict, headline = "poor", "No better than prompting: do not publish"
        sentence = f"Nearer the creator is {against}, {figures}."
    shown = {
        "The base, shown the best works": measures["perplexity_reference_prompt"],
        OURS: measures["perplexity_adapter"],
    }
    drawn = picture("How surprised it is by each of the creator's words (perplexity)", shown)
    return Answer(verdict=verdict, headline=headline, sentence=sentence, picture=drawn, measures=measures)


def _share_of_works(table: Array, before: int, after: int, meaning: str) -> Measure:
    better = int((table[:, after] < table[:, before]).sum())
    return share(better, len(table), meaning=meaning)


def _with_method(answer: Answer, method: str) -> Answer:
    return answer.model_copy(update={"sentence": f"{answer.sentence} {method}"})


def summary(fidelity: Answer, worth: Answer, copying: Answer, publishable: bool, earlier: Sequence[str]) -> str:
    """What a person should take away: the plainest words first, then why; what was tried where a version copied."""
    if not publishable and copying.verdict == "poor":
        tried = "".join(f" {_sentence(each)}" for each in earlier)
        return f"Copies: refused, also when trained more gently. {copying.sentence}{tried} {COPYING_REMEDY}"
    after = f" {_sentence(f'{earlier[-1]}, so this one was trained more gently')}" if earlier else ""
    if not publishable:
        poor = [answer for answer in (fidelity, worth) if answer.verdict == "poor"]
        if not poor:  # The best look was the first.
            return f"Nothing learned: do not publish. Training brought it no nearer the creator.{after} {REMEDY}"
        return f"{poor[0].headline}. {' '.join(answer.sentence for answer in poor)}{after} {REMEDY}"
    return f"{fidelity.headline}. {worth.headline}. {copying.headline}.{after}"


def summary_public(fidelity: Answer, worth: Answer, copying: Answer, publishable: bool) -> str:
    """The same to those who may buy from it: what it is, without advice for training."""
    answers = (fidelity, worth, copying)
    if publishable:
        return " ".join(f"{answer.headline_public or answer.headline}." for answer in answers)
    poor = [answer.sentence for answer in answers if answer.verdict == "poor"]
    return " ".join(poor) or "Training brought it no nearer the creator."


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
