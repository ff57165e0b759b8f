"""The four answers. Their words are careful: where a fall of the loss begins to be seen by eye, nobody has measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from atelier.workshop.contract import Answer, Evaluation, Guardrails, Measure
from atelier.workshop.engines.diffusion.fitting import Fit
from atelier.workshop.engines.diffusion.splits import Learned, Split
from atelier.workshop.proof.pictures import OURS, picture
from atelier.workshop.proof.safety import safety_answer
from atelier.workshop.proof.statistics import Array, bootstrap, share

REMEDY = "Add works, or works more alike in manner, and train again."
COPYING_REMEDY = "Leave out works that are nearly alike, or add others; then train again."
MEANING = "It tells how well works it never saw are foretold from noise, not whether people see the hand in them."
AXIS = "How badly the noise in works it never saw is foretold (mean square)"


def evaluation(
    split: Split, fit: Fit, table: Array, manner: str, copying: Answer, guardrails: Guardrails
) -> Evaluation:
    """`table` as `measuring.table` gives it."""
    fidelity, worth = fidelity_answer(table), worth_answer(table, manner)
    safety = safety_answer(guardrails, (), [{"subject": each.caption} for each in (*split.test, *split.stop)])
    if not safety.measures:
        safety = safety.model_copy(update={"measures": {"refused": share(0, 1, meaning="Nothing was to be refused")}})
    publishable = fit.best_step > 0 and "poor" not in (fidelity.verdict, worth.verdict, copying.verdict)
    return Evaluation(
        fidelity=fidelity,
        worth=worth,
        copying=copying,
        safety=_told_of_words(safety),
        publishable=publishable,
        summary=_summary(fidelity, worth, copying, publishable, fit.best_step),
        held_out=_names(split.test),
        trained_on=_names(split.train),
        curve=fit.curve,
    )


def fidelity_answer(table: Array) -> Answer:
    """How much nearer the creator's held-out works a version is than the base."""
    measures = {
        "loss_base": bootstrap(_mean(1), table, meaning="Mean square of the noise foretold wrongly by the base"),
        "loss_adapter": bootstrap(_mean(2), table, meaning="The same by this version"),
        "drop": bootstrap(_drop(1, 2), table, meaning="By which share of it the loss fell"),
        "works_nearer": _nearer(table, 1, "Share of held-out works that this version foretells better"),
    }
    drop = measures["drop"]
    drawn = picture(AXIS, {"The base": measures["loss_base"], OURS: measures["loss_adapter"]})
    figures = f"by {drop.value:+.1%} (between {drop.low:+.1%} and {drop.high:+.1%})"
    surely = f"by {drop.value:.1%} (between {drop.low:.1%} and {drop.high:.1%})"
    count = int(table[:, 0].sum())
    if drop.low <= 0:
        return Answer(
            verdict="poor",
            headline="Not surely nearer your works than the base: do not publish",
            headline_public="Not surely nearer its creator's works than the base",
            sentence=f"On {count} works it never saw, this version is not surely better than the base: {figures}.",
            picture=drawn,
            measures=measures,
        )
    return Answer(
        verdict="fair",
        headline="Nearer your works than the base",
        headline_public="Nearer its creator's works than the base",
        sentence=f"On {count} works it never saw, its loss is lower than the base's {surely}. {MEANING}",
        picture=drawn,
        measures=measures,
    )


def worth_answer(table: Array, manner: str) -> Answer:
    """Whether training was worth it against telling the base of the manner in its prompt."""
    measures = {
        "loss_described": bootstrap(_mean(3), table, meaning="Loss of the base that is told of the manner in words"),
        "loss_adapter": bootstrap(_mean(2), table, meaning="Loss of this version"),
        "gain": bootstrap(_drop(3, 2), table, meaning="By which share the loss is lower than with such words"),
        "works_nearer_than_described": _nearer(
            table, 3, "Share of held-out works that this version foretells better than the base with such words"
        ),
    }
    gain = measures["gain"]
    against = f"the base that is told “{manner}”" if manner else "the base, for no words for the manner were found"
    figures = f"by {gain.value:+.1%} of the loss (between {gain.low:+.1%} and {gain.high:+.1%})"
    verdict: Literal["good", "fair", "poor"]
    if gain.low > 0:
        verdict, headline = "good", "Better than describing the manner"
        sentence = f"This version is nearer the creator's works than {against}, {figures}."
    elif gain.high > 0:
        verdict, headline = "fair", "About as good as describing the manner"
        sentence = f"Between this version and {against}, nothing is sure: {figures}."
    else:
        verdict, headline = "poor", "No better than describing the manner: do not publish"
        sentence = f"Nearer the creator's works is {against}: {figures}."
    drawn = picture(AXIS, {"The base, told of the manner": measures["loss_described"], OURS: measures["loss_adapter"]})
    return Answer(verdict=verdict, headline=headline, sentence=sentence, picture=drawn, measures=measures)


def _mean(column: int) -> Callable[[Array], Array]:
    return lambda rows: rows[..., column].sum(-1) / rows[..., 0].sum(-1)


def _drop(before: int, after: int) -> Callable[[Array], Array]:
    """By which share the loss of column `after` is lower: both of the same works, so a paired comparison."""
    return lambda rows: 1 - rows[..., after].sum(-1) / rows[..., before].sum(-1)


def _nearer(table: Array, before: int, meaning: str) -> Measure:
    return share(int((table[:, 2] < table[:, before]).sum()), len(table), meaning=meaning)


def _told_of_words(safety: Answer) -> Answer:
    words = "Guardrails read what is asked for; what a picture shows is not looked at."
    return safety.model_copy(update={"sentence": f"{safety.sentence} {words}"})


def _summary(fidelity: Answer, worth: Answer, copying: Answer, publishable: bool, best_step: int) -> str:
    if publishable:
        return f"{fidelity.headline}. {worth.headline}. {copying.headline}."
    if copying.verdict == "poor":
        return f"{copying.headline}. {copying.sentence} {COPYING_REMEDY}"
    if best_step == 0:
        return f"Nothing learned: do not publish. Training brought it no nearer the creator's works. {REMEDY}"
    poor = [answer for answer in (fidelity, worth) if answer.verdict == "poor"]
    return f"{poor[0].headline}. {' '.join(answer.sentence for answer in poor)} {REMEDY}"


def _names(works: Sequence[Learned]) -> tuple[str, ...]:
    return tuple(each.work.id for each in works)
