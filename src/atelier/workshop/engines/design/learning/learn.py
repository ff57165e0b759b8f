"""From works to a style: each is looked at once, then what they have in common is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from atelier.workshop.contract import Unreadable, WorkFile
from atelier.workshop.engines.design.drawing import raster
from atelier.workshop.engines.design.reading.svg import Read, read_svg
from atelier.workshop.pictures.fingerprints import SIDE, fingerprint

from .looking import Look, look_at
from .meaning import meaning, words_of
from .motifs import Motif, motifs_of
from .palette import palette_of
from .style import Style, Vectors
from .traits import traits_of

MOTIFS_MOST = 400
"""Of all parts; whole works come first, then named parts."""
PARTS_A_WORK = 8


@dataclass(frozen=True, eq=False)
class Seen:
    """One work with all that is seen in it. `hash` is the PDQ of the whole on white."""

    work: WorkFile
    look: Look
    motifs: tuple[Motif, ...]
    hash: str


def seen(work: WorkFile) -> Seen:
    """Look at one work. Errors: Unreadable naming it."""
    read = _read(work)
    words = (work.title, *work.tags, work.description) if work.description else (work.title, *work.tags)
    found = motifs_of(read, work.sha256, words)
    whole, parts = [m for m in found if m.whole], [m for m in found if not m.whole]
    parts.sort(key=lambda motif: -motif.box.area)
    kept = [*whole, *parts[:PARTS_A_WORK]]
    named = tuple(replace(motif, name=f"{work.sha256[:16]}-{n}") for n, motif in enumerate(kept))
    return Seen(work, look_at(read), named, _hash_of(read))


def learn(works: Sequence[Seen]) -> Style:
    """The style of works: the same works give the same style, whatever their order."""
    works = sorted(works, key=lambda each: each.work.sha256)
    motifs = [motif for each in works for motif in each.motifs]
    motifs.sort(key=lambda motif: (not motif.whole, not motif.named))
    kept = tuple(motifs[:MOTIFS_MOST])
    looks = [each.look for each in works]
    return Style(
        hashes={each.work.sha256: each.hash for each in works},
        palette=palette_of(looks),
        traits=traits_of(looks),
        motifs=kept,
        vectors=vectors_of(kept),
        works={each.work.sha256: each.work.title for each in works},
    )


def _read(work: WorkFile) -> Read:
    try:
        return read_svg(Path(work.path).read_bytes(), work.title)
    except OSError as error:
        raise Unreadable("The work's file cannot be read.", where=work.title, remedy="Upload it again.") from error


def _hash_of(read: Read) -> str:
    box = read.scene.root.box
    scale = SIDE / max(box.width, box.height, 1e-9)
    size = max(16, round(box.width * scale)), max(16, round(box.height * scale))
    return fingerprint(raster(read.scene.root, box, *size, ground="#ffffff")).value


def vectors_of(motifs: Sequence[Motif]) -> Vectors:
    """What the motifs' words mean, (motifs, 384)."""
    if not motifs:
        return np.zeros((0, 384), np.float32)
    return np.stack([meaning(words_of(motif.words)) for motif in motifs])
