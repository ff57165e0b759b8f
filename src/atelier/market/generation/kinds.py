"""What samples of each kind are shown by, checked at the door where an engine hands it over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atelier.market.core import pictures

TOLD_MOST = 1000


def checked_preview(kind: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a sample as open pages get it. Errors: BadPicture.

    Of a picture only what it is by its own bytes is passed on, with its real size.
    """
    if kind != "image":
        return dict(payload)
    found = pictures.from_uri(payload.get("image"))
    return {"image": payload["image"], "width": found.width, "height": found.height}


def checked_sample(kind: str, reduced: Mapping[str, Any]) -> tuple[dict[str, Any], pictures.Picture | None]:
    """What may be shown of a finished sample: as plain data, and the picture to be kept, where it is one.

    Errors: BadPicture.
    """
    if kind != "image":
        return dict(reduced), None
    found = pictures.from_uri(reduced.get("image"))
    told = " ".join(str(reduced.get("told", "")).replace("\x00", "").split())[:TOLD_MOST]
    return {"width": found.width, "height": found.height, "told": told}, found
