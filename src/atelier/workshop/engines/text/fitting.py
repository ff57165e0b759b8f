"""Fits an adapter to a creator's works, keeping the best it was on works set aside to say when to stop."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor

from atelier.workshop.steps import Plan

from .crew import Crew, release
from .efforts import TRAIN_EFFORT, read_effort
from .examples import Example
from .folds import Array, Folds
from .llama import Llama, Memory
from .lora import Lora, begun, fresh
from .recipe import Recipe

STRIDE = 32
"""Texts are read in lengths that are multiples of this: oneDNN keeps compiled code and working memory for every length
it met, which else grew by 50 MB a step."""
PASS = 400
"""Tokens of several texts that are read in one pass at most. Four texts of 128 tokens together took two thirds of what
they took one by one (measured); longer ones gain nothing, and memory grows."""


@dataclass
class Fit:
    """The best adapter, when it was best (step 0: as it began), and the way there."""

    lora: Lora
    best_step: int
    steps: int
    curve: list[dict[str, float]] = field(default_factory=list)
    pulls: dict[int, Array] = field(default_factory=dict)
    """Of each work of the examples, where it was asked for: its pull on the adapter, folded, up to the best step."""


def fit(
    model: Llama,
    train: Sequence[Example],
    stop: Sequence[Example],
    chosen: Recipe,
    seed: int,
    plan: Plan,
    team: Crew,
    start: Lora | None = None,
    watch: Callable[[int, Lora], None] | None = None,
    pulls: bool = False,
) -> Fit:
    """Train in the order that the seed gives, from another adapter of no higher rank or from the base alone; look at
    the works of `stop` `checks` times and stop after two rises.

    The plan must be in a stage of `train_effort(train, stop, chosen)`. `watch` is shown the adapter after every step;
    the next one changes it. Same inputs and seed, same adapter on a machine. With `pulls` those of the works are kept.
    """
    size = (model.shape, chosen.rank, chosen.alpha, seed, model.device)
    lora = begun(start, *size) if start else fresh(*size)
    (optimiser,) = team.map(_optimiser, [lora])  # The first one of a process imports for two seconds.
    total = chosen.steps(len(train))
    folds, pulled = Folds(lora) if pulls else None, dict[int, Array]()
    looks = {math.ceil(total * (i + 1) / chosen.checks) for i in range(chosen.checks)}
    best = mean_loss(model, lora if start else None, stop, team)
    result = Fit(lora.copy(), 0, total, [{"step": 0, "validation_loss": round(best, 4)}])
    rises, recent = 0, list[float]()
    plan.advance(read_effort(stop), validation_loss=round(best, 4), step=0)
    for step, batch in enumerate(_order(train, chosen, total, seed), start=1):
        for group in optimiser.param_groups:
            group["lr"] = chosen.learning_rate * pace(step - 1, total, chosen.warmup)
        loss, moved = _step(model, lora, batch, optimiser, chosen, team, folds)
        recent.append(loss)
        for work, folded in moved:
            pulled[work] = pulled[work] + folded if work in pulled else folded
        plan.advance(TRAIN_EFFORT * read_effort(batch), f"step {step} of {total}", loss=round(recent[-1], 4), step=step)
        if watch:
            watch(step, lora)
        if step not in looks:
            continue
        release()
        found = mean_loss(model, lora, stop, team)
        shown = {"train_loss": round(sum(recent) / len(recent), 4), "validation_loss": round(found, 4)}
        result.curve.append({"step": step, **shown})
        plan.advance(read_effort(stop), validation_loss=shown["validation_loss"])
        recent = []
        rises = rises + 1 if found > best else 0
        if found < best:
            best, result.lora, result.best_step, result.pulls = found, lora.copy(), step, dict(pulled)
        if rises == 2:
            break
    return result


def pace(step: int, total: int, warmup: float) -> float:
    """The share of the full learning rate: up in a line, down along a cosine. Loshchilov & Hutter 2016."""
    return min(1.0, (step + 1) / max(1.0, total * warmup)) * 0.5 * (1 + math.cos(math.pi * step / total))


def _optimiser(lora: Lora) -> torch.optim.Optimizer:
    """Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101; the learning rate is set at every step."""
    return torch.optim.AdamW(lora.parameters(), lr=0.0, betas=(0.9, 0.99), weight_decay=0.0)


def _order(train: Sequence[Example], chosen: Recipe, total: int, seed: int) -> list[list[Example]]:
    """Batches for all steps: every example once before any comes twice."""
    chance, order = random.Random(seed), list[Example]()
    while len(order) < total * chosen.batch:
        once = list(train)
        chance.shuffle(once)
        order += once
    return [order[i * chosen.batch : (i + 1) * chosen.batch] for i in range(total)]


def _step(
    model: Llama,
    lora: Lora,
    batch: list[Example],
    optimiser: torch.optim.Optimizer,
    chosen: Recipe,
    team: Crew,
    folds: Folds | None,
) -> tuple[float, list[tuple[int, Array]]]:
    """One step of the optimiser; returns the loss in nats a token, and with folds what each text's work pulled."""
    targets = sum(example.targets for example in batch)
    ready = lora.frozen(model.head.dtype)  # Once for all texts; what they sum to goes to the weights in float32.

    def learn(texts: list[Example]) -> tuple[float, tuple[Tensor, ...], list[tuple[int, Array]]]:
        own = ready.each(len(texts))
        loss = model.losses(*rows_and_targets(model, texts, own)).sum() / targets
        slopes = torch.autograd.grad(loss, own.parameters())
        whole = [targets] * len(lora.down) + [targets * lora.scale] * len(lora.up)
        return loss.item(), slopes, _pulls(folds, texts, slopes, whole) if folds else []

    found = team.map(learn, passes(batch, batch))
    summed = [torch.cat(slopes).sum(0, dtype=torch.float32) for slopes in zip(*(s for _, s, _ in found), strict=True)]
    for slope in summed[len(lora.down) :]:
        slope.mul_(lora.scale)  # `ready` has the scale worked into `up`.
    for weights, slope in zip(lora.parameters(), summed, strict=True):
        weights.grad = slope
    torch.nn.utils.clip_grad_norm_(lora.parameters(), chosen.clip)
    optimiser.step()
    return sum(loss for loss, _, _ in found), [pull for *_, some in found for pull in some]


