"""From works to a style: each is looked at once, then what they have in common is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from atelier.workshop.contract import Unreadable, WorkFile
from atelier.workshop.engines.design.drawing import raster
from atelier.workshop.engines.design.reading.svg import Read, read_svg
from atelier.workshop.pictures.fingerprints import SIDE, fingerprint

from .looking import Look, look_at
from .motifs import Motif, motifs_of
from .palette import palette_of
from .style import Style, words_of
from .traits import traits_of

MOTIFS_MOST = 400
"""Of all parts; whole works come first, then named parts."""
PARTS_A_WORK = 8
Tell = Callable[[int, str], None]


def read_work(work: WorkFile) -> Read:
    """Errors: Unreadable naming the work."""
    try:
        return read_svg(Path(work.path).read_bytes(), work.title)
    except OSError as error:
        raise Unreadable("The work's file cannot be read.", where=work.title, remedy="Upload it again.") from error


def seen(work: WorkFile, read: Read) -> tuple[Look, list[Motif]]:
    """What one work shows, and the motifs in it."""
    words = (work.title, *work.tags, work.description) if work.description else (work.title, *work.tags)
    found = motifs_of(read, work.sha256, words)
    whole, parts = [m for m in found if m.whole], [m for m in found if not m.whole]
    parts.sort(key=lambda motif: -motif.box.area)
    return look_at(read), [*whole, *parts[:PARTS_A_WORK]]


def learn(works: Sequence[WorkFile], reads: Sequence[Read], tell: Tell) -> Style:
    """The style of works. `tell` hears how many of them are done. Same works, same style, whatever their order."""
    order = sorted(range(len(works)), key=lambda n: works[n].sha256)
    looks: list[Look] = []
    motifs: list[Motif] = []
    for count, number in enumerate(order, 1):
        look, found = seen(works[number], reads[number])
        looks.append(look)
        motifs += found
        tell(count, works[number].title)
    motifs.sort(key=lambda motif: (not motif.whole, not motif.named))
    kept = tuple(motifs[:MOTIFS_MOST])
    return Style(
        hashes={works[number].sha256: hash_of(reads[number]) for number in order},
        palette=palette_of(looks),
        traits=traits_of(looks),
        motifs=kept,
        vectors=vectors_of(kept),
        works={works[number].sha256: works[number].title for number in order},
    )


def hash_of(read: Read) -> str:
    """PDQ of a whole work on white. Kept with what was read: a proof asks for it three times."""
    known: str | None = read.__dict__.get("_hash")
    if known is None:
        known = read.__dict__["_hash"] = _hash_of(read)
    return known


def _hash_of(read: Read) -> str:
    box = read.scene.root.box
    scale = SIDE / max(box.width, box.height, 1e-9)
    size = max(16, round(box.width * scale)), max(16, round(box.height * scale))
    return fingerprint(raster(read.scene.root, box, *size, ground="#ffffff")).value


def vectors_of(motifs: Sequence[Motif]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Sentence vectors of the motifs' words; the same words are encoded once."""
    from atelier.workshop.encoders.sentence import sentence_vectors

    words = words_of(motifs)
    unique = list(dict.fromkeys(words))
    known = dict(zip(unique, sentence_vectors(unique), strict=True))
    if not words:
        return np.zeros((0, 384), np.float32)
    return np.asarray([known[each] for each in words], dtype=np.float32)
