"""Trains an adapter on latents by what the base says of their noise, and stops when held-out works stop gaining.

Ho et al. 2020, https://arxiv.org/abs/2006.11239 (the loss); Salimans & Ho 2022, https://arxiv.org/abs/2202.00512
(bases that foretell velocity instead); Hu et al. 2021, https://arxiv.org/abs/2106.09685 (adapters).
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from PIL import Image, ImageOps
from torch import Tensor

from atelier.workshop.steps import Plan

from .briefs import nearest_shape, size
from .lora import fresh
from .network import Network, Words
from .recipe import Recipe
from .splits import Learned

if TYPE_CHECKING:
    from diffusers import DDPMScheduler

ADAPTER = "trained"
TRAIN_EFFORT = 3.0
"""A training step over a picture takes as long as foretelling its noise about so often."""


@dataclass(frozen=True)
class Example:
    """A work as the base sees it: its latent and its words."""

    name: str
    latent: Tensor
    words: Words


@dataclass(frozen=True)
class Fit:
    """An adapter, rounded as it is saved, after which step it was best on the works that say when to stop (0: it was
    never better than the base), out of how many, and the curve of what was seen."""

    weights: dict[str, Tensor]
    best_step: int
    steps: int
    curve: tuple[dict[str, float], ...]


def example(network: Network, work: Learned) -> Example:
    """The work in the shape nearest to its own, cut as little as that needs."""
    return Example(work.work.sha256, network.latent(fitted(network, work.picture)), network.words(work.caption))


def fitted(network: Network, picture: Image.Image) -> Image.Image:
    wanted = size(nearest_shape(*picture.size), network.base.side, network.base.multiple)
    return ImageOps.fit(picture, wanted, Image.Resampling.LANCZOS)


class Losses:
    """How badly a network foretells the noise that was put into works: always the same noise, drawn from each work's
    name, in equal measure of every strength, so that figures of two adapters differ by the adapters alone."""

    def __init__(self, network: Network, draws: int) -> None:
        self._network, self._noising, self._draws = network, network.noising(), draws

    @torch.no_grad()
    def of(self, work: Example, words: Words | None = None, plan: Plan | None = None) -> float:
        """The mean square over a work's draws, under its own words or others. Counts one effort a draw."""
        source = torch.Generator().manual_seed(int(hashlib.sha256(work.name.encode()).hexdigest()[:12], 16))
        total, count = 0.0, self._noising.config.num_train_timesteps
        for number in range(self._draws):
            step = torch.tensor([int((number + 0.5) / self._draws * count)], device=self._network.device)
            noise = torch.randn(work.latent.shape, generator=source).to(self._network.device)
            total += float(loss(self._network, self._noising, work.latent, noise, step, words or work.words))
            if plan is not None:
                plan.advance(1)
        return total / self._draws


def loss(network: Network, noising: DDPMScheduler, latent: Tensor, noise: Tensor, step: Tensor, words: Words) -> Tensor:
    """The mean square between the noise (or the velocity) and what the network says it is."""
    said = network.noise(noising.add_noise(latent, noise, step), step, [words])
    kind = noising.config.prediction_type
    wanted = noising.get_velocity(latent, noise, step) if kind == "v_prediction" else noise
    return torch.nn.functional.mse_loss(said, wanted)


def fit_effort(recipe: Recipe, works: int, stopping: int) -> float:
    """To fit an adapter at most, in noises foretold."""
    steps = recipe.steps_for(works)
    return TRAIN_EFFORT * steps * recipe.batch + (recipe.checks + 1) * stopping * recipe.draws


