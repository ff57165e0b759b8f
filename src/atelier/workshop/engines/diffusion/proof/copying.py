"""The question of copying: is anything a version makes nearly one of the works it learned from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from atelier.workshop.contract import Answer
from atelier.workshop.engines.diffusion.fitting import Example
from atelier.workshop.engines.diffusion.inspection import pixels
from atelier.workshop.engines.diffusion.network import Network
from atelier.workshop.engines.diffusion.splits import Learned, Split, nearest
from atelier.workshop.pictures.fingerprints import NEAR_BITS, turned
from atelier.workshop.proof.pictures import OURS, picture
from atelier.workshop.proof.statistics import exact, share

PLACES = 8
"""Latents are compared on a grid of so many places a side."""
HEADLINES = {"good": "No copies found", "fair": "Some pictures come close to works", "poor": "Copies: do not publish"}
METHOD = (
    "Compared by how light lies over a whole picture (PDQ, turned and mirrored in all ways) and by what the base's "
    "autoencoder sees, which find near copies of whole pictures, not a figure or a corner that was taken over."
)


def copying_answer(
    network: Network, made: Sequence[Image.Image], split: Split, learned: Sequence[Example], test: Sequence[Example]
) -> Answer:
    """How near to the works learned from the pictures made come, against how near the creator's own other works do."""
    bits = [nearest(turned(pixels(each)), split.train) for each in made]
    own_bits = [nearest(each.prints, split.train) for each in split.test]
    works = _grids([each.latent for each in learned])
    likeness = _nearest(_grids([network.latent(each) for each in made]), works)
    own_likeness = _nearest(_grids([each.latent for each in test]), works)
    copies = sum(each <= NEAR_BITS for each in bits)
    measures = {
        "copies": share(copies, len(bits), meaning="Share of pictures made that are copies of a work learned from"),
        "nearest_bits": exact(min(bits), unit="bits", meaning="Bits of 256 between a picture and the nearest work"),
        "own_nearest_bits": exact(
            min(own_bits), unit="bits", meaning="The same between works held out and works learned from"
        ),
        "likeness": exact(max(likeness), meaning="Likeness of latents to the nearest work, most of all pictures made"),
        "own_likeness": exact(max(own_likeness), meaning="The same of works held out"),
    }
    verdict = _verdict(copies, max(likeness), max(own_likeness))
    sentence = (
        f"Of {len(made)} pictures, half of them asked for by the words of works it learned from, {copies} are near "
        f"copies of a work; the nearest differs in {min(bits)} of 256 bits ({NEAR_BITS} or fewer are a copy; between "
        f"the creator's own works: {min(own_bits)}). {METHOD}"
    )
    drawn = picture(
        "Bits between a picture and the nearest work (more is better)",
        {OURS: measures["nearest_bits"], "The creator's own other works": measures["own_nearest_bits"]},
        unit="bits",
        most=128,
        limit=NEAR_BITS,
        limit_label="a copy",
    )
    return Answer(verdict=verdict, headline=HEADLINES[verdict], sentence=sentence, picture=drawn, measures=measures)


def _verdict(copies: int, likeness: float, own: float) -> Literal["good", "fair", "poor"]:
    if copies:
        return "poor"
    return "fair" if likeness > own else "good"


def learned_words(split: Split, count: int) -> list[Learned]:
    """The works by whose words the pictures for the proof are asked for: held out and learned from in turns, the
    held-out ones first, so that copying is looked for where it is likeliest too."""
    turns = [each for pair in zip(split.test, split.train, strict=False) for each in pair]
    return [turns[place % len(turns)] for place in range(count)]


def _grids(latents: Sequence[Tensor]) -> NDArray[np.float32]:
    """Each latent as one row of length 1, without what they all have in common: their shape does not matter."""
    import torch

    rows = [torch.nn.functional.adaptive_avg_pool2d(each.float(), PLACES).flatten().cpu().numpy() for each in latents]
    found = np.stack(rows)
    found = found - found.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.maximum(lengths, 1e-9), dtype=np.float32)


def _nearest(rows: NDArray[np.float32], works: NDArray[np.float32]) -> list[float]:
    return [float(each) for each in (rows @ works.T).max(axis=1)]
