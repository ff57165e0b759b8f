"""Factories for tests: works as they are after a person uploaded them."""

from __future__ import annotations

import io
import json
import random
import uuid
from collections.abc import Sequence
from itertools import count as counting

from atelier.market.accounts.models import Creator

from . import actions
from .models import Upload, Work
from .receiving import Incoming
from .tasks import inspect_upload

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
        inspect_upload(upload_id=upload.pk)
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
    """A creator's works that are looked at, for the fake engine of pictures; other drawings each time."""
    uploads = [
        send(creator, f"sheet-{n}.svg", some_sheet(next(_seeds)), engine="sketch", consent=consent)
        for n in range(count)
    ]
    return list(Work.objects.filter(upload__in=uploads).order_by("pk"))


def some_sheet(seed: int) -> bytes:
    """A drawing of a few shapes in SVG. The same for the same seed."""
    rng = random.Random(seed)
    shapes = "".join(
        f'<rect x="{rng.randrange(90)}" y="{rng.randrange(50)}" width="{side}" height="{side}" fill="{colour}"/>'
        for side, colour in ((rng.randrange(10, 30), rng.choice(_COLOURS)) for _shape in range(7))
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 80">{shapes}</svg>'.encode()
