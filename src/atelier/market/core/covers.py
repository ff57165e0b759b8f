"""Covers drawn from a name and a palette: abstract, typographic, always the same for the same model."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString

WIDTH, HEIGHT, MARGIN = 600, 400, 36
_HEX = re.compile(r"#[0-9a-fA-F]{6}")

# For names without a palette of their own: paper, ink, and two colours that live well together.
PALETTES = (
    ("#f3ead9", "#2b2320", "#c6492c", "#7f9183"),
    ("#e9e4da", "#1f2a30", "#2f6272", "#d9a441"),
    ("#22302c", "#f1e8d6", "#d97b4f", "#8fa98f"),
    ("#f0dfd3", "#33202a", "#8c3b4a", "#d8a48f"),
    ("#dfe5e1", "#20262b", "#3d5a80", "#e07a5f"),
    ("#2a2530", "#efe6dd", "#b98ea7", "#e0b354"),
    ("#efe9cf", "#26301f", "#6b7f3a", "#b9562f"),
    ("#e6ddd0", "#2a2018", "#9a6a3a", "#3f5b57"),
)


READABLE = 4.5
INKS = ("#1d1a17", "#fbf7ef", "#000000", "#ffffff")


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` after WCAG 2.2, 0 (black) to 1 (white)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours after WCAG 2.2, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@dataclass(frozen=True)
class _Colours:
    paper: str
    ink: str
    main: str
    second: str


def _colours(palette: Sequence[str], chance: random.Random) -> _Colours:
    """Roles for a palette's colours: the ink is always readable on the paper."""
    own = list(dict.fromkeys(colour.lower() for colour in palette if _HEX.fullmatch(colour)))
    if len(own) < 2:
        paper, ink, main, second = chance.choice(PALETTES)
        return _Colours(paper, ink, own[0] if own else main, second)
    by_light = sorted(own, key=luminance)
    paper = by_light[-1] if chance.random() < 0.6 else by_light[0]
    rest = sorted((colour for colour in own if colour != paper), key=lambda c: -contrast(c, paper))
    # The last two suffice for any paper: the better of black and white has at least 4.58.
    ink = next(colour for colour in (rest[0], *INKS) if contrast(colour, paper) >= READABLE)
    figures = [colour for colour in own if colour not in (paper, ink)] or [ink]
    return _Colours(paper, ink, figures[0], figures[-1] if len(figures) > 1 else ink)


def _lines(title: str) -> tuple[int, list[str]]:
    """A size in pixels and the lines of a title that fit the width at that size (a serif's mean advance is 0.5 em)."""
    for size in (68, 58, 48, 40, 33, 27):
        most = int((WIDTH - 2 * MARGIN) / (size * 0.5))
        lines = [""]
        for word in title.split():
            longer = f"{lines[-1]} {word}".strip()
            if len(longer) <= most or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(word)
        if len(lines) <= 3 and all(len(line) <= most for line in lines) and (len(lines) < 3 or size <= 40):
            return size, lines
    return 27, [line[:38] for line in lines[:3]]


def _bands(colours: _Colours, chance: random.Random) -> str:
    """Upright bands, narrower and narrower, over the upper part."""
    x, shapes, width = 0.0, [], chance.uniform(90, 170)
    for number in range(14):
        fill = (colours.main, colours.second, colours.ink)[number % 3]
        if number % 2 == 0:
            shapes.append(f'<rect x="{x:.0f}" y="0" width="{width:.0f}" height="210" fill="{fill}"/>')
        x += width
        width *= chance.uniform(0.7, 0.86)
        if x > WIDTH or width < 5:
            break
    return "".join(shapes)


