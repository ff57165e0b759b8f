"""Colours as people see them: OKLab (Ottosson 2020), and the contrast that WCAG 2.2 asks of text."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Lab = NDArray[np.float64]

# https://bottosson.github.io/posts/oklab/
_TO_CONES = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
).T  # fmt: skip
_FROM_CONES = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
).T  # fmt: skip
_TO_CONES_BACK, _FROM_CONES_BACK = np.linalg.inv(_TO_CONES), np.linalg.inv(_FROM_CONES)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])

TEXT_CONTRAST, LARGE_CONTRAST = 4.5, 3.0
"""What WCAG 2.2, 1.4.3 asks at level AA of text and of large text."""


def linear(rgb: ArrayLike) -> Lab:
    """sRGB of 0 to 255 as light, 0 to 1 (IEC 61966-2-1)."""
    share = np.asarray(rgb, float) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


_AS_LIGHT = linear(np.arange(256))


def lab_of(rgb: ArrayLike) -> Lab:
    """(…, 3) sRGB of 0 to 255 in OKLab: lightness 0 to 1, then green to red, then blue to yellow."""
    pixels = np.asarray(rgb)
    light = _AS_LIGHT[pixels] if pixels.dtype == np.uint8 else linear(pixels)
    return np.asarray(np.cbrt(light @ _TO_CONES) @ _FROM_CONES)


def rgb_of(lab: ArrayLike) -> NDArray[np.uint8]:
    """(…, 3) OKLab in sRGB of 0 to 255. Colours that a screen cannot show lose chroma until it can."""
    wanted = np.atleast_2d(np.asarray(lab, float))
    low, high = np.zeros(len(wanted)), np.ones(len(wanted))
    whole = _shown(_light(wanted))
    for _ in range(12):
        middle = (low + high) / 2
        fits = _shown(_light(wanted * np.stack([np.ones_like(middle), middle, middle], 1)))
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    keep = np.where(whole, 1.0, low)
    light = np.clip(_light(wanted * np.stack([np.ones_like(keep), keep, keep], 1)), 0, 1)
    share = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(share * 255).astype(np.uint8).reshape(np.shape(lab)))


def _light(lab: Lab) -> Lab:
    return np.asarray((lab @ _FROM_CONES_BACK) ** 3 @ _TO_CONES_BACK)


def _shown(light: Lab) -> NDArray[np.bool_]:
    return np.asarray(((light > -1e-4) & (light < 1 + 1e-4)).all(-1))


@lru_cache(100_000)
def _lab(colour: str) -> Lab:
    found = lab_of(rgb(colour))
    found.setflags(write=False)
    return found


def lab(colour: str) -> Lab:
    """OKLab of #rrggbb; not to be changed."""
    return _lab(colour)


def rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def hexed(lab: ArrayLike) -> str:
    """#rrggbb of OKLab."""
    return "#{:02x}{:02x}{:02x}".format(*(int(each) for each in rgb_of(lab)))


@lru_cache(100_000)
def distance(one: str, other: str) -> float:
    """How different two colours look: 0.02 is just seen, 1 is black from white."""
    return float(np.linalg.norm(lab(one) - lab(other)))


@lru_cache(100_000)
def chroma(colour: str) -> float:
    return float(np.hypot(*lab(colour)[1:]))


@lru_cache(100_000)
def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    return float(linear(rgb(colour)) @ _LUMINANCE)


def contrast(one: str, other: str) -> float:
    """1 (none) to 21 (black on white); the order does not matter."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@lru_cache(10_000)
def toned(colour: str, lightness: float, chroma_share: float = 1.0) -> str:
    """The same hue, lighter or darker, with a share of its chroma."""
    _, a, b = lab(colour)
    return hexed((lightness, a * chroma_share, b * chroma_share))


@lru_cache(10_000)
def readable(colour: str, ground: str, least: float) -> str:
    """The nearest to a colour, by lightness, that has a contrast with the ground; black or white where nothing has."""
    if contrast(colour, ground) >= least:
        return colour
    own = float(lab(colour)[0])
    tones = sorted((toned(colour, level / 50) for level in range(2, 50)), key=lambda c: abs(float(lab(c)[0]) - own))
    for tone in tones:
        if contrast(tone, ground) >= least:
            return tone
    return max(("#000000", "#ffffff"), key=lambda each: contrast(each, ground))
