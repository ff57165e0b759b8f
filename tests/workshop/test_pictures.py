"""Pictures of strangers become pixels, near copies are found again, and samples show no more than they may."""

from __future__ import annotations

import io

import numpy as np
import pytest
from drawings import draw
from PIL import Image

from atelier.workshop.pictures import showing
from atelier.workshop.pictures.fingerprints import NEAR_BITS, distance, fingerprint, turned


@pytest.mark.parametrize(
    ("number", "hand", "size", "reference"),
    [
        (0, "round", (512, 384), "a0e1cc1b817f42fb9d0ef0a50e1bf13e56c1f81f35e50e933f0b58c5a51a43e4"),
        (1, "square", (300, 512), "4b33db65c44564326332db33ca6dceec28b63199b45db4cd34cc38cc9aa9ca2b"),
        (2, "round", (160, 120), "539b125a2b396b89956499b996bece044a991c5a1d7be689e0a458f1e77ca746"),
        (3, "square", (64, 64), "18f79d994998718504668c6acc7b4adbf6b562e62943891a0b1831a57bd77bda"),
    ],
)
def test_fingerprints_are_those_of_the_reference(number: int, hand: str, size: tuple[int, int], reference: str) -> None:
    """Reckoned with pdqhash 0.2.8, which wraps Meta's own code."""
    found = fingerprint(np.asarray(draw(number, hand, size)))
    # A bit may fall the other way where two waves are as good as equally strong and libraries round otherwise.
    assert distance(found.value, reference) <= 2


def test_turned_and_mirrored_copies_are_found() -> None:
    picture = draw(3, size=(512, 384))
    known, stranger = turned(np.asarray(picture)), fingerprint(np.asarray(draw(4, size=(512, 384)))).value
    for way in Image.Transpose:
        copy = fingerprint(np.asarray(picture.transpose(way))).value
        assert min(distance(copy, each) for each in known) <= NEAR_BITS, way
    assert min(distance(stranger, each) for each in known) > 2 * NEAR_BITS


@pytest.mark.parametrize("reveal", [0.001, 0.05, 0.4, 1.0])
@pytest.mark.parametrize("size", [(1024, 576), (64, 64), (300, 20)])
def test_a_sample_has_no_more_pixels_than_may_be_revealed(reveal: float, size: tuple[int, int]) -> None:
    shown = showing.sample(draw(1, size=size), *size, reveal)
    if shown is None:
        assert reveal < 0.05
        return
    data, (width, height) = shown
    assert 0 < width * height <= reveal * size[0] * size[1]
    assert max(width, height) <= showing.SIDE
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (width, height))


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_the_mark_is_seen_on_every_ground(shade: int) -> None:
    plain = Image.new("RGB", (400, 300), (shade,) * 3)
    shown = showing.sample(plain, 400, 300, 1.0)
    assert shown is not None
    levels = np.asarray(Image.open(io.BytesIO(shown[0])).convert("L"), dtype=int)
    marked = np.abs(levels - shade) > 20
    assert 0.03 < marked.mean() < 0.5
    assert all(
        marked[rows : rows + 100, columns : columns + 100].any() for rows in (0, 100, 200) for columns in (0, 100, 200)
    )