def _discs(colours: _Colours, chance: random.Random) -> str:
    """A large disc and a half one, touching."""
    radius = chance.uniform(95, 125)
    x = chance.uniform(150, 450)
    side = chance.choice((-1, 1))
    other = x + side * radius * 1.62
    half = radius * 0.62
    bow = f"a{half:.0f} {half:.0f} 0 0 {chance.choice((0, 1))} {2 * half:.0f} 0z"
    return (
        f'<circle cx="{x:.0f}" cy="112" r="{radius:.0f}" fill="{colours.main}"/>'
        f'<path d="M{other - half:.0f} 112{bow}" fill="{colours.second}"/>'
        f'<circle cx="{x:.0f}" cy="112" r="{radius * 0.3:.0f}" fill="{colours.paper}"/>'
    )


def _rules(colours: _Colours, chance: random.Random) -> str:
    """Lines of writing without words, one of them struck in colour."""
    struck = chance.randrange(7)
    shapes = []
    for number in range(7):
        length = chance.uniform(0.35, 1) * (WIDTH - 2 * MARGIN)
        fill, height = (colours.main, 20) if number == struck else (colours.second if number % 3 else colours.ink, 7)
        y = MARGIN + 6 + number * 27 - height / 2
        shapes.append(f'<rect x="{MARGIN}" y="{y:.0f}" width="{length:.0f}" height="{height}" fill="{fill}"/>')
    return "".join(shapes)


def _quarters(colours: _Colours, chance: random.Random) -> str:
    """A field of quarter discs."""
    side, shapes = 100, []
    corners = (
        "M{x} {y}h{s}a{s} {s} 0 0 1 -{s} {s}z",
        "M{r} {y}v{s}a{s} {s} 0 0 1 -{s} -{s}z",
        "M{r} {b}h-{s}a{s} {s} 0 0 1 {s} -{s}z",
        "M{x} {b}v-{s}a{s} {s} 0 0 1 {s} {s}z",
    )
    for row in range(2):
        for column in range(6):
            if chance.random() < 0.22:
                continue
            x, y = column * side, row * side
            path = chance.choice(corners).format(x=x, y=y, r=x + side, b=y + side, s=side)
            fill = chance.choice((colours.main, colours.main, colours.second, colours.ink))
            shapes.append(f'<path d="{path}" fill="{fill}"/>')
    return "".join(shapes)


def _waves(colours: _Colours, chance: random.Random) -> str:
    """Arcs side by side, as of a calm sea or roof tiles."""
    step = chance.choice((75, 100, 120))
    shapes = []
    for row in range(3):
        y = 62 + row * 62
        fill = (colours.second, colours.main, colours.ink)[row]
        shift = -step / 2 if row % 2 else 0
        for column in range(-1, WIDTH // step + 2):
            x = column * step + shift
            shapes.append(f'<path d="M{x:.0f} {y}a{step / 2:g} {step / 2:g} 0 0 1 {step} 0z" fill="{fill}"/>')
    return "".join(shapes)


_DRAWINGS: tuple[Callable[[_Colours, random.Random], str], ...] = (_bands, _discs, _rules, _quarters, _waves)


def cover_svg(title: str, palette: Sequence[str], seed: str | int, css: str = "") -> SafeString:
    """A cover as inline SVG, 3 by 2. The same arguments give the same drawing on every machine.

    `palette` holds `#rrggbb` colours, others are passed over; the title stands in it readable at 4.5:1 or better.
    The drawing is hidden from screen readers, since the name always stands beside it in words.
    """
    chance = random.Random(hashlib.sha256(str(seed).encode()).digest())
    colours = _colours(palette, chance)
    drawing = chance.choice(_DRAWINGS)(colours, chance)
    size, lines = _lines(title)
    bottom = HEIGHT - MARGIN - (len(lines) - 1) * size * 1.08
    words = "".join(
        f'<text x="{MARGIN}" y="{bottom + number * size * 1.08:.0f}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return SafeString(
        f'<svg class="cover {escape(css)}" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true" focusable="false" '
        f'preserveAspectRatio="xMidYMid slice"><rect width="{WIDTH}" height="{HEIGHT}" fill="{colours.paper}"/>'
        f'{drawing}<g font-size="{size}" fill="{colours.ink}">{words}</g></svg>'
    )