def fit(
    network: Network, train: Sequence[Example], stop: Sequence[Example], recipe: Recipe, seed: int, plan: Plan
) -> Fit:
    """Train an adapter, which the network then wears. Same works, recipe and seed give the same on one machine. Errors:
    whatever the plan's report raises; it is called after every picture."""
    network.put_on(ADAPTER, fresh(network.base, recipe.rank, seed))
    parameters = _opened(network)
    steps, every = recipe.steps_for(len(train)), max(1, recipe.steps_for(len(train)) // recipe.checks)
    losses, best = Losses(network, recipe.draws), _Best(recipe.patience)
    best.look(0, sum(losses.of(work, plan=plan) for work in stop) / len(stop), parameters)
    learner = _Learner(network, parameters, recipe, seed, steps)
    for step, batch in enumerate(_batches(train, recipe.batch, seed, steps), 1):
        learner.learn(batch, plan)
        if step % every and step < steps:
            continue
        held_out = sum(losses.of(work, plan=plan) for work in stop) / len(stop)
        note = f"step {step} of {steps}"
        plan.advance(note=note, step=float(step), loss=learner.mean_loss(), held_out_loss=held_out)
        if not best.look(step, held_out, parameters):
            break
    with torch.no_grad():
        for name, values in best.weights.items():
            parameters[name].copy_(values)
    network.unet.disable_gradient_checkpointing()
    network.unet.requires_grad_(False).eval()
    return Fit(best.weights, best.step, steps, tuple(best.curve))


def _opened(network: Network) -> dict[str, Tensor]:
    """The adapter's weights in single precision, ready to be learned, by the names they are saved under."""
    network.unet.enable_gradient_checkpointing()  # a third slower, in a fraction of the memory
    network.unet.train()
    found = {}
    for name, values in network.unet.named_parameters():
        if f".{ADAPTER}.weight" in name:
            values.data = values.data.float()
            values.requires_grad_(True)
            found[name.replace(f".{ADAPTER}.weight", ".weight")] = values
    return found


def _batches(train: Sequence[Example], size: int, seed: int, steps: int) -> Iterator[list[Example]]:
    """Works in an order of chance, all of them once before any twice."""
    chance, waiting = random.Random(seed), list[Example]()
    for _ in range(steps):
        while len(waiting) < size:
            waiting += chance.sample(train, len(train))
        yield waiting[:size]
        del waiting[:size]


class _Best:
    """The adapter as it was when held-out works were foretold best."""

    def __init__(self, patience: int) -> None:
        self.step, self.weights, self.curve = 0, dict[str, Tensor](), list[dict[str, float]]()
        self._least, self._patience, self._waited = math.inf, patience, 0

    def look(self, step: int, held_out: float, parameters: dict[str, Tensor]) -> bool:
        """Whether it is worth going on."""
        self.curve.append({"step": float(step), "held_out_loss": held_out})
        if held_out < self._least:
            self._least, self.step, self._waited = held_out, step, 0
            self.weights = {name: values.detach().half().float() for name, values in parameters.items()}
        else:
            self._waited += 1
        return self._waited < self._patience


class _Learner:
    """AdamW with a warm-up and a cosine, one picture at a time: so works of all shapes learn side by side."""

    def __init__(self, network: Network, parameters: dict[str, Tensor], recipe: Recipe, seed: int, steps: int) -> None:
        self._network, self._recipe = network, recipe
        self._parameters = list(parameters.values())
        self._noising, self._silence = network.noising(), network.words("")
        self._source = torch.Generator().manual_seed(seed)
        self._optimizer = torch.optim.AdamW(self._parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
        warm = max(1, round(recipe.warmup * steps))

        def rate(step: int) -> float:
            falling = max(0, step - warm) / max(1, steps - warm)
            return min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * falling))

        self._rate = torch.optim.lr_scheduler.LambdaLR(self._optimizer, rate)
        # Half precision loses small gradients unless they are made larger for as long as they are in it.
        self._scaler = torch.amp.GradScaler(network.device, enabled=network.dtype == torch.float16)
        self._seen: list[float] = []

    def learn(self, batch: Sequence[Example], plan: Plan) -> None:
        for work in batch:
            found = loss(self._network, self._noising, work.latent, *self._draw(work))
            self._scaler.scale(found / len(batch)).backward()  # type: ignore[no-untyped-call]
            self._seen.append(float(found.detach()))
            plan.advance(TRAIN_EFFORT)
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self._parameters, self._recipe.clip)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad(set_to_none=True)
        self._rate.step()

    def mean_loss(self) -> float:
        """Since it was asked last."""
        seen, self._seen = self._seen, []
        return sum(seen) / max(1, len(seen))

    def _draw(self, work: Example) -> tuple[Tensor, Tensor, Words]:
        """Noise, how strong it is, and the words, which are now and then left out. Drawn on the processor."""
        noise = torch.randn(work.latent.shape, generator=self._source)
        step = torch.randint(self._noising.config.num_train_timesteps, (1,), generator=self._source)
        dropped = float(torch.rand((), generator=self._source)) < self._recipe.words_dropped
        device = self._network.device
        return noise.to(device), step.to(device), self._silence if dropped else work.words
