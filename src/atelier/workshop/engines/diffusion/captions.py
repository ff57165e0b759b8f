"""The words under which a work is learned, and those that describe a creator's manner to the base alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from atelier.workshop.contract import WorkFile

from .briefs import tidy

LONGEST = 220
"""About as many characters as a CLIP encoder's 77 tokens hold."""
_HUES = ("red", "orange", "yellow", "green", "teal", "blue", "violet", "pink")


def caption(work: WorkFile) -> str:
    """Title, tags and description of a work in one line, the title first: what does not fit falls off the end."""
    parts = [tidy(part) for part in (work.title, ", ".join(work.tags), work.description)]
    return ", ".join(part for part in parts if part)[:LONGEST]


def manners(works: Sequence[WorkFile], pictures: Iterable[Image.Image]) -> list[str]:
    """Descriptions of a creator's manner, such as a careful person would add to a prompt, from the plain to the full:
    by the words they tag most of their works with, by the colours, by both."""
    common = Counter(tag.casefold() for work in works for tag in work.tags)
    tags = ", ".join(tag for tag, count in common.most_common(4) if count >= len(works) / 4)
    colours = _colours(pictures)
    found = [tags, colours, ", ".join(part for part in (tags, colours) if part)]
    return [f"in the style of {each}" for each in dict.fromkeys(found) if each]


def _colours(pictures: Iterable[Image.Image]) -> str:
    """How light, how colourful and in which hues pictures are, in words."""
    small = [each.convert("RGB").resize((32, 32)).convert("HSV") for each in pictures]
    hue, vivid, light = np.stack([np.asarray(each, dtype=np.float32) for each in small]).reshape(-1, 3).T
    words = [
        "dark" if light.mean() < 90 else "light" if light.mean() > 180 else "",
        "vivid colours" if vivid.mean() > 130 else "muted colours" if vivid.mean() < 50 else "",
        "strong contrast" if light.std() > 75 else "soft contrast" if light.std() < 35 else "",
    ]
    weight = np.bincount((hue / 256 * len(_HUES)).astype(int), weights=vivid * light, minlength=len(_HUES))
    words += [_HUES[place] for place in np.argsort(-weight)[:2] if weight[place] > weight.sum() / 6]
    return ", ".join(word for word in words if word)
