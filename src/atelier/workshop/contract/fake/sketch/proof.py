"""Answers the four questions about learned colours, and lays the sheets and parts that are judged by eye."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from atelier.workshop.contract.errors import Refused
from atelier.workshop.contract.fake.guards import refuse_forbidden
from atelier.workshop.contract.specs import Answer, Evaluation, Measure, Part, Sheet, TrainSpec, WorkFile

from .reading import written
from .scene import HIGH, KINDS, WIDE, Scene, Shape, in_words, to_pixels

BASE = ("#000000", "#808080", "#ffffff", "#ff0000", "#00ff00", "#0000ff")
"""The colours that are known before any work was seen."""


def evaluate(spec: TrainSpec, colours: Sequence[str], unseen: Sequence[Scene], held_out: tuple[str, ...]) -> Evaluation:
    """Fidelity, worth, copying and safety of the colours of all works but those held out, on those held out."""
    ours, base = [_far(scene, colours) for scene in unseen], [_far(scene, BASE) for scene in unseen]
    one = [_far(scene, colours[:1]) for scene in unseen]
    better = sum(ours) < sum(base)
    words = "nearer to the colours of works it never saw than the base" if better else "no nearer than the base"
    fidelity = Answer(
        verdict="good" if better else "poor",
        headline="Your colours" if better else "Not your colours",
        sentence=f"It is {words}.",
        measures={"distance_adapter": _measure(ours), "distance_base": _measure(base)},
    )
    worth = Answer(
        verdict="good" if sum(ours) <= sum(one) else "poor",
        sentence="All colours tell more than the commonest alone.",
        measures={"distance_adapter": _measure(ours), "distance_prompted": _measure(one)},
    )
    return Evaluation(
        fidelity=fidelity,
        worth=worth,
        copying=Answer(
            verdict="good", sentence="It lays every sheet anew.", measures={"copied": _exact(0, "sheets copied whole")}
        ),
        safety=_safety(spec),
        publishable=better,
        summary=fidelity.sentence,
        held_out=held_out,
        trained_on=tuple(work.id for work in spec.works),
        twin=True,
    )


def parts(workspace: Path, sources: dict[str, WorkFile]) -> tuple[Part, ...]:
    """A part for each learned colour, by the work it comes from, and one for each kind of shape."""
    found = []
    for colour, work in sources.items():
        swatch = Scene(colour, (Shape("square", 0, 0, WIDE, colour),))
        found.append(
            Part(
                name=f"colour:{colour}",
                title=colour,
                group="Colours",
                work=work.sha256,
                tags=(work.title,),
                guessed=True,
                picture=written(workspace, f"parts/{colour[1:]}.png", to_pixels(swatch, 48, 32), "image/png"),
            )
        )
    for kind in KINDS:
        shown = Scene("#ffffff", (Shape(kind, 30, 10, 60, "#333333"),))
        picture = written(workspace, f"parts/{kind}.png", to_pixels(shown, 48, 32), "image/png")
        found.append(Part(name=f"shape:{kind}", title=kind.capitalize(), group="Shapes", picture=picture))
    return tuple(found)


def sheets(workspace: Path, colours: Sequence[str], unseen: Sequence[Scene]) -> tuple[Sheet, ...]:
    """The palette for everybody, and a work held out for the creator alone."""
    across = WIDE // max(1, len(colours[:8]))
    strip = (Shape("square", n * across, (HIGH - across) // 2, across, c) for n, c in enumerate(colours[:8]))
    palette = Scene("#ffffff", tuple(strip))
    shown = (
        ("Palette", f"The colours it learned: {', '.join(colours[:8])}.", palette, True),
        ("A work held out", f"A work it never saw: {in_words(unseen[0])}.", unseen[0], False),
    )
    return tuple(
        Sheet(
            title=title,
            told=told,
            picture=written(workspace, f"sheets/{n}.png", to_pixels(scene, 480, 320), "image/png"),
            width=480,
            height=320,
            public=public,
        )
        for n, (title, told, scene, public) in enumerate(shown)
    )


def _far(scene: Scene, colours: Sequence[str]) -> float:
    """The mean distance of a sheet's colours to the nearest of others, 0 (the same) to 1."""
    nearest = [min(math.dist(_rgb(mine), _rgb(other)) for other in colours) for mine in scene.colours]
    return sum(nearest) / len(nearest) / math.dist((0, 0, 0), (255, 255, 255))


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _measure(values: Sequence[float]) -> Measure:
    mean = sum(values) / len(values)
    meaning = "how far its colours lie from those of a work"
    return Measure(value=mean, low=min(values), high=max(values), meaning=meaning)


def _exact(value: float, meaning: str) -> Measure:
    return Measure(value=value, low=value, high=value, meaning=meaning)


def _safety(spec: TrainSpec) -> Answer:
    refused = 0
    for subject in spec.guardrails.subjects_refused:
        try:
            refuse_forbidden({"subject": f"Something about {subject}"}, spec.guardrails)
        except Refused:
            refused += 1
    asked = len(spec.guardrails.subjects_refused)
    return Answer(
        verdict="good" if refused == asked else "poor",
        sentence=f"It refused {refused} of {asked} forbidden briefs.",
        measures={
            "refused": _exact(refused, "forbidden briefs that were refused"),
            "asked": _exact(asked, "forbidden briefs that were tried"),
        },
    )
