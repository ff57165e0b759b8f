"""Fits an adapter to a creator's works, keeping the best it was on works set aside to say when to stop."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .crew import Crew, release
from .efforts import TRAIN_EFFORT, read_effort
from .examples import Example
from .llama import Llama, Memory
from .lora import Lora, begun, fresh
from .recipe import Recipe
from .steps import Plan

STRIDE = 32
"""Texts are read in lengths that are multiples of this: oneDNN keeps compiled code and working memory for every length
it met, which else grew by 50 MB a step."""


@dataclass
class Fit:
    """The best adapter, when it was best (step 0: as it began), and the way there."""

    lora: Lora
    best_step: int
    steps: int
    curve: list[dict[str, float]] = field(default_factory=list)


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
) -> Fit:
    """Train in the order that the seed gives, from another adapter of no higher rank or from the base alone; look at
    the works of `stop` `checks` times and stop after two rises.

    The plan must be in a stage of `train_effort(train, stop, chosen)`. `watch` is shown the adapter after every step;
    the next one changes it. Same inputs and seed, same adapter on a machine.
    """
    size = (model.shape, chosen.rank, chosen.alpha, seed, model.device)
    lora = begun(start, *size) if start else fresh(*size)
    (optimiser,) = team.map(_optimiser, [lora])  # The first one of a process imports for two seconds.
    total = chosen.steps(len(train))
    looks = {math.ceil(total * (i + 1) / chosen.checks) for i in range(chosen.checks)}
    best = mean_loss(model, lora if start else None, stop, team)
    result = Fit(lora.copy(), 0, total, [{"step": 0, "validation_loss": round(best, 4)}])
    rises, recent = 0, list[float]()
    plan.advance(read_effort(stop), validation_loss=round(best, 4), step=0)
    for step, batch in enumerate(_order(train, chosen, total, seed), start=1):
        for group in optimiser.param_groups:
            group["lr"] = chosen.learning_rate * pace(step - 1, total, chosen.warmup)
        recent.append(_step(model, lora, batch, optimiser, chosen, team))
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
            best, result.lora, result.best_step = found, lora.copy(), step
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
    model: Llama, lora: Lora, batch: list[Example], optimiser: torch.optim.Optimizer, chosen: Recipe, team: Crew
) -> float:
    """One step of the optimiser; returns the loss in nats a token."""
    targets = sum(example.targets for example in batch)
    ready = lora.frozen(model.head.dtype)  # Once for all texts; what they sum to goes to the weights in float32.
    leaves = [leaf.requires_grad_() for leaf in ready.parameters()]

    def learn(example: Example) -> tuple[float, tuple[Tensor, ...]]:
        loss = model.losses(*rows_and_targets(model, example, ready)).sum() / targets
        return loss.item(), torch.autograd.grad(loss, leaves)

    found = team.map(learn, sorted(batch, key=lambda e: -len(e.tokens)))  # Longest first: no core waits long.
    summed = [torch.stack(slopes).sum(0, dtype=torch.float32) for slopes in zip(*(s for _, s in found), strict=True)]
    for slope in summed[len(lora.down) :]:
        slope.mul_(lora.scale)  # `ready` has the scale worked into `up`.
    for weights, slope in zip(lora.parameters(), summed, strict=True):
        weights.grad = slope
    torch.nn.utils.clip_grad_norm_(lora.parameters(), chosen.clip)
    optimiser.step()
    return sum(loss for loss, _ in found)


def rows_and_targets(
    model: Llama, example: Example, lora: Lora | None, memory: Memory | None = None
) -> tuple[Tensor, Tensor]:
    """The hidden states from which the creator's tokens are foretold, and those tokens."""
    padding = -len(example.tokens) % STRIDE  # Comes after all that counts, and no text looks ahead.
    text = (*example.tokens, *[model.shape.eos] * padding)
    hidden = model.hidden([text], lora, [memory] if memory else None)
    targets = torch.tensor(example.tokens[example.begin :]).to(model.device)
    return hidden[example.begin - 1 : len(example.tokens) - 1], targets


def losses(
    model: Llama, lora: Lora | None, chosen: Sequence[Example], team: Crew, memory: Memory | None = None
) -> list[list[float]]:
    """Nats of each of the creator's tokens, by example; with a memory, each example goes on from it by itself."""

    ready = lora.frozen(model.head.dtype) if lora else None

    @torch.no_grad()
    def measure(example: Example) -> list[float]:
        fork = memory.fork() if memory else None
        nats: list[float] = model.losses(*rows_and_targets(model, example, ready, fork)).tolist()
        return nats

    return team.map(measure, chosen)


def mean_loss(model: Llama, lora: Lora | None, chosen: Sequence[Example], team: Crew) -> float:
    """Nats a token over all of these examples."""
    found = losses(model, lora, chosen, team)
    return sum(map(sum, found)) / sum(map(len, found))
