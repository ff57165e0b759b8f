"""The grammar of layouts: how a sheet is cut, what each cell is for, how art stands in it, how words are aligned.

Each choice is independent and most are continuous; `search` draws many and keeps those of least energy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atelier.workshop.engines.design.colour import contrast, distance
from atelier.workshop.engines.design.learning.motifs import Motif
from atelier.workshop.engines.design.outline import Box

from .chance import by_odds, one_of, steps
from .cuts import around, cut, fits
from .marks import LOGO_WAYS, icons, logo
from .patterns import WAYS, pattern
from .plans import Art, Edge, Field, Habits, Plan
from .schemes import Scheme
from .sketch import Sketch, Task
from .words import FIRST, SECOND

SCATTERED = 4
FRAME = 0.08
"""Corners of a frame are no rounder than this, or they would run through the words in it."""
ICON_WAYS = ("plain", "disc", "tile")


def drawn(task: Task, seed: int, number: int) -> Plan | None:
    """Candidate `number` of a seed; None where its words do not fit. Same task, seed and number, same plan: with other
    words, colours or motifs in the task it is the same arrangement of them."""
    draw = np.random.default_rng([seed & 0xFFFFFFFF, seed >> 32, number])
    if task.kind.name == "pattern":
        way = WAYS[int(draw.integers(len(WAYS)))]
        return pattern(task.kind, _scheme(task, draw), task.motifs, task.habits, way, draw, number)
    if task.kind.name == "icons":
        way = ICON_WAYS[int(draw.integers(len(ICON_WAYS)))]
        return icons(task.kind, _scheme(task, draw), task.motifs, task.habits, way, draw, number)
    if task.kind.name == "logo":
        way = LOGO_WAYS[int(draw.integers(len(LOGO_WAYS)))]
        typeset = task.typesets[int(draw.integers(len(task.typesets)))]
        return logo(
            task.kind, _scheme(task, draw), dict(task.said), task.heroes, typeset, task.habits, way, draw, number
        )
    return _sheet(task, draw, number)


def _scheme(task: Task, draw: np.random.Generator) -> Scheme:
    return task.schemes[int(len(task.schemes) * draw.random() ** 1.6)]


def _sheet(task: Task, draw: np.random.Generator, number: int) -> Plan | None:
    ways = {"cut": _cut, "open": _open, "framed": _framed} if task.heroes else {"plain": _plain, "bare": _bare}
    names = list(ways)
    way = names[by_odds(draw, steps(_odds(names, task)))]
    sketch = Sketch(task, draw)
    if not ways[way](sketch):
        return None
    edge = edge_of(task.habits, sketch.scheme, task.kind.side)
    return Plan(
        task.kind, sketch.scheme, tuple(sketch.fields), tuple(sketch.arts), tuple(sketch.words), way, number,
        align=sketch.align, edge=edge,
    )  # fmt: skip


def edge_of(habits: Habits, scheme: Scheme, side: float) -> Edge | None:
    """A line around plain forms for a hand that draws with lines, as thick as it draws them: on the edge where it
    outlines what it fills, a little beside it where its lines go their own way."""
    if max(habits.outlined, habits.line_only) < 0.5 or habits.line <= 0:
        return None
    ink = max(scheme.inks, key=lambda each: contrast(each, scheme.ground))
    width = side * min(0.02, max(0.003, 0.35 * habits.line))
    return Edge(ink, width, 0.0 if habits.outlined >= 0.5 else 1.2 * width)


def _odds(names: Sequence[str], task: Task) -> list[float]:
    odds = {"cut": 0.4, "open": 0.42, "framed": 0.18, "plain": 0.6, "bare": 0.4}
    if task.kind.width > 2 * task.kind.height:
        odds = {**odds, "framed": 0.05}
    total = sum(odds[name] for name in names)
    return [odds[name] / total for name in names]


def _cut(sketch: Sketch) -> bool:
    """The sheet in cells: one for the words, perhaps one for when and where, the others for art."""
    draw, kind = sketch.draw, sketch.kind
    split = bool(any(sketch.task.said.get(role) for role in SECOND) and draw.random() < 0.5)
    count = int(draw.integers(2 + split, max(kind.cells, 2 + split) + 1))
    cells = cut(draw, kind.sheet, count)
    order = sorted(range(len(cells)), key=lambda n: -cells[n].area * draw.uniform(0.7, 1.3))
    typed, hero = order[0], order[1]
    if draw.random() < 0.5:
        typed, hero = hero, typed
    rest = [n for n in order if n not in (typed, hero)]
    detail = rest.pop() if split and rest else None
    colours = [sketch.scheme.ground, *sketch.scheme.fields, sketch.scheme.accent]
    for place, cell in enumerate(cells):
        plain = place in (typed, detail) or draw.random() < 0.3
        colour = colours[0] if plain and draw.random() < 0.6 else colours[int(draw.integers(1, len(colours)))]
        if colour != colours[0]:
            sketch.fields.append(sketch.ground_for(cell, colour, plain=place in (typed, detail)))
    if not _words_in(sketch, cells[typed], cells[detail] if detail is not None else None):
        return False
    _hero_in(sketch, cells[hero])
    _fill(sketch, [cells[n] for n in rest])
    return True


def _words_in(sketch: Sketch, cell: Box, detail: Box | None) -> bool:
    rise = one_of(sketch.draw, (0.0, 0.5, 0.5, 1.0))
    roles = FIRST if detail is not None else (*FIRST, *SECOND)
    if not sketch.put_words(roles, sketch.inner(cell), sketch.ground_of(cell), rise):
        return False
    return detail is None or sketch.put_words(SECOND, sketch.inner(detail), sketch.ground_of(detail), rise)


def _hero_in(sketch: Sketch, cell: Box) -> None:
    """The subject in a cell: whole in it, before a disc or an arch, or larger than it and cut off."""
    draw, hero = sketch.draw, sketch.a_hero()
    behind = sketch.ground_of(cell)
    pad = min(cell.width, cell.height) * draw.uniform(0.03, 0.14)
    room = cell.grown(-pad)
    way = draw.random()
    if way < 0.25 and not hero.cover > 0.9:
        side = min(room.width, room.height)
        x, y = room.middle
        colour = max((*sketch.scheme.fields, sketch.scheme.accent), key=lambda c: min(distance(c, behind), 0.3))
        form = "disc" if sketch.is_round() else "sheet"
        field = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
        sketch.fields.append(Field(field, colour, form, 0.0))  # type: ignore[arg-type]
        room = field.grown(-side * (0.16 if form == "disc" else 0.1))
    elif way < 0.45 and behind == sketch.scheme.ground:
        _bleeding(sketch, hero, cell)  # nothing shows where the cell ends, so only the sheet may cut
        return
    elif way < 0.45:
        room = cell.grown(min(cell.width, cell.height) * draw.uniform(0.02, 0.22))
        sketch.arts.append(Art(hero, room, flip=bool(draw.random() < 0.3), clip=cell))
        return
    turn = float(draw.normal(0, 5)) if draw.random() < 0.25 else 0.0
    sketch.arts.append(Art(hero, room, turn, bool(draw.random() < 0.3), clip=cell if turn else None))


def _fill(sketch: Sketch, cells: Sequence[Box]) -> None:
    """Cells that are left: another motif, a few in a row, or a plain form."""
    draw, sides = sketch.draw, sketch.task.sides or sketch.task.heroes
    for cell in cells:
        way = draw.random()
        pad = min(cell.width, cell.height) * 0.14
        if way < 0.6:
            _row(sketch, cell.grown(-pad), [sides[int(draw.integers(len(sides)))] for _ in range(4)])
        elif way < 0.8:
            side = min(cell.width, cell.height) * 0.7
            x, y = cell.middle
            colour = max(
                (sketch.scheme.accent, *sketch.scheme.fields), key=lambda c: distance(c, sketch.ground_of(cell))
            )
            form = "disc" if sketch.is_round() else "sheet"
            box = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
            sketch.fields.append(Field(box, colour, form, sketch.corner))  # type: ignore[arg-type]


def _row(sketch: Sketch, room: Box, motifs: Sequence[Motif]) -> None:
    """As many as stand side by side (or one above the other) at the same height."""
    wide = room.width >= room.height
    count = max(1, min(len(motifs), int((room.width / room.height if wide else room.height / room.width) + 0.3)))
    for number in range(count):
        step = (room.width if wide else room.height) / count
        box = (
            Box(room.left + number * step, room.top, room.left + (number + 1) * step, room.bottom)
            if wide
            else Box(room.left, room.top + number * step, room.right, room.top + (number + 1) * step)
        )
        sketch.arts.append(Art(motifs[number % len(motifs)], box.grown(-0.06 * step), role="side"))


def _open(sketch: Sketch) -> bool:
    """Words at a side of an open sheet, the subject as large as it goes in what is left."""
    draw, kind = sketch.draw, sketch.kind
    room, hero = sketch.inner(), sketch.a_hero()
    across = hero.shape < room.width / room.height if draw.random() < 0.75 else draw.random() < 0.5
    share = draw.uniform(0.34, 0.6)
    first = draw.random() < 0.62
    typed = _side(room, share, across, first)
    band = draw.random() < 0.3
    whole = _side(kind.sheet, share + 0.04, across, first)
    if band:
        sketch.fields.append(sketch.ground_for(whole, sketch.scheme.fields[0], plain=True))
    split = bool(any(sketch.task.said.get(role) for role in SECOND) and draw.random() < 0.4 and not across)
    rise = 0.0 if first and not across else 1.0 if not across else one_of(draw, (0.0, 0.5, 1.0))
    if not sketch.put_words(FIRST if split else (*FIRST, *SECOND), typed, sketch.ground_of(typed), rise):
        return False
    taken = sketch.last.box
    if split:
        foot = _side(room, 0.22, False, not first)
        if not sketch.put_words(SECOND, foot, sketch.ground_of(foot), 1.0 if first else 0.0):
            return False
    free = around(kind.sheet if not band else _rest(kind.sheet, whole), taken, sketch.margin * 0.6)
    if split:
        free = [each for box in free for each in around(box, sketch.last.box, sketch.margin * 0.5)] or free
    free = sorted(free, key=lambda box: -fits(hero.shape, box))
    if not free:
        return False
    target = free[0]
    way = draw.random()
    if way < 0.4:
        _bleeding(sketch, hero, target)
    else:
        _hero_in(sketch, target.grown(-sketch.margin * 0.35))
    if draw.random() < 0.25 and len(free) > 1:
        _scatter(sketch, SCATTERED + int(draw.integers(4)))
    return True


def _side(room: Box, share: float, across: bool, first: bool) -> Box:
    """The left, right, upper or lower part of a room."""
    if across:
        wide = room.width * share
        return Box(room.left, room.top, room.left + wide, room.bottom) if first else \
            Box(room.right - wide, room.top, room.right, room.bottom)  # fmt: skip
    high = room.height * share
    return Box(room.left, room.top, room.right, room.top + high) if first else \
        Box(room.left, room.bottom - high, room.right, room.bottom)  # fmt: skip


def _rest(sheet: Box, taken: Box) -> Box:
    return max(around(sheet, taken, 0.0) or [sheet], key=lambda box: box.area)


def _bleeding(sketch: Sketch, hero: Motif, room: Box) -> None:
    """As large as the room, pushed over the edges of the sheet that the room touches."""
    sheet, grow = sketch.kind.sheet, sketch.draw.uniform(0.04, 0.18)
    over = grow * min(room.width, room.height)
    box = Box(
        room.left - (over if room.left <= sheet.left + 1 else 0),
        room.top - (over if room.top <= sheet.top + 1 else 0),
        room.right + (over if room.right >= sheet.right - 1 else 0),
        room.bottom + (over if room.bottom >= sheet.bottom - 1 else 0),
    )
    sketch.arts.append(Art(hero, box, flip=bool(sketch.draw.random() < 0.3), clip=sheet))


def _framed(sketch: Sketch) -> bool:
    """A border all around, words and a smaller subject within."""
    draw, sheet = sketch.draw, sketch.kind.sheet
    wide = sketch.kind.side * draw.uniform(0.06, 0.15)
    inner = sheet.grown(-wide)
    filled = draw.random() < 0.75
    behind = sketch.scheme.fields[0] if filled else sketch.scheme.ground
    if filled:
        sketch.fields.append(Field(inner, behind, round=sketch.corner * 0.5))
    else:
        sketch.fields.append(Field(inner, sketch.scheme.accent_on(behind), "line", sketch.corner * 0.5, wide * 0.1))
    if filled and wide > 0.1 * sketch.kind.side and draw.random() < 0.7:
        _garland(sketch, wide)
    sketch.align = "middle"
    room = inner.grown(-sketch.margin)
    share, first = draw.uniform(0.42, 0.62), draw.random() < 0.4
    typed = _side(room, share, room.width > 1.6 * room.height, first)
    if not sketch.put_words((*FIRST, *SECOND), typed, behind, 0.5):
        return False
    free = around(room, sketch.last.box, sketch.margin * 0.5)
    if not free:
        return False
    hero = sketch.a_hero()
    best = max(free, key=lambda box: fits(hero.shape, box))
    sketch.arts.append(Art(hero, best))
    return True


def _garland(sketch: Sketch, wide: float) -> None:
    """Small motifs along the border."""
    sheet, motifs = sketch.kind.sheet, (sketch.task.sides or sketch.task.heroes)[:4]
    side = wide * 0.68
    across, down = max(2, int(sheet.width / (wide * 1.25))), max(2, int(sheet.height / (wide * 1.25)))
    places = [(sheet.left + wide / 2 + n * (sheet.width - wide) / (across - 1), y)
              for n in range(across) for y in (sheet.top + wide / 2, sheet.bottom - wide / 2)]  # fmt: skip
    places += [(x, sheet.top + wide / 2 + n * (sheet.height - wide) / (down - 1))
               for n in range(1, down - 1) for x in (sheet.left + wide / 2, sheet.right - wide / 2)]  # fmt: skip
    for number, (x, y) in enumerate(places):
        box = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
        sketch.arts.append(Art(motifs[number % len(motifs)], box, role="small"))


def _scatter(sketch: Sketch, count: int) -> None:
    """Small motifs where nothing else is: some, or none, since one or two look lost."""
    draw, sheet = sketch.draw, sketch.kind.sheet
    motifs = [motif for motif in sketch.task.sides if motif.whole]
    taken = [art.box for art in sketch.arts] + [part.box for group in sketch.words for part in group.words.parts]
    found: list[Art] = []
    for _ in range(count * 8 if motifs else 0):
        side = sketch.kind.side * draw.uniform(0.08, 0.13)
        x, y = draw.uniform(side, sheet.width - side), draw.uniform(side, sheet.height - side)
        box = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
        around = box.grown(side * 0.35)
        if any(around.meets(other) for other in taken):
            continue
        taken.append(box)
        motif = motifs[int(draw.integers(len(motifs)))]
        found.append(Art(motif, box, float(draw.normal(0, 14)), role="small"))
        if len(found) == count:
            break
    if len(found) >= SCATTERED:
        sketch.arts += found


def _plain(sketch: Sketch) -> bool:
    """No subject: words, and forms in the creator's colours and manner."""
    draw, kind = sketch.draw, sketch.kind
    cells = cut(draw, kind.sheet, int(draw.integers(2, kind.cells + 1)))
    typed = max(cells, key=lambda cell: cell.area * draw.uniform(0.7, 1.3))
    colours = [*sketch.scheme.fields, sketch.scheme.accent]
    for cell in cells:
        if cell is not typed:
            colour = colours[int(draw.integers(len(colours)))]
            sketch.fields.append(sketch.ground_for(cell, colour, plain=False))
            _form_in(sketch, cell)
    return _words_in(sketch, typed, None)


