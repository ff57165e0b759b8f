"""A sheet with a ground, shapes and words: written as SVG, read back from it, and drawn in pixels."""

from __future__ import annotations

import base64
import html
import io
import re
from dataclasses import dataclass, replace
from typing import Any

WIDE, HIGH = 120, 80
"""The size of every sheet, in its own units."""
KINDS = ("circle", "square", "triangle")
SHAPES_MOST = 64

_ELEMENT = re.compile(r"<(rect|circle|polygon)\b([^<>]{0,400})>")
_ATTRIBUTE = re.compile(r"([a-z]+)\s*=\s*\"([^\"]*)\"")
_WORDS = re.compile(r"<text\b[^<>]*>([^<]*)</text>")
_BROUGHT = re.compile(r"href=\"data:image/png;base64,([A-Za-z0-9+/=]+)\"")
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class Shape:
    """One shape: its kind, the upper left corner and side of the square it fills, and its colour as #rrggbb."""

    kind: str
    x: int
    y: int
    side: int
    colour: str


@dataclass(frozen=True)
class Scene:
    """What stands on a sheet. `picture` is a file that the client brought, shown in the lower right corner."""

    ground: str
    shapes: tuple[Shape, ...]
    words: str = ""
    picture: bytes = b""

    @property
    def colours(self) -> list[str]:
        """The colours of the shapes, each once, in order."""
        return list(dict.fromkeys(shape.colour for shape in self.shapes))


