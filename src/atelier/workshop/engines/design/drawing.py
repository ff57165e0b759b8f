"""Draws scenes: to pixels with Skia, and to a page of a PDF in the same way."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .colour import rgb
from .outline import IDENTITY, TAKES, Box, Matrix, Outline
from .scene import Clip, Gradient, Group, Item, Picture, Shape, Stroke

if TYPE_CHECKING:
    import skia

Pixels = NDArray[np.uint8]
"""(height, width, 4): red, green, blue and opacity, not multiplied."""
Cover = NDArray[np.uint8]
"""(height, width): 0 where nothing is, 255 where something hides all behind it."""


def raster(item: Item, view: Box, width: int, height: int, ground: str | None = None) -> Pixels:
    """The pixels of what lies in `view`, drawn to fill the size. Transparent where nothing is, or on a ground."""
    import skia

    pixels = np.empty((height, width, 4), dtype=np.uint8)
    colour = skia.ColorTRANSPARENT if ground is None else skia.Color(*rgb(ground))
    surface = _drawn(pixels, skia.kRGBA_8888_ColorType, colour, item, view)
    if ground is not None:  # on a ground nothing is transparent, so that multiplied or not is the same
        return pixels
    return np.asarray(surface.makeImageSnapshot().toarray(colorType=skia.kRGBA_8888_ColorType), dtype=np.uint8)


def covered(item: Item, view: Box, width: int, height: int) -> Cover:
    """How much of each pixel what lies in `view` covers: the opacity that `raster` tells, for half of its price."""
    import skia

    cover = np.empty((height, width, 1), dtype=np.uint8)
    _drawn(cover, skia.kAlpha_8_ColorType, skia.ColorTRANSPARENT, item, view)
    return cover[..., 0]


def _drawn(pixels: Pixels, kind: Any, ground: Any, item: Item, view: Box) -> skia.Surface:
    """Draws right into an array, whatever was in it before."""
    import skia

    surface = skia.Surface(pixels, colorType=kind, alphaType=skia.kPremul_AlphaType)
    with surface as canvas:
        canvas.clear(ground)
        canvas.scale(pixels.shape[1] / view.width, pixels.shape[0] / view.height)
        canvas.translate(-view.left, -view.top)
        draw(canvas, item)
    return surface


def draw(canvas: Any, item: Item) -> None:
    """One item and all in it, in the canvas' own units."""
    if isinstance(item, Shape):
        _shape(canvas, item)
    elif isinstance(item, Picture):
        _picture(canvas, item)
    else:
        _group(canvas, item)


def path_of(outline: Outline, even_odd: bool = False) -> skia.Path:
    """The outline as Skia's path. Kept with the outline: making it costs more than drawing it."""
    import skia

    name = "_skia_even" if even_odd else "_skia"
    known = outline.__dict__.get(name)
    if known is not None:
        return known
    path = skia.Path()
    put: dict[str, Callable[..., Any]] = {"M": path.moveTo, "L": path.lineTo, "Q": path.quadTo, "C": path.cubicTo}
    numbers, place = outline.points.ravel().tolist(), 0
    for verb in outline.verbs:
        if verb == "Z":
            path.close()
        else:
            taken = 2 * TAKES[verb]
            put[verb](*numbers[place : place + taken])
            place += taken
    path.setFillType(skia.PathFillType.kEvenOdd if even_odd else skia.PathFillType.kWinding)
    outline.__dict__[name] = path
    return path


def matrix_of(matrix: Matrix) -> skia.Matrix:
    import skia

    a, b, c, d, e, f = matrix.numbers
    return skia.Matrix.MakeAll(a, c, e, b, d, f, 0, 0, 1)


def _group(canvas: Any, group: Group) -> None:
    import skia

    plain = group.matrix == IDENTITY and group.clip is None and group.opacity >= 1
    if plain:
        for item in group.items:
            draw(canvas, item)
        return
    if group.opacity <= 0:
        return
    layered = group.opacity < 1
    if layered:
        canvas.saveLayerAlpha(None, round(255 * group.opacity))
    else:
        canvas.save()
    canvas.concat(matrix_of(group.matrix))
    if group.clip is not None:
        canvas.clipPath(_union(group.clip), skia.ClipOp.kIntersect, True)
    for item in group.items:
        draw(canvas, item)
    canvas.restore()