def _pulls(
    folds: Folds, texts: Sequence[Example], slopes: Sequence[Tensor], whole: Sequence[float]
) -> list[tuple[int, Array]]:
    """For each text its work and the folded gradient of its nats, which is so many times the slope of each tensor."""
    return [
        (text.work, folds.all_of([slope[i] * times for slope, times in zip(slopes, whole, strict=True)]))
        for i, text in enumerate(texts)
    ]


Thing = TypeVar("Thing")


def passes(things: Sequence[Thing], texts: Sequence[Example]) -> list[list[Thing]]:
    """Things divided by the texts they stand for, to be read in one pass each: as many passes as keep all cores of the
    machine equally long at work and none over `PASS` tokens, if a text is not by itself. The longest comes first."""
    whole, cores = sum(len(text.tokens) for text in texts), min(8, os.cpu_count() or 1)
    count = min(len(things), cores * math.ceil(whole / PASS / cores))
    held: list[list[Thing]] = [[] for _ in range(count)]
    lengths = [0] * count
    for thing, text in sorted(zip(things, texts, strict=True), key=lambda pair: -len(pair[1].tokens)):
        lightest = lengths.index(min(lengths))
        held[lightest].append(thing)
        lengths[lightest] += len(text.tokens)
    return [held[i] for i in sorted(range(count), key=lambda i: -lengths[i])]


def rows_and_targets(
    model: Llama, texts: Sequence[Example], lora: Lora | None, memory: Memory | None = None
) -> tuple[Tensor, Tensor]:
    """The hidden states from which the creator's tokens are foretold, and those tokens, text after text."""
    # What fills up comes after all that counts, and no text looks ahead.
    full = [(*text.tokens, *[model.shape.eos] * (-len(text.tokens) % STRIDE)) for text in texts]
    hidden = model.hidden(full, lora, [memory.fork() for _ in texts] if memory else None)
    parts = zip(texts, torch.split(hidden, [len(each) for each in full]), strict=True)
    rows = torch.cat([part[text.begin - 1 : len(text.tokens) - 1] for text, part in parts])
    return rows, torch.tensor([token for text in texts for token in text.tokens[text.begin :]]).to(model.device)


def losses(
    model: Llama, lora: Lora | None, chosen: Sequence[Example], team: Crew, memory: Memory | None = None
) -> list[list[float]]:
    """Nats of each of the creator's tokens, by example; with a memory, each example goes on from it by itself."""
    ready = lora.frozen(model.head.dtype) if lora else None

    @torch.no_grad()
    def measure(places: list[int]) -> list[tuple[int, list[float]]]:
        texts = [chosen[place] for place in places]
        nats = model.losses(*rows_and_targets(model, texts, ready, memory))
        each = torch.split(nats, [text.targets for text in texts])
        return [(place, some.tolist()) for place, some in zip(places, each, strict=True)]

    found = dict(pair for some in team.map(measure, passes(range(len(chosen)), chosen)) for pair in some)
    return [found[place] for place in range(len(chosen))]


def mean_loss(model: Llama, lora: Lora | None, chosen: Sequence[Example], team: Crew) -> float:
    """Nats a token over all of these examples."""
    found = losses(model, lora, chosen, team)
    return sum(map(sum, found)) / sum(map(len, found))