def _form_in(sketch: Sketch, cell: Box) -> None:
    draw, behind = sketch.draw, sketch.ground_of(cell)
    colour = max((sketch.scheme.ground, *sketch.scheme.fields, sketch.scheme.accent),
                 key=lambda c: min(distance(c, behind), 0.3) + 0.1 * draw.random())  # fmt: skip
    side = min(cell.width, cell.height) * draw.uniform(0.5, 0.95)
    x, y = cell.middle
    forms = ["disc", "arch", "ring"] if sketch.is_round() else ["sheet", "line"]
    form = forms[int(draw.integers(len(forms)))]
    box = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    sketch.fields.append(Field(box, colour, form, sketch.corner, side * 0.12))  # type: ignore[arg-type]


def _bare(sketch: Sketch) -> bool:
    """No subject: words alone, as large as they go, and a line or a frame."""
    draw, inner = sketch.draw, sketch.inner()
    if draw.random() < 0.5:
        width = max(2.0, sketch.kind.side * max(0.004, sketch.task.habits.line))
        box = sketch.kind.sheet.grown(-sketch.margin * 0.5)
        colour = sketch.scheme.accent_on(sketch.scheme.ground)
        sketch.fields.append(Field(box, colour, "line", min(FRAME, sketch.corner), width))
    return sketch.put_words((*FIRST, *SECOND), inner.grown(-sketch.margin * 0.3), sketch.scheme.ground, 0.5)
