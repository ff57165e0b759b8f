"""A version as files to take along: adapter, model card in words, and the same as data."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from django.template.loader import render_to_string

from atelier.market.core import blobs
from atelier.market.core.models import Blob
from atelier.workshop.contract import EngineUnavailable, Evaluation, engine

from .adapters import refuse_erased
from .models import Version


def archive(version: Version) -> Iterator[bytes]:
    """The export as a ZIP file, in parts as they are read; the same bytes each time.

    Holds the adapter's files as the engine wrote them, README.md (model card) and card.json. Source: APPNOTE 6.3,
    streamed with data descriptors, so that nothing is ever held whole.

    Errors: Conflict, in the midst of it too, once the version is erased: what was sent so far is then no ZIP file.
    """
    card = card_of(version)
    texts = {
        "README.md": render_to_string("studio/model_card.md", {"card": card, "version": version}),
        "card.json": json.dumps(card, indent=2, sort_keys=True, ensure_ascii=False) + "\n",
    }
    known = Blob.objects.in_bulk([file["sha256"] for file in version.files])
    moment = version.created_at.timetuple()[:6]
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as opened:
        for name, text in texts.items():
            opened.writestr(zipfile.ZipInfo(name, moment), text)
            yield sink.take()
        for file in version.files:
            if file["path"] in texts:
                continue
            with opened.open(zipfile.ZipInfo(file["path"], moment), "w", force_zip64=True) as entry:
                for chunk in blobs.chunks(known[file["sha256"]]):
                    refuse_erased(version)
                    entry.write(chunk)
                    yield sink.take()
    yield sink.take()


def card_of(version: Version) -> dict[str, Any]:
    """What a version is, from what, under which licence, and how good: plain data."""
    model, run = version.creation_model, version.run
    items = [
        {"sha256": item.sha256, "title": item.title, "tags": item.tags, "language": item.language}
        for item in run.dataset.items.all()
    ]
    return {
        "name": model.name,
        "version": version.number,
        "creator": {"handle": model.creator.handle, "name": str(model.creator.user)},
        "engine": model.engine,
        "category": model.category,
        "about": model.about,
        "made_at": version.created_at.isoformat(),
        "base": version.card.get("base") or _base_of(model.engine),
        "adapter": {"sha256": version.adapter_sha256, "files": version.files},
        "dataset": {"sha256": run.dataset.sha256, "works": items},
        "training": {"seed": run.seed, **{k: v for k, v in version.card.items() if k != "base"}},
        "evaluation": Evaluation.model_validate(version.evaluation).flat() if version.evaluation else {},
        "guardrails": {"subjects_refused": model.subjects_refused, "words_never": model.words_never},
        "rights": (
            "The adapter belongs to its creator, who consented to training on each work named here. "
            "The base model stays under its own licence."
        ),
    }


def filename_of(version: Version) -> str:
    """What the export is called."""
    return f"{version.creation_model.slug}-v{version.number}.zip"


def _base_of(name: str) -> dict[str, Any]:
    try:
        return engine(name).capabilities().base.model_dump()
    except EngineUnavailable:
        return {}


class _Sink(io.RawIOBase):
    """What was written since it was last asked; tells positions but cannot seek."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def take(self) -> bytes:
        """The bytes since the last call."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
