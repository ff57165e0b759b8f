"""Turns a plan into a scene: ground, fields, art and words, each a layer of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from atelier.workshop.engines.design.outline import Box, Matrix, Outline, ellipse, rectangle
from atelier.workshop.engines.design.scene import Clip, Group, Item, Run, Shape, Stroke, Words, painted
from atelier.workshop.engines.design.type.embedding import generic_of
from atelier.workshop.engines.design.type.setting import Letters, placed

from .plans import Art, Field, Plan, Set


def scene_of(plan: Plan) -> Group:
    """All layers of a piece, the lowest first. Units are those of its kind."""
    ground = Shape(rectangle(0, 0, plan.kind.width, plan.kind.height), plan.scheme.ground, name="Ground")
    fields = [_edged(_field(field), plan) for field in plan.fields]
    art = [_art(each) for each in plan.arts]
    if plan.kind.name == "icons":
        return Group((ground, *_icons(fields, art)))
    words = [item for group in plan.words for item in _words(plan, group)]
    layers = [
        Group(tuple(items), name=name) for name, items in (("Fields", fields), ("Art", art), ("Words", words)) if items
    ]
    return Group((ground, *layers))


def _icons(fields: list[Item], art: list[Item]) -> Iterator[Group]:
    """A layer for each icon: what shows something, on the form behind it where each has one."""
    behind: list[tuple[Item, ...]] = [(field,) for field in fields] if len(fields) == len(art) else [()] * len(art)
    for number, (form, item) in enumerate(zip(behind, art, strict=True), 1):
        yield Group((*form, item), name=f"Icon {number}")


def _field(field: Field) -> Item:
    box = field.box
    radius = field.round * min(box.width, box.height)
    if field.form == "disc":
        return Shape(ellipse(*box.middle, box.width / 2, box.height / 2), field.colour)
    if field.form == "ring":
        line = Stroke(field.colour, field.line)
        inner = box.grown(-field.line / 2)
        return Shape(ellipse(*inner.middle, inner.width / 2, inner.height / 2), None, stroke=line)
    if field.form == "line":
        inner = box.grown(-field.line / 2)
        return Shape(_sheet(inner, radius), None, stroke=Stroke(field.colour, field.line))
    if field.form == "arch":
        return Shape(_arch(box), field.colour)
    return Shape(_sheet(box, radius), field.colour)


def _edged(item: Item, plan: Plan) -> Item:
    """A plain form with the line that its author draws with."""
    edge = plan.edge
    if edge is None or not isinstance(item, Shape) or item.stroke is not None:
        return item
    stroke = Stroke(edge.colour, edge.width, cap="round", join="round")
    if not edge.shift:
        return replace(item, stroke=stroke)
    line = Shape(item.outline.moved(Matrix.moved(edge.shift, edge.shift)), None, stroke=stroke)
    return Group((item, line), name=item.name)


def _sheet(box: Box, radius: float) -> Outline:
    return rectangle(box.left, box.top, box.width, box.height, radius, radius)


def _arch(box: Box) -> Outline:
    """A rectangle whose upper end is half a circle."""
    radius = min(box.width / 2, box.height)
    whole = rectangle(box.left, box.top, box.width, 2 * box.height, radius, radius)
    points = whole.points.copy()
    points[:, 1] = points[:, 1].clip(max=box.bottom)
    return Outline(whole.verbs, points)


def _art(art: Art) -> Item:
    item: Item = art.motif.item
    if art.tone is not None:
        tone = art.tone
        item = painted(item, lambda _: tone)
    name = art.motif.words[0] if art.motif.words else "Motif"
    made = Group((item,), art.placed, name=name[:60].capitalize())
    if art.clip is None:
        return made
    return Group((made,), clip=Clip((_sheet(art.clip, 0.0),)), name=made.name)


def _words(plan: Plan, group: Set) -> list[Item]:
    found: list[Item] = []
    for part in group.words.parts:
        behind, room = group.behind, part.box
        if part.role == "action":
            behind = plan.scheme.accent_on(behind)
            radius = min(part.box.height / 2, part.block.size)
            found.append(_edged(Shape(_sheet(part.box, radius), behind, name="Button"), plan))
            pad = part.block.size * 0.75
            room = Box(part.box.left, part.box.top + pad, part.box.right, part.box.bottom - pad)
        ink = plan.scheme.ink_on(behind, large=part.role == "headline")
        align = "middle" if part.role == "action" else part.align
        shapes = tuple(_letters(each, ink) for each in placed(part.block, room, align))
        found.append(Group(shapes, name=part.role.capitalize()))
    return found


def _letters(letters: Letters, ink: str) -> Item:
    runs = tuple(Run(text, face.family, face.weight, generic_of(face.family)) for text, face in letters.runs)
    return Words(
        outline=letters.outline(),
        fill=ink,
        name=letters.text[:40],
        runs=runs,
        size=letters.size,
        x=letters.x,
        y=letters.y,
        anchor=letters.anchor,
        direction=letters.direction,
        spacing=letters.spacing,
    )
