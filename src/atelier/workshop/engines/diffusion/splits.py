"""Which works are learned from, which say when to stop, and which are kept for the proof."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from atelier.workshop.contract import TooFewWorks, Unreadable, WorkFile
from atelier.workshop.pictures.fingerprints import NEAR_BITS, distance, turned
from atelier.workshop.pictures.pixels import open_picture

from .captions import caption
from .inspection import FORMATS, opaque, pixels

WORKS_MIN = 12
WORKS_ADVISED = 40
TEST_LEAST, TEST_MOST = 4, 40
STOP_LEAST, STOP_MOST = 2, 12


@dataclass(frozen=True)
class Learned:
    """A work, the words it is learned under, and its eight fingerprints, its own first."""

    work: WorkFile
    caption: str
    prints: tuple[str, ...]

    @property
    def picture(self) -> Image.Image:
        """Read anew each time: thousands of pictures would not fit into memory. Errors: Unreadable naming the work."""
        return _picture(self.work)


@dataclass(frozen=True)
class Split:
    """Works of three kinds; no work, and no near copy of one, is of two kinds. Families of near copies in `test` have
    the same number in `families`."""

    train: tuple[Learned, ...]
    stop: tuple[Learned, ...]
    test: tuple[Learned, ...]
    families: tuple[int, ...]


def read(work: WorkFile) -> Learned:
    """Errors: Unreadable naming the work."""
    return Learned(work, caption(work), tuple(turned(pixels(_picture(work)))))


def _picture(work: WorkFile) -> Image.Image:
    try:
        data = Path(work.path).read_bytes()
    except OSError as error:
        raise Unreadable("The file is gone.", where=work.title, remedy="Upload the work again.") from error
    return opaque(open_picture(data, work.title, FORMATS))


def split(works: Sequence[Learned], seed: int) -> Split:
    """Divide works by chance, near copies staying together. Same works and seed, same split, whatever their order.

    Errors: TooFewWorks, also when most of the works are copies of one another.
    """
    check_count(len(works))
    groups = _families(sorted(works, key=lambda each: (each.work.sha256, each.work.id)))
    if len(groups) < WORKS_MIN:
        raise TooFewWorks(
            f"The {len(works)} works are near copies of one another: only {len(groups)} differ.",
            remedy=f"Add works until at least {WORKS_MIN} differ.",
        )
    random.Random(seed).shuffle(groups)
    groups.sort(key=len)  # Works with near copies go last, to training, so that the held-out ones stand for many.
    test = min(TEST_MOST, max(TEST_LEAST, round(len(groups) * 0.2)))
    stop = test + min(STOP_MOST, max(STOP_LEAST, round(len(groups) * 0.125)))
    families = [number for number, group in enumerate(groups[:test]) for _ in group]
    return Split(_flat(groups[stop:]), _flat(groups[test:stop]), _flat(groups[:test]), tuple(families))


def check_count(count: int) -> None:
    """Errors: TooFewWorks."""
    if count < WORKS_MIN:
        raise TooFewWorks(
            f"There are {count} works to learn from; at least {WORKS_MIN} are needed.",
            remedy=f"Add {WORKS_MIN - count} or more; with {WORKS_ADVISED} the result is much better.",
        )


def nearest(prints: Sequence[str], others: Sequence[Learned]) -> int:
    """How many bits lie between a picture, turned and mirrored in all ways, and the nearest of others."""
    return min(distance(mine, other.prints[0]) for mine in prints for other in others)


def read_all(works: Sequence[WorkFile], tell: Callable[[], None]) -> list[Learned]:
    """Errors: Unreadable naming the work; whatever `tell`, called after each, raises."""
    found = []
    for work in works:
        found.append(read(work))
        tell()
    return found


def _families(ordered: Sequence[Learned]) -> list[list[Learned]]:
    groups: list[list[Learned]] = []
    for each in ordered:
        kin = [group for group in groups if nearest(each.prints, group) <= NEAR_BITS]
        # It may join groups that were strangers until it came.
        groups = [group for group in groups if group not in kin]
        groups.append([member for group in kin for member in group] + [each])
    return groups


def _flat(groups: Sequence[Sequence[Learned]]) -> tuple[Learned, ...]:
    return tuple(each for group in groups for each in group)
