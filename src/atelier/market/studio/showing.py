"""What a training shows of what it learned: sheets to be judged by eye, and parts that the creator may veto."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import QuerySet

from atelier.market.core import pictures
from atelier.market.core.models import Blob
from atelier.workshop.contract import FileRef, Part, Sheet, TrainResult

from .models import TAG_LENGTH, TAGS_MOST, CreationModel, Version, VersionPart, VersionSheet

log = logging.getLogger(__name__)

SHEETS_MOST, PARTS_MOST = 12, 500
SHEET_BYTES, SHEET_SIDE = 3_000_000, 8_000
PART_BYTES, PART_SIDE = 500_000, 1_024


@dataclass(frozen=True)
class Shown:
    """Sheets and parts of a training with their pictures in storage."""

    sheets: tuple[tuple[Sheet, Blob], ...] = ()
    parts: tuple[tuple[Part, Blob | None], ...] = ()


def stored(result: TrainResult, workspace: Path) -> Shown:
    """Store the pictures of a training. What is no picture is left out: a sheet with it, a part without it."""
    sheets = []
    for sheet in result.sheets[:SHEETS_MOST]:
        blob = _picture(workspace, sheet.picture, SHEET_BYTES, SHEET_SIDE)
        if blob is not None:
            sheets.append((sheet, blob))
    named = {part.name: part for part in result.parts[:PARTS_MOST] if 0 < len(part.name) <= 120}
    parts = tuple(
        (part, _picture(workspace, part.picture, PART_BYTES, PART_SIDE) if part.picture else None)
        for part in named.values()
    )
    return Shown(tuple(sheets), parts)


def _picture(workspace: Path, file: FileRef, bytes_most: int, side_most: int) -> Blob | None:
    try:
        return pictures.keep_from(workspace, file.model_dump(), bytes_most=bytes_most, side_most=side_most)
    except pictures.BadPicture as error:
        log.warning("a training shows by %s what is no picture: %s", file.path, error)
        return None


def _bounded(tags: Iterable[str]) -> list[str]:
    """Learned tags as they can be kept: neither too long nor too many."""
    return [tag for tag in tags if 0 < len(tag) <= TAG_LENGTH][:TAGS_MOST]


def keep(version: Version, shown: Shown) -> None:
    """Write the sheets and parts of a new version down, with the vetoes and the creator's own tags that hold for parts
    it has from before."""
    works = dict(version.run.dataset.items.values_list("sha256", "work_id"))
    VersionSheet.objects.bulk_create(
        VersionSheet(
            version=version,
            position=position,
            title=sheet.title[:120],
            told=sheet.told[:1000],
            blob=blob,
            width=max(1, sheet.width),
            height=max(1, sheet.height),
            public=sheet.public,
        )
        for position, (sheet, blob) in enumerate(shown.sheets)
    )
    VersionPart.objects.bulk_create(
        VersionPart(
            version=version,
            position=position,
            name=part.name,
            title=part.title[:120],
            group=part.group[:80],
            description=part.description[:300],
            work_id=works.get(part.work or ""),
            blob=blob,
            tags=None if part.tags is None else _bounded(part.tags),
            guessed=part.guessed,
        )
        for position, (part, blob) in enumerate(shown.parts)
    )
    _call_as_before(version)
    vetoed = _vetoed_before(version.creation_model, [part.name for part, _blob in shown.parts])
    if vetoed:
        Version.objects.filter(pk=version.pk).update(vetoed=vetoed)
        version.vetoed = vetoed


def _vetoed_before(model: CreationModel, names: list[str]) -> list[str]:
    """Of these parts those that are vetoed in the latest version that had them."""
    latest = _latest_before(model).filter(name__in=names).select_related("version").only("name", "version__vetoed")
    return sorted(part.name for part in latest if part.name in part.version.vetoed)


def _call_as_before(version: Version) -> None:
    """Give the parts of a new version the tags that its creator gave them in the latest version that had them."""
    before = _latest_before(version.creation_model).filter(name__in=version.parts.values("name"))
    own = {part.name: part.own_tags for part in before.only("name", "own_tags") if part.own_tags is not None}
    parts = list(version.parts.filter(name__in=own).exclude(tags=None))
    for part in parts:
        part.own_tags = own[part.name]
    VersionPart.objects.bulk_update(parts, ["own_tags"])


def _latest_before(model: CreationModel) -> QuerySet[VersionPart]:
    """The parts of all versions but the newest, each as it is in the latest of them that has it."""
    return (
        VersionPart.objects.filter(version__creation_model=model)
        .exclude(version__number=model.versions.order_by("-number").values("number")[:1])
        .order_by("name", "-version__number")
        .distinct("name")
    )


def own_tags_of(version: Version) -> dict[str, list[str]]:
    """The creator's own words for parts of a version, by name."""
    named = version.parts.exclude(own_tags=None).values_list("name", "own_tags")
    return {name: tags for name, tags in named if tags is not None}


def grouped_parts(version: Version) -> list[dict[str, Any]]:
    """The parts of a version as its page shows them: {title, parts} a group; each part with whether it is vetoed."""
    groups: dict[str, list[tuple[VersionPart, bool]]] = {}
    for part in version.parts.select_related("work"):
        groups.setdefault(part.group, []).append((part, part.name in version.vetoed))
    return [{"title": title, "parts": parts} for title, parts in groups.items()]
