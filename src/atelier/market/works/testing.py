"""Factories for tests: works as they are after a person uploaded them."""

from __future__ import annotations

import io
import json
import random
import tempfile
import uuid
from collections.abc import Sequence
from itertools import count as counting
from pathlib import Path
from unittest.mock import patch

from atelier.market.accounts.models import Creator
from atelier.workshop import contract

from . import actions, tasks
from .models import Upload, Work
from .receiving import Incoming

_NOUNS = ["lamp", "river", "bread", "chair", "garden", "window", "letter", "stone", "coat", "apple", "bridge", "kettle"]
_VERBS = ["holds", "keeps", "mends", "warms", "finds", "carries", "brightens", "softens", "follows", "remembers"]
_COLOURS = ["#c6492c", "#7f9183", "#2f6272", "#d9a441", "#8c3b4a", "#3d5a80"]

_seeds = counting(1000)


def some_texts(count: int, seed: int = 0) -> list[str]:
    """Short texts in one plain voice, no two nearly alike. The same for the same arguments."""
    rng = random.Random(seed)
    return [
        " ".join(
            f"The {rng.choice(_NOUNS)} {number} {rng.choice(_VERBS)} the {rng.choice(_NOUNS)} {rng.randrange(10_000)}."
            for _line in range(6)
        )
        for number in range(count)
    ]


def send(
    creator: Creator,
    filename: str,
    content: bytes,
    *,
    engine: str = "fake",
    consent: bool = True,
    tags: Sequence[str] = (),
    batch: uuid.UUID | None = None,
    read: bool = True,
) -> Upload:
    """One file sent through the actions and, unless told otherwise, inspected."""
    (upload,) = actions.receive_uploads(
        actor=creator.user,
        engine=engine,
        files=[Incoming(filename, io.BytesIO(content), len(content))],
        wishes=actions.Wishes(attested=True, consent=consent, tags=tuple(tags)),
        batch=batch or uuid.uuid4(),
    )
    if read:
        tasks.inspect_upload(upload_id=upload.pk)
        upload.refresh_from_db()
    return upload


def make_works(
    creator: Creator, count: int = 10, *, seed: int | None = None, consent: bool = True, texts: Sequence[str] = ()
) -> list[Work]:
    """A creator's works, made of one file of pieces for the fake engine; other texts each time unless seeded."""
    written = texts or some_texts(count, next(_seeds) if seed is None else seed)
    pieces = [{"text": text, "title": f"Piece {number}"} for number, text in enumerate(written, 1)]
    upload = send(creator, "pieces.json", json.dumps(pieces).encode(), consent=consent)
    return list(Work.objects.filter(upload=upload).order_by("position"))


def make_sheets(creator: Creator, count: int = 6, *, consent: bool = True) -> list[Work]:
    """A creator's works that are looked at, for the fake engine of pictures; other drawings each time.

    Read in this process: a fork a file would take most of a test's time.
    """
    works = []
    for number in range(count):
        sheet = some_sheet(next(_seeds))
        upload = send(creator, f"sheet-{number}.svg", sheet, engine="sketch", consent=consent, read=False)
        with tempfile.TemporaryDirectory() as folder, patch.object(tasks, "runtime", _Here):
            assert upload.blob is not None
            inspection, kept, previews = tasks._inspect(upload, upload.blob, Path(folder))
        works += actions.take_pieces(upload_id=upload.pk, inspection=inspection, kept=kept, previews=previews)
    return works


class _Here:
    """A runtime that reads files in this process."""

    def inspect(self, name: str, upload: contract.Upload, workspace: Path) -> contract.Inspection:
        return contract.engine(name).inspect(upload, workspace)


def some_sheet(seed: int) -> bytes:
    """A drawing of a few shapes in SVG. The same for the same seed."""
    rng = random.Random(seed)
    shapes = "".join(
        f'<rect x="{rng.randrange(90)}" y="{rng.randrange(50)}" width="{side}" height="{side}" fill="{colour}"/>'
        for side, colour in ((rng.randrange(10, 30), rng.choice(_COLOURS)) for _shape in range(7))
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 80">{shapes}</svg>'.encode()