def _union(clip: Clip) -> skia.Path:
    import skia

    if len(clip.outlines) == 1:
        return path_of(clip.outlines[0], clip.even_odd)
    builder = skia.OpBuilder()
    for outline in clip.outlines:
        builder.add(path_of(outline, clip.even_odd), skia.PathOp.kUnion_PathOp)
    return builder.resolve() or path_of(clip.outlines[0], clip.even_odd)


def _shape(canvas: Any, shape: Shape) -> None:

    moved = shape.matrix != IDENTITY
    layered = shape.opacity < 1 and shape.fill is not None and shape.stroke is not None
    if layered:
        canvas.saveLayerAlpha(None, round(255 * shape.opacity))
    if moved:
        canvas.save()
        canvas.concat(matrix_of(shape.matrix))
    path, opacity = path_of(shape.outline, shape.even_odd), 1.0 if layered else shape.opacity
    if shape.fill is not None:
        canvas.drawPath(path, _paint(shape.fill, shape.fill_opacity * opacity))
    if shape.stroke is not None:
        paint = _paint(shape.stroke.paint, shape.stroke.opacity * opacity)
        _stroked(paint, shape.stroke)
        canvas.drawPath(path, paint)
    if moved:
        canvas.restore()
    if layered:
        canvas.restore()


def _paint(paint: str | Gradient, opacity: float) -> skia.Paint:
    import skia

    made = skia.Paint(AntiAlias=True)
    if isinstance(paint, str):
        made.setColor(skia.Color(*rgb(paint), round(255 * opacity)))
        return made
    colours = [skia.Color(*rgb(stop.colour), round(255 * stop.opacity)) for stop in paint.stops]
    places = [stop.at for stop in paint.stops]
    mode = {"pad": skia.TileMode.kClamp, "reflect": skia.TileMode.kMirror, "repeat": skia.TileMode.kRepeat}[
        paint.spread
    ]
    local = matrix_of(paint.matrix)
    if paint.kind == "linear":
        x1, y1, x2, y2 = paint.across
        ends = [skia.Point(x1, y1), skia.Point(x2, y2)]
        shader = skia.GradientShader.MakeLinear(ends, colours, places, mode, 0, local)
    else:
        cx, cy, r, fx, fy = paint.across
        shader = skia.GradientShader.MakeTwoPointConical(
            skia.Point(fx, fy), 0, skia.Point(cx, cy), r, colours, places, mode, 0, local
        )
    if shader is None:  # its ends are one point: SVG paints the last colour
        made.setColor(colours[-1])
    else:
        made.setShader(shader)
    made.setAlphaf(opacity)
    return made


def _stroked(paint: skia.Paint, stroke: Stroke) -> None:
    import skia

    paint.setStyle(skia.Paint.kStroke_Style)
    paint.setStrokeWidth(stroke.width)
    caps = {"butt": skia.Paint.kButt_Cap, "round": skia.Paint.kRound_Cap, "square": skia.Paint.kSquare_Cap}
    joins = {"miter": skia.Paint.kMiter_Join, "round": skia.Paint.kRound_Join, "bevel": skia.Paint.kBevel_Join}
    paint.setStrokeCap(caps[stroke.cap])
    paint.setStrokeJoin(joins[stroke.join])
    paint.setStrokeMiter(stroke.miter)
    if stroke.dashes:
        paint.setPathEffect(skia.DashPathEffect.Make(list(stroke.dashes), stroke.dashes_from))


def _picture(canvas: Any, picture: Picture) -> None:
    import skia

    image = picture.__dict__.get("_skia")
    if image is None:
        image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(picture.data))
        picture.__dict__["_skia"] = image
    if image is None:
        return
    canvas.save()
    canvas.concat(matrix_of(picture.matrix))
    room = picture.room
    canvas.drawImageRect(
        image,
        skia.Rect.MakeLTRB(room.left, room.top, room.right, room.bottom),
        skia.SamplingOptions(skia.CubicResampler.Mitchell()),
        skia.Paint(AntiAlias=True, Alphaf=picture.opacity),
    )
    canvas.restore()


def encoded(pixels: Pixels, kind: str, quality: int = 90) -> bytes:
    """The pixels, with or without opacity, as a file: PNG or WEBP."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, quality=quality)
    return buffer.getvalue()