def to_svg(scene: Scene) -> str:
    """The sheet as SVG; the same sheet is the same text."""
    parts = [f'<rect x="0" y="0" width="{WIDE}" height="{HIGH}" fill="{scene.ground}"/>', *map(_element, scene.shapes)]
    if scene.picture:
        uri = f"data:image/png;base64,{base64.b64encode(scene.picture).decode()}"
        parts.append(f'<image x="84" y="44" width="32" height="32" href="{uri}"/>')
    if scene.words:
        parts.append(f'<text x="4" y="{HIGH - 4}" font-size="6">{html.escape(scene.words)}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}">'
    return "\n".join([head, *parts, "</svg>", ""])


def _element(shape: Shape) -> str:
    x, y, side, fill = shape.x, shape.y, shape.side, f'fill="{shape.colour}"'
    if shape.kind == "circle":
        return f'<circle cx="{x + side / 2:g}" cy="{y + side / 2:g}" r="{side / 2:g}" {fill}/>'
    if shape.kind == "square":
        return f'<rect x="{x}" y="{y}" width="{side}" height="{side}" {fill}/>'
    return f'<polygon points="{x},{y + side} {x + side / 2:g},{y} {x + side},{y + side}" {fill}/>'


def from_svg(text: str) -> Scene:
    """The shapes of an SVG that it can read; everything else in it is left behind. Errors: ValueError without any."""
    ground, shapes = "#ffffff", []
    for tag, inside in _ELEMENT.findall(text):
        told = dict(_ATTRIBUTE.findall(inside))
        colour = told.get("fill", "").lower()
        if not _COLOUR.fullmatch(colour):
            continue
        if tag == "rect" and _number(told.get("width")) >= WIDE:
            ground = colour
            continue
        shape = _shape(tag, told, colour)
        if 0 < shape.side <= WIDE and abs(shape.x) <= WIDE and abs(shape.y) <= HIGH:
            shapes.append(shape)
    if not shapes:
        raise ValueError("it holds no shape with a colour")
    found = _WORDS.search(text)
    words = html.unescape(found.group(1)) if found else ""
    brought = _BROUGHT.search(text)
    return Scene(
        ground=ground,
        shapes=tuple(shapes[:SHAPES_MOST]),
        words=" ".join(words.split())[:200],
        picture=clean_picture(base64.b64decode(brought.group(1))) if brought else b"",
    )


def _shape(tag: str, told: dict[str, str], colour: str) -> Shape:
    if tag == "circle":
        radius = _number(told.get("r"))
        x, y = _number(told.get("cx")) - radius, _number(told.get("cy")) - radius
        return Shape("circle", round(x), round(y), round(2 * radius), colour)
    if tag == "rect":
        x, y, side = (round(_number(told.get(name))) for name in ("x", "y", "width"))
        return Shape("square", x, y, side, colour)
    places = [_number(part) for part in re.split(r"[\s,]+", told.get("points", "").strip())[:6]]
    xs, ys = places[0::2] or [0.0], places[1::2] or [0.0]
    return Shape("triangle", round(min(xs)), round(min(ys)), round(max(xs) - min(xs)), colour)


def _number(text: str | None) -> float:
    try:
        value = float(text or 0)
    except ValueError:
        return 0.0
    return value if abs(value) < 10_000 else 0.0


def from_pixels(content: bytes) -> Scene:
    """A picture as a grid of six by four squares. Errors: ValueError when it is none, or too large to be opened."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PNG", "WEBP"]) as opened:
            if opened.width * opened.height > 16_000_000:
                raise ValueError("it has more than 16 million pixels")
            small = opened.convert("RGB").resize((6, 4))
    except (OSError, SyntaxError) as error:
        raise ValueError("it cannot be opened") from error
    colours = [f"#{r & 0xF0:02x}{g & 0xF0:02x}{b & 0xF0:02x}" for r, g, b in _pixels(small)]
    shapes = (Shape("square", 20 * (n % 6), 20 * (n // 6), 20, colour) for n, colour in enumerate(colours))
    return Scene(ground=colours[0], shapes=tuple(shapes))


def _pixels(image: Any) -> list[tuple[int, int, int]]:
    raw = image.tobytes()
    return [(raw[at], raw[at + 1], raw[at + 2]) for at in range(0, len(raw), 3)]


def to_pixels(scene: Scene, wide: int, high: int, form: str = "PNG") -> bytes:
    """The sheet as a PNG or WebP file of that size; its words stand as bars."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (wide, high), scene.ground)
    pen = ImageDraw.Draw(image)
    across, down = wide / WIDE, high / HIGH
    for shape in scene.shapes:
        left, top = shape.x * across, shape.y * down
        right, bottom = left + shape.side * across, top + shape.side * down
        if shape.kind == "circle":
            pen.ellipse((left, top, right, bottom), fill=shape.colour)
        elif shape.kind == "square":
            pen.rectangle((left, top, right, bottom), fill=shape.colour)
        else:
            pen.polygon(((left, bottom), ((left + right) / 2, top), (right, bottom)), fill=shape.colour)
    at = 4.0
    for word in scene.words.split()[:8]:
        end = at + 2 * len(word)
        pen.rectangle((at * across, (HIGH - 8) * down, min(end, WIDE - 4) * across, (HIGH - 5) * down), fill="#222222")
        at = end + 2
    _lay_on(image, scene.picture, across, down)
    out = io.BytesIO()
    image.save(out, form, **({"lossless": True} if form == "WEBP" else {}))
    return out.getvalue()


def _lay_on(image: Any, picture: bytes, across: float, down: float) -> None:
    from PIL import Image

    if picture:
        with Image.open(io.BytesIO(picture), formats=["PNG", "WEBP", "JPEG"]) as brought:
            size = max(1, round(32 * across)), max(1, round(32 * down))
            image.paste(brought.convert("RGB").resize(size), (round(84 * across), round(44 * down)))


def in_words(scene: Scene) -> str:
    """What is seen, for those who cannot see it."""
    counted = [(kind, sum(shape.kind == kind for shape in scene.shapes)) for kind in KINDS]
    told = ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counted if n)
    return f"{told} on {scene.ground}" + (f", and the words “{scene.words}”" if scene.words else "")


def clean_picture(content: bytes) -> bytes:
    """A picture that a client brought, as a small PNG of its pixels alone. Errors: ValueError."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=["PNG", "WEBP", "JPEG"]) as opened:
            if opened.width * opened.height > 16_000_000:
                raise ValueError("it has more than 16 million pixels")
            small = opened.convert("RGB").resize((32, 32))
    except (OSError, SyntaxError) as error:
        raise ValueError("it cannot be opened") from error
    out = io.BytesIO()
    small.save(out, "PNG")
    return out.getvalue()


def recoloured(scene: Scene, colours: dict[str, str]) -> Scene:
    """The same sheet with other colours, by the old ones."""
    shapes = tuple(replace(shape, colour=colours.get(shape.colour, shape.colour)) for shape in scene.shapes)
    return replace(scene, shapes=shapes)
