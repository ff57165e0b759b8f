"""The texts by which a version is judged: its own, those of the rounds' adapters, and those of the bare base."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from .efforts import BASE_LEARNED, TOKENS
from .lora import Lora
from .prompts import brief_for_work, request_text
from .recipe import Recipe
from .serving.adapters import packed
from .serving.delivery import task_for
from .serving.native.decoder import Adapter
from .serving.sampling import Sampling
from .splits import Text
from .subject import Subject
from .writing import Order, write

T = TypeVar("T")


@dataclass(frozen=True)
class Wish:
    """A text to be written for the brief of a work, by the adapter of a round or, for None, of no round in particular;
    `bare`: for the work's title alone, without the details, which may quote it."""

    text: Text
    number: int
    round: int | None = None
    bare: bool = False

    @property
    def brief(self) -> dict[str, str]:
        found = brief_for_work(self.text.work, self.text.text)
        return {**found, "details": ""} if self.bare else found


@dataclass(frozen=True)
class Piece:
    """A wish and what was written for it."""

    wish: Wish
    written: str


def probes(subject: Subject, recipe: Recipe, lora: Lora) -> list[Piece]:
    """Texts of the version itself: for briefs of works it did not learn from, and as many, up to half, for the titles
    of works that it did, where copying is likeliest. Works with near copies, which it saw most often, come first."""
    design = subject.design
    unseen = recipe.samples if not design.crossed else max(1, recipe.samples // 2)
    wishes = [Wish(text, number, 0) for number, text in enumerate(_some(design.held_out, unseen))]
    learned = design.shipped.train[::-1][: max(1, recipe.samples // 2)]
    wishes += [Wish(text, unseen + number, bare=True) for number, text in enumerate(learned)]
    return _written(subject, recipe, wishes, [lora] * len(wishes))


def rounds_pieces(subject: Subject, recipe: Recipe, loras: Sequence[Lora]) -> tuple[list[Piece], list[Piece]]:
    """Texts of the rounds' adapters for works of their tests, and texts of the base: for the same, and for others.

    With one round no adapter writes here: its texts are among the probes. All is written in shared batches.
    """
    design = subject.design
    tests = [[(each, text) for text in divided.test] for each, divided in enumerate(design.rounds)]
    judged = [pair for pairs in itertools.zip_longest(*tests) for pair in pairs if pair]
    wishes = [Wish(text, number, each) for number, (each, text) in enumerate(_some(judged, recipe.samples))]
    own = wishes if design.crossed else []
    taken = {wish.text.work.id for wish in wishes}
    others = [text for text in design.shipped.learned if text.work.id not in taken][:BASE_LEARNED]
    plain = wishes + [Wish(text, len(wishes) + number) for number, text in enumerate(others)]
    adapters: list[Lora | None] = [loras[wish.round or 0] for wish in own]
    pieces = _written(subject, recipe, [*own, *plain], [*adapters, *[None] * len(plain)])
    return pieces[: len(own)], pieces[len(own) :]


def _some(items: Sequence[T], count: int) -> list[T]:
    return list(itertools.islice(itertools.cycle(items), count))


def _written(subject: Subject, recipe: Recipe, wishes: Sequence[Wish], loras: Sequence[Lora | None]) -> list[Piece]:
    ready: dict[int, Adapter] = {}
    for lora in loras:
        if lora is not None and id(lora) not in ready:
            ready[id(lora)] = packed(lora, subject.base.config)
    orders = [
        _order(subject, recipe, wish, None if lora is None else ready[id(lora)])
        for wish, lora in zip(wishes, loras, strict=True)
    ]
    texts = write(subject.base, orders, subject.team.cores, subject.plan.advance)
    return [Piece(wish, text) for wish, text in zip(wishes, texts, strict=True)]


def _order(subject: Subject, recipe: Recipe, wish: Wish, adapter: Adapter | None) -> Order:
    sampling = Sampling(temperature=recipe.temperature, top_p=recipe.top_p)
    task = task_for(subject.base, wish.brief, sampling)
    limit = min(task.tokens_max, round(recipe.words * TOKENS))
    return Order(replace(task, tokens_max=limit), adapter, subject.spec.seed * 1000 + wish.number)


def shown_brief(brief: dict[str, str]) -> str:
    """A brief as a person reads it."""
    return request_text(brief).replace("\n", " · ")


def opening(text: Text, words: int) -> str:
    """The first so many words of a work."""
    parts = text.text.split()
    return text.text if len(parts) <= words else " ".join(parts[:words]) + " …"
