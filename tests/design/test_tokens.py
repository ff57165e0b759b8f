"""Colours: what is read on what, in light and in dark."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "src" / "atelier" / "market" / "static" / "atelier"
PAIR = re.compile(r"--([\w-]+):\s*light-dark\(oklch\(([^)]*)\),\s*oklch\(([^)]*)\)\)")


@cache
def colours() -> dict[str, tuple[str, str]]:
    """Every colour token with its light and its dark value."""
    found = {name: (light, dark) for name, light, dark in PAIR.findall((STATIC / "tokens.css").read_text())}
    assert len(found) >= 15
    return found


def luminance(oklch: str) -> float:
    """Relative luminance of an OKLCH colour, clipped to sRGB (Ottosson 2020, and WCAG 2.2)."""
    lightness, chroma, hue = (float(part) for part in oklch.split())
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    red, green, blue = (min(max(part, 0.0), 1.0) for part in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str, scheme: int) -> float:
    """The contrast ratio of two tokens in the light (0) or the dark (1) scheme."""
    low, high = sorted((luminance(colours()[one][scheme]), luminance(colours()[other][scheme])))
    return (high + 0.05) / (low + 0.05)


PAPERS = ("paper", "paper-raised", "paper-sunk")


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("paper", PAPERS)
def test_text_is_read_at_seven_to_one(paper: str, scheme: int) -> None:
    assert contrast("ink", paper, scheme) >= 7
    assert contrast("ink-soft", paper, scheme) >= 7


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("colour", ["seal-deep", "good", "warn", "bad"])
def test_links_and_states_are_read_at_four_and_a_half_to_one(colour: str, paper: str, scheme: int) -> None:
    assert contrast(colour, paper, scheme) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back"),
    [
        ("on-seal", "seal"),
        ("on-seal", "seal-deep"),
        ("seal-deep", "seal-wash"),
        ("ink", "seal-wash"),
        ("good", "good-wash"),
        ("warn", "warn-wash"),
        ("bad", "bad-wash"),
        ("ink", "bad-wash"),
        ("ink", "warn-wash"),
    ],
)
def test_what_stands_on_colour_is_read(front: str, back: str, scheme: int) -> None:
    assert contrast(front, back, scheme) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("edge", ["line-strong", "seal"])
def test_edges_of_controls_are_seen_at_three_to_one(edge: str, paper: str, scheme: int) -> None:
    assert contrast(edge, paper, scheme) >= 3
