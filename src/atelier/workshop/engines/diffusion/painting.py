"""From words and a seed to a picture, step by step; always one picture at a time, so that none depends on another.

Karras et al. 2022 (the Euler method), https://arxiv.org/abs/2206.00364; Ho & Salimans 2022 (guidance),
https://arxiv.org/abs/2207.12598.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from .network import Network


@dataclass(frozen=True)
class Order:
    """One picture to be made. Sizes are in pixels and multiples of the base's own."""

    prompt: str
    avoid: str
    seed: int
    width: int
    height: int
    steps: int
    guidance: float


Told = Callable[[int, Tensor], None]
"""Called after each step with how many are done and the latent of what the picture seems to become; ends the painting
by raising."""


@torch.no_grad()
def paint(network: Network, order: Order, told: Told) -> Image.Image | None:
    """The picture; None where the base's own checker withholds it. Same order, same picture on the same machine: the
    noise is drawn on the processor, so that it is the same on every device too."""
    from diffusers import EulerDiscreteScheduler

    schedule = EulerDiscreteScheduler.from_config(network.schedule)
    schedule.set_timesteps(order.steps, device=network.device)
    words = [network.words(order.avoid), network.words(order.prompt)]
    latent = _first(network, order) * schedule.init_noise_sigma
    for number, step in enumerate(schedule.timesteps, 1):
        noisy = schedule.scale_model_input(latent, step)
        without, under = network.noise(torch.cat([noisy, noisy]), step, words).chunk(2)
        done = schedule.step(without + order.guidance * (under - without), step, latent)
        latent = done.prev_sample
        told(number, done.pred_original_sample)
    return network.picture(latent)


def _first(network: Network, order: Order) -> Tensor:
    """Noise of one seed."""
    scale = network.base.scale
    size = (1, network.unet.config.in_channels, order.height // scale, order.width // scale)
    return torch.randn(size, generator=torch.Generator().manual_seed(order.seed % 2**63)).to(network.device)
