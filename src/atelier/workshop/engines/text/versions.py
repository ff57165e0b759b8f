"""Makes a version that does not copy: trains it, lets it write, and where it repeats its works trains more gently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from atelier.workshop.contract import Answer

from .copying import copying_answer, own_habit
from .efforts import try_efforts
from .examples import examples
from .fitting import Fit
from .overlap import Overlap
from .recipe import Recipe
from .samples import Piece, probes
from .subject import Subject

AGAIN = ("", " again", " once more")
"""How the tries are told apart; there are no more."""
SLOWER, SHORTER = 0.4, 0.6
"""What a gentler try keeps of the learning rate and of the steps of the one before."""
WHAT_HAPPENED = ("the first version", "the second version", "the third version")


@dataclass(frozen=True)
class Version:
    """An adapter with the recipe that made it, its texts, whether it copies, and what became of those before it."""

    recipe: Recipe
    fit: Fit
    pieces: Sequence[Piece]
    copying: Answer
    earlier: tuple[str, ...]


def make(subject: Subject, chosen: Recipe) -> Version:
    """Train until a version does not copy, at most as often as `AGAIN` has words. Same inputs, same version."""
    design, earlier = subject.design, list[str]()
    learned = [text.text for text in design.shipped.learned]
    (habit,) = subject.team.map(lambda texts: own_habit(texts, design.family), [design.shipped.learned])
    for attempt, again in enumerate(AGAIN):
        recipe = gentler(subject, chosen, attempt)
        if attempt:
            subject.plan.add(try_efforts(design, subject.tokenizer, recipe, again))
        reason = f"{earlier[-1]}; training again more gently" if earlier else ""
        subject.plan.enter(f"train{again}", "first look at the works", reason=reason)
        found = subject.fit(design.shipped, recipe, pulls=True)
        subject.plan.enter(f"write{again}", "writing samples to see whether it copies", reason=reason)
        pieces = probes(subject, recipe, found.lora)
        copying = _judged(subject, pieces, learned, habit)
        if copying.verdict != "poor" or attempt == len(AGAIN) - 1:
            break
        earlier.append(what_it_copied(WHAT_HAPPENED[attempt], copying))
    return Version(recipe, found, pieces, copying, tuple(earlier))


def gentler(subject: Subject, chosen: Recipe, attempt: int) -> Recipe:
    """The recipe for the try of this number: for 0 as it is, then each time slower and shorter."""
    if not attempt:
        return chosen
    count = len(examples(subject.design.shipped.train, subject.tokenizer, chosen.longest))
    epochs = chosen.steps(count) * SHORTER**attempt * chosen.batch / count
    return replace(chosen, learning_rate=chosen.learning_rate * SLOWER**attempt, epochs=round(epochs, 3))


def what_it_copied(who: str, copying: Answer) -> str:
    """Why a version was given up, for its maker."""
    longest = copying.measures["longest_run_words"].value
    shared = copying.measures["shared_8gram_share"].value
    return f"{who} repeated {longest:.0f} words in a row from a work, and {shared:.0%} of its runs of eight words"


def _judged(subject: Subject, pieces: Sequence[Piece], learned: list[str], habit: Sequence[Overlap]) -> Answer:
    written = [piece.written for piece in pieces]
    (found,) = subject.team.map(lambda texts: copying_answer(texts, learned=learned, habit=habit), [written])
    return found
